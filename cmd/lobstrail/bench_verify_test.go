//go:build unix

package main_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkVerify times "lobstrail verify" as a process, on stores of 1,000
// accounts with 50 snapshots each or of the size that LOBSTRAIL_BENCH says (see
// BenchmarkReads), and fails when it takes 128 MiB or more. From one batch to the next
// nothing changes, one account in a hundred, or as much as in the store of BenchmarkReads,
// where counters move, too. It prints:
//
//	snapshots/s         of the median
//	of-integrity-check  the median of its ratios to SQLite's own check, run right
//	                    before: PRAGMA integrity_check, which looks at the form alone
//	MiB                 the peak of its memory
//	CPU-s               the median of its processor time
//
// Its time goes with what changed: an account that a response shows as before costs
// nothing of its own.
func BenchmarkVerify(b *testing.B) {
	usual := benchHistory(b)
	quiet, one := usual, usual
	quiet.Changed, quiet.Moved = 0, 0
	one.Changed, one.Moved = 0.01, 0
	binary, folder := buildCommand(b), benchFolder(b)
	b.Run("quiet", func(b *testing.B) { benchmarkVerify(b, binary, benchStoreIn(b, folder, quiet)) })
	b.Run("changed1pct", func(b *testing.B) { benchmarkVerify(b, binary, benchStoreIn(b, folder, one)) })
	b.Run("usual", func(b *testing.B) { benchmarkVerify(b, binary, benchStoreIn(b, folder, usual)) })
}

func benchmarkVerify(b *testing.B, binary, db string) {
	env := []string{"LOBSTRAIL_DB=" + db, "HOME=" + filepath.Dir(binary), "TZ=UTC"}
	var took, cpu []time.Duration
	var ratios []float64
	var peak, snapshots int64
	for i := range atLeast(b, 5) + 1 {
		baseline := launch(b, env, binary, "sql", "PRAGMA integrity_check")
		whole := launch(b, env, binary, "verify", "--json")
		var answer struct {
			OK        bool
			Snapshots int64
		}
		if err := json.Unmarshal([]byte(whole.Head), &answer); err != nil || !answer.OK || answer.Snapshots == 0 {
			b.Fatalf("%v\n%s", err, whole.Head)
		}
		if snapshots = answer.Snapshots; i == 0 {
			continue // the first fills the caches
		}
		took, cpu = append(took, whole.Took), append(cpu, whole.CPU)
		ratios = append(ratios, whole.Took.Seconds()/baseline.Took.Seconds())
		peak = max(peak, whole.Peak)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(snapshots)/median(took).Seconds(), "snapshots/s")
	b.ReportMetric(median(ratios), "of-integrity-check")
	b.ReportMetric(median(cpu).Seconds(), "CPU-s")
	b.ReportMetric(float64(peak)/(1<<20), "MiB")
	if peak >= maxMemory {
		b.Errorf("%d bytes of memory at the peak, %d are allowed", peak, maxMemory)
	}
}
