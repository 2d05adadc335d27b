package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// periodQueries are the questions that the views of periods are for, each with its
// answer from snapshots, which is the baseline.
var periodQueries = []struct{ name, query, baseline string }{
	{
		"resync",
		`SELECT type, avg((min_seconds + max_seconds) / 2) FROM health_periods
		WHERE health = 'expired' AND to_before IS NOT NULL GROUP BY type`,
		`WITH seen AS (
			SELECT s.account, s.taken_at, v.type, v.health, lag(v.health) OVER (PARTITION BY s.account ORDER BY s.taken_at) AS was
			FROM snapshots s JOIN account_versions v ON v.account = s.account AND v.version = s.version
		), steps AS (
			SELECT *, lead(taken_at) OVER (PARTITION BY account ORDER BY taken_at) AS until FROM seen WHERE was IS NOT health
		)
		SELECT type, avg(julianday(until) - julianday(taken_at)) * 86400 FROM steps WHERE health = 'expired' AND until IS NOT NULL GROUP BY type`,
	},
	{
		"outages",
		`SELECT squid_name, from_before, to_before, min_seconds, max_seconds FROM squid_health
		WHERE healthy_accounts = 0 AND accounts > 0 ORDER BY max_seconds DESC`,
		`WITH seen AS (
			SELECT a.squid, s.taken_at, sum(v.health = 'healthy') AS healthy
			FROM snapshots s
			JOIN account_versions v ON v.account = s.account AND v.version = s.version
			JOIN squid_assignments a ON a.account = s.account AND a.from_before <= s.taken_at
				AND (a.to_before IS NULL OR a.to_before > s.taken_at)
			GROUP BY a.squid, s.taken_at
		)
		SELECT squid, min(taken_at), max(taken_at) FROM (
			SELECT *, sum(healthy > 0) OVER (PARTITION BY squid ORDER BY taken_at) AS outage FROM seen
		) WHERE healthy = 0 GROUP BY squid, outage`,
	},
}

// BenchmarkPeriods asks how long things lasted of a store of 60 accounts with 14,000
// snapshots each (1,400 with -short) whose health changed every hundred snapshots or so.
// It prints the median of ms, and of baseline-ms: the time that the same question to the view
// snapshots takes, once and only without -short.
//
//	go test ./store/sqlite -run '^$' -bench Periods -benchtime 5x
func BenchmarkPeriods(b *testing.B) {
	s := periodStore(b, fewer(14_000, 1_400))
	for _, q := range periodQueries {
		b.Run(q.name, func(b *testing.B) {
			var took []float64
			for range b.N {
				took = append(took, timeQuery(b, s, q.query))
			}
			slices.Sort(took)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(took[len(took)/2], "ms")
			if !testing.Short() {
				b.ReportMetric(timeQuery(b, s, q.baseline), "baseline-ms")
			}
		})
	}
}

// timeQuery is how many milliseconds a query takes.
func timeQuery(b *testing.B, s *sqlite.Store, query string) float64 {
	b.Helper()
	begun := time.Now()
	answer, err := rows(s, query)
	if err != nil || answer == "" {
		b.Fatalf("%q, %v", answer, err)
	}
	return time.Since(begun).Seconds() * 1000
}

// periodStore is a store of 60 accounts that four platforms and twenty squids share.
func periodStore(b *testing.B, snapshots int) *sqlite.Store {
	b.Helper()
	s := openStore(b, filepath.Join(b.TempDir(), "store.db"), at(start))
	run, err := s.Begin(b.Context(), "default", store.ScopeAll)
	if err != nil {
		b.Fatal(err)
	}
	random, status := rand.New(rand.NewPCG(1, 2)), make([]int, 60)
	for i := range snapshots {
		when := start.Add(time.Duration(i) * 15 * time.Minute)
		r := store.Response{Source: store.Import, Sent: when, Received: when.Add(time.Second)}
		for n := range status {
			if random.IntN(100) == 0 {
				status[n] = (status[n] + 1) % 2
			}
			id := fmt.Sprintf("%032x", n+1)
			account := store.Observed{ID: id, Raw: fmt.Appendf(nil,
				`{"id":%q,"username":"u%d","type":"type-%d","status":%q,"squids":[{"hash_value":"%032x","name":"S%d"}]}`,
				id, n, n%4, []string{"200", "401"}[status[n]], n%20, n%20)}
			r.Accounts = append(r.Accounts, account)
		}
		if _, err := run.Append(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	if err := run.Finish(b.Context(), store.Outcome{State: store.Complete}); err != nil {
		b.Fatal(err)
	}
	return s
}
