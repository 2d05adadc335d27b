//go:build unix

package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// BenchmarkReads times whole processes of commands that read, and of queries of
// the documented views with the filters that people use, on a store of 1,000
// accounts with 50 snapshots each, one in two hundred changed, or of the size that
// LOBSTRAIL_BENCH says; and then on a copy of it on PostgreSQL, if there is a server for
// tests (see .ci/postgres). It prints, for each:
//
//	ms            the median
//	of-bar        what that is of the bar below: more than 1 misses it
//	cpu-ms        the median of the time of processors, without that of the server
//	of-version    the median of its ratios to "lobstrail version", run right before
//	MiB           the peak of its memory, of which 15 or so are the launcher's
//
// A large store is kept for the next time in the folder LOBSTRAIL_BENCH_DIR:
//
//	go test ./cmd/lobstrail -run '^$' -bench Reads
//	LOBSTRAIL_BENCH=10000x1000 LOBSTRAIL_BENCH_DIR=/var/tmp/bench go test ./cmd/lobstrail -run '^$' -bench Reads -timeout 1h
//
// The bars are for 10000x1000 (ten million snapshots, 100,000 changes) on a machine with
// nothing else to do: 150 ms with SQLite; 300 ms with PostgreSQL, and 500 for a report.
func BenchmarkReads(b *testing.B) {
	h, db := benchStore(b)
	binary := buildCommand(b)
	b.Run("sqlite", func(b *testing.B) {
		benchmarkReads(b, h, func(string) time.Duration { return 150 * time.Millisecond }, binary, db)
	})
	b.Run("postgres", func(b *testing.B) {
		if testing.Short() {
			b.Skip("the commands are the same, and tests copy a store")
		}
		place := postgrestest.Database(b)
		launch(b, []string{"HOME=" + filepath.Dir(binary), "TZ=UTC"}, binary, "copy", db, place, "--quiet")
		benchmarkReads(b, h, func(command string) time.Duration {
			if strings.HasPrefix(command, "report") {
				return 500 * time.Millisecond
			}
			return 300 * time.Millisecond
		}, binary, place)
	})
}

// benchmarkReads times all commands and queries, each of which has a bar, on one store.
func benchmarkReads(b *testing.B, h History, bar func(command string) time.Duration, binary, db string) {
	for _, command := range readCommands(h) {
		b.Run(benchName(command), func(b *testing.B) {
			benchmarkProcess(b, bar(command), binary, db, strings.Fields(command)...)
		})
	}
	const layout = "2006-01-02T15:04:05.000Z"
	values := strings.NewReplacer("ACCOUNT", AccountID(h.Accounts/3), "SQUID", SquidID(h.Squids/3),
		"DAY", h.End.Add(-24*time.Hour).Format(layout), "HOUR", h.End.Add(-time.Hour).Format(layout))
	for _, view := range viewFilters {
		query := "select * from " + values.Replace(view)
		b.Run("sql_"+benchName(view), func(b *testing.B) {
			benchmarkProcess(b, bar("sql"), binary, db, "sql", "--format", "csv", query)
		})
	}
}

// readCommands are the commands that are timed.
func readCommands(h History) []string {
	account, squid := AccountID(h.Accounts/3), SquidID(h.Squids/3)
	at := func(t time.Time) string { return t.Format(time.RFC3339) }
	middle := at(h.Begin().Add(h.End.Sub(h.Begin()) / 2))
	day, week := at(h.End.Add(-24*time.Hour)), at(h.End.Add(-7*24*time.Hour))
	end := at(h.End.Add(time.Hour))
	return []string{
		"version",
		"show " + account + " --json",
		"show " + account + " --at " + middle + " --json",
		"show scraper.00042 --json",
		"show per.00042 --json",
		"changes --account " + account,
		"changes --since " + day,
		"changes --since " + day + " --kind status --json",
		"changes --squid " + squid,
		"squids " + squid + " --history --json",
		"squids " + squid,
		"squids --json",
		"accounts --json",
		"accounts --at " + middle + " --json",
		"accounts --health expired",
		"accounts --squid " + squid,
		"diff " + day,
		"diff " + day + " --account " + account,
		"report --since " + week + " --until " + end,
		"report --json --since " + week + " --until " + end,
		"report status --since " + week + " --until " + end,
		"report status --json --since " + week + " --until " + end,
		"report squids --since " + week + " --until " + end,
		"report limits --since " + week + " --until " + end,
		"status --json",
		"metrics",
		"alerts --json",
		"runs",
		fmt.Sprintf("runs %d --json", h.Batches/2),
	}
}

// viewFilters are the views that are timed, with a filter each.
var viewFilters = []string{
	"account_current where account = 'ACCOUNT'",
	"account_current where health = 'expired'",
	"account_versions where account = 'ACCOUNT'",
	"account_versions where valid_to is null",
	"account_versions where valid_from >= 'DAY'",
	"changes where account = 'ACCOUNT'",
	"changes where before > 'DAY'",
	"status_changes where account = 'ACCOUNT'",
	"status_changes where before > 'DAY'",
	"squid_assignments where squid = 'SQUID'",
	"squid_assignments where account = 'ACCOUNT'",
	"squid_assignments where to_before is null",
	"limit_usage where account = 'ACCOUNT'",
	"limit_usage where seen_at > 'DAY'",
	"snapshots where account = 'ACCOUNT'",
	"snapshots where account = 'ACCOUNT' and taken_at > 'DAY'",
	"snapshots where taken_at > 'HOUR'",
	"snapshots where run = 3",
	"account_versions where valid_to >= 'DAY'",
	"changes where after > 'DAY'",
	"changes where account = 'ACCOUNT' and before > 'DAY'",
	"status_changes where after > 'DAY'",
	"squid_assignments where from_before > 'DAY'",
	"squid_assignments where to_before > 'DAY'",
	"snapshots where sent_at > 'HOUR'",
	"health_periods where account = 'ACCOUNT'",
	"health_periods where to_before is null",
	"health_periods where to_before > 'DAY'",
	"squid_health where squid = 'SQUID'",
	"runs where started_at > 'DAY'",
	"failures where at > 'DAY'",
}

func benchName(args string) string {
	fields := strings.Fields(args)
	for i, field := range fields {
		if len(field) == 32 || strings.Contains(field, "T") && len(field) == 20 {
			fields[i] = map[bool]string{true: "ID", false: "TIME"}[len(field) == 32]
		}
	}
	return strings.Join(fields, "_")
}

// benchmarkProcess times a command and, before each time, the version command.
func benchmarkProcess(b *testing.B, bar time.Duration, binary, db string, args ...string) {
	env := []string{"LOBSTRAIL_DB=" + db, "HOME=" + filepath.Dir(binary), "TZ=UTC"}
	var took, used []time.Duration
	var ratios []float64
	var peak int64
	for i := range atLeast(b, 5) + 1 {
		baseline := launch(b, env, binary, "version")
		whole := launch(b, env, append([]string{binary}, args...)...)
		if i == 0 {
			continue // the first fills the caches
		}
		took, used = append(took, whole.Took), append(used, whole.CPU)
		ratios = append(ratios, whole.Took.Seconds()/baseline.Took.Seconds())
		peak = max(peak, whole.Peak)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(took).Seconds()*1000, "ms")
	b.ReportMetric(median(took).Seconds()/bar.Seconds(), "of-bar")
	b.ReportMetric(median(used).Seconds()*1000, "cpu-ms")
	b.ReportMetric(median(ratios), "of-version")
	b.ReportMetric(float64(peak)/(1<<20), "MiB")
}

// benchStore makes the store that is read.
func benchStore(b *testing.B) (h History, db string) {
	b.Helper()
	h, err := FromEnv()
	if err != nil {
		b.Fatal(err)
	}
	return h, benchStoreIn(b, benchFolder(b), h)
}

// benchFolder is where stores are kept, for the next time if that is wanted.
func benchFolder(b *testing.B) string {
	b.Helper()
	if dir := os.Getenv("LOBSTRAIL_BENCH_DIR"); dir != "" {
		return dir
	}
	return b.TempDir()
}

// benchStoreIn makes the store of a history, or finds the one that was kept.
func benchStoreIn(b *testing.B, dir string, h History) (db string) {
	b.Helper()
	start := time.Now()
	db, err := h.In(b.Context(), dir, report.Rules(), func(done int) {
		if took := time.Since(start); done == h.Batches || done%100 == 0 {
			b.Logf("%d batches of %d in %s: %.0f snapshots/s", done, h.Batches, took.Round(time.Second),
				float64(done*h.Accounts)/took.Seconds())
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	// A reader that meets a file without a journal takes another way in.
	if _, err := os.Stat(db + "-wal"); err != nil {
		b.Fatal(err)
	}
	return db
}
