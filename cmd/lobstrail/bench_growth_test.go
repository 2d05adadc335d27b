//go:build unix

package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkReportGrowth shows what the cost of a report grows with. Three stores of
// the same accounts have one, ten and a hundred times the history, up to the same
// instant:
//
//	history=10x   the report of the last stretch of that length, in each store
//	period=10x    the report of ten times that stretch, in the largest store
//
// It prints, for each:
//
//	ms         the median of whole processes
//	of-first   the median of its ratios to the first report, made right before
//	changes    in the period
//	MiB        the peak of its memory
//
// There are 100 accounts and 5, 50 and 500 batches; with LOBSTRAIL_BENCH=AxB, A
// accounts and B/100, B/10 and B batches.
func BenchmarkReportGrowth(b *testing.B) {
	h := benchHistory(b)
	if os.Getenv("LOBSTRAIL_BENCH") == "" && !testing.Short() {
		h.Accounts, h.Batches = 100, 500
	}
	stretch := max(h.Batches/100, 2)
	binary, dir := buildCommand(b), benchFolder(b)
	var first growing
	for i, times := range []int{1, 10, 100} {
		h.Batches = stretch * times
		g := growing{binary: binary, db: benchStoreIn(b, dir, h), args: periodOf(h, stretch-1)}
		if i == 0 {
			first = g
		}
		b.Run(fmt.Sprintf("history=%dx", times), func(b *testing.B) { g.benchmark(b, first) })
	}
	for _, times := range []int{1, 10, 100} {
		g := growing{binary: binary, db: benchStoreIn(b, dir, h), args: periodOf(h, (stretch-1)*times)}
		b.Run(fmt.Sprintf("period=%dx", times), func(b *testing.B) { g.benchmark(b, first) })
	}
}

// periodOf are the flags for the last batches.
func periodOf(h History, batches int) []string {
	end := h.End.Add(h.Every - time.Second)
	since := end.Add(-time.Duration(batches) * h.Every)
	return []string{"--since", since.Format(time.RFC3339), "--until", end.Format(time.RFC3339)}
}

// growing is a report of a period of a store.
type growing struct {
	binary, db string
	args       []string
}

func (g growing) run(b *testing.B, command ...string) launched {
	b.Helper()
	env := []string{"LOBSTRAIL_DB=" + g.db, "HOME=" + filepath.Dir(g.binary), "TZ=UTC"}
	return launch(b, env, append(append([]string{g.binary}, command...), g.args...)...)
}

func (g growing) benchmark(b *testing.B, first growing) {
	var took []time.Duration
	var ratios []float64
	var peak int64
	for i := range atLeast(b, 5) + 1 {
		baseline := first.run(b, "report")
		whole := g.run(b, "report")
		if i == 0 {
			continue // the first fills the caches
		}
		took = append(took, whole.Took)
		ratios = append(ratios, whole.Took.Seconds()/baseline.Took.Seconds())
		peak = max(peak, whole.Peak)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(took).Seconds()*1000, "ms")
	b.ReportMetric(median(ratios), "of-first")
	b.ReportMetric(float64(g.changes(b)), "changes")
	b.ReportMetric(float64(peak)/(1<<20), "MiB")
}

// changes counts those of the period.
func (g growing) changes(b *testing.B) (n int) {
	b.Helper()
	query := fmt.Sprintf("SELECT count(*) AS n FROM changes WHERE before > '%s' AND before <= '%s'",
		strings.TrimSuffix(g.args[1], "Z")+".000Z", strings.TrimSuffix(g.args[3], "Z")+".000Z")
	counting := growing{binary: g.binary, db: g.db}
	var rows []struct{ N int }
	if err := json.Unmarshal([]byte(counting.run(b, "sql", "--json", query).Head), &rows); err != nil || len(rows) != 1 {
		b.Fatal(rows, err)
	}
	return rows[0].N
}
