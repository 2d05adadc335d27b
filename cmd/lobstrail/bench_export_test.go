//go:build unix

package main_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkExport times "lobstrail export --parquet" into a new directory as a process, on a
// store of 1,000 accounts with 50 snapshots each or of the size that LOBSTRAIL_BENCH says
// (see BenchmarkReads). It prints:
//
//	rows/s    of the median, of all tables
//	of-count  the median of its ratios to counting the snapshots in SQL, right before
//	MiB       the peak of its memory, which does not grow with the history
func BenchmarkExport(b *testing.B) {
	_, db := benchStore(b)
	binary, dir := buildCommand(b), b.TempDir()
	env := []string{"LOBSTRAIL_DB=" + db, "HOME=" + filepath.Dir(binary), "TZ=UTC"}
	var took []time.Duration
	var ratios []float64
	var peak, rows int64
	for i := range atLeast(b, 3) + 1 {
		baseline := launch(b, env, binary, "sql", "SELECT count(*) FROM snapshots", "--timeout", "1h")
		whole := launch(b, env, binary, "export", "--json", "--parquet", filepath.Join(dir, fmt.Sprint(i)))
		var answer struct {
			Rows int64 `json:"rows_written"`
		}
		if err := json.Unmarshal([]byte(whole.Head), &answer); err != nil || answer.Rows == 0 {
			b.Fatalf("%v\n%s", err, whole.Head)
		}
		if rows = answer.Rows; i == 0 {
			continue // the first fills the caches
		}
		took = append(took, whole.Took)
		ratios = append(ratios, whole.Took.Seconds()/baseline.Took.Seconds())
		peak = max(peak, whole.Peak)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(rows)/median(took).Seconds(), "rows/s")
	b.ReportMetric(median(ratios), "of-count")
	b.ReportMetric(float64(peak)/(1<<20), "MiB")
}
