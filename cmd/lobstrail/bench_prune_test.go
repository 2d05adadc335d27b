//go:build unix

package main_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkPrune drops 23 of 24 hourly answers of ten days in which nothing changes, with
// prune as a real process. The store has 1,000 accounts, or as many as LOBSTRAIL_BENCH
// says. It prints:
//
//	snapshots/s      of those that it looked at
//	dropped          the share of responses that it dropped
//	left/whole       what the file keeps of its size
//	left/history     the same without what the first sight of the accounts takes
//	peak-MiB         the peak of its memory; 128 and more are an error
func BenchmarkPrune(b *testing.B) {
	h := benchHistory(b)
	if testing.Short() {
		h.Accounts = 100
	}
	h.Changed, h.Moved, h.Batches = 0, 0, 240
	dir := benchFolder(b)
	whole := benchStoreIn(b, dir, h)
	h.Batches = 1
	first := fileSize(b, benchStoreIn(b, dir, h))
	binary, db := buildCommand(b), filepath.Join(b.TempDir(), "store.db")
	for b.Loop() {
		b.StopTimer()
		size := copyStore(b, whole, db)
		b.StartTimer()
		done := launch(b, []string{"HOME=" + b.TempDir(), "LOBSTRAIL_DB=" + db}, binary,
			"prune", "--keep-within", "1h", "--keep-daily", "365", "--json", "--quiet")
		var pruned struct {
			Snapshots, Thinned int64
			BytesAfter         int64 `json:"bytes_after"`
		}
		if err := json.Unmarshal([]byte(done.Head), &pruned); err != nil || pruned.Thinned == 0 {
			b.Fatalf("%v: %s", err, done.Head)
		}
		b.ReportMetric(float64(pruned.Snapshots)/done.Took.Seconds(), "snapshots/s")
		b.ReportMetric(float64(pruned.Thinned)/float64(pruned.Snapshots), "dropped")
		b.ReportMetric(float64(done.Peak)/(1<<20), "peak-MiB")
		b.ReportMetric(float64(pruned.BytesAfter)/float64(size), "left/whole")
		b.ReportMetric(float64(pruned.BytesAfter-first)/float64(size-first), "left/history")
		if done.Peak >= maxMemory {
			b.Errorf("%d bytes of memory at the peak, %d are allowed", done.Peak, maxMemory)
		}
	}
}

func copyStore(b *testing.B, from, to string) (size int64) {
	b.Helper()
	for _, ending := range []string{"-wal", "-shm"} {
		_ = os.Remove(to + ending)
	}
	in, err := os.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		b.Fatal(err)
	}
	if size, err = io.Copy(out, in); err != nil {
		b.Fatal(err)
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
	return size
}
