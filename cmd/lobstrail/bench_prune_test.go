//go:build unix

package main_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/lobstrail/lobstrail/report"
)

// BenchmarkPrune prunes a large store (LOBSTRAIL_BENCH, see History) to one snapshot
// a day, as a real process. It prints how many snapshots it looked through in a
// second, the peak of memory and what is left of the file, and fails when the memory
// is 128 MiB or more.
func BenchmarkPrune(b *testing.B) {
	history, err := FromEnv()
	if err != nil {
		b.Fatal(err)
	}
	dir := os.Getenv("LOBSTRAIL_BENCH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	whole, err := history.In(b.Context(), dir, report.Rules(), nil)
	if err != nil {
		b.Fatal(err)
	}
	binary, db := buildCommand(b), filepath.Join(b.TempDir(), "store.db")
	for b.Loop() {
		b.StopTimer()
		size := copyStore(b, whole, db)
		b.StartTimer()
		done := launch(b, []string{"HOME=" + b.TempDir(), "LOBSTRAIL_DB=" + db}, binary,
			"prune", "--keep-within", "1d", "--keep-daily", "365", "--json", "--quiet")
		var pruned struct {
			Snapshots, Thinned int64
			BytesAfter         int64 `json:"bytes_after"`
		}
		if err := json.Unmarshal([]byte(done.Head), &pruned); err != nil || pruned.Thinned == 0 {
			b.Fatalf("%v: %s", err, done.Head)
		}
		b.ReportMetric(float64(pruned.Snapshots)/done.Took.Seconds(), "snapshots/s")
		b.ReportMetric(float64(pruned.Thinned)/float64(pruned.Snapshots), "thinned/snapshot")
		b.ReportMetric(float64(done.Peak)/(1<<20), "peak-MiB")
		b.ReportMetric(float64(pruned.BytesAfter)/float64(size), "left/whole")
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
