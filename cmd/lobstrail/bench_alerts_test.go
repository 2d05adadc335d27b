//go:build unix

package main_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// BenchmarkAlerts takes batches of 10,000 accounts (500 with -short), and evaluates the alerts after each. A
// batch is what a job does, with HTTP from a fake API in another process, and nothing changes
// (fetched); or it is only stored, which is a small part of that, and a hundredth of the
// accounts changed before, so that there are alerts that hold: nothing changes (unchanged),
// or the counters of every account move (moved). It prints the medians of both, and of their
// ratio:
//
//	batch-ms, alerts-ms   a batch, and the evaluation after it
//	of-batch              the ratio of the two, batch by batch
func BenchmarkAlerts(b *testing.B) {
	b.Run("fetched", benchmarkFetched)
	b.Run("unchanged", func(b *testing.B) { benchmarkAlerts(b, 0) })
	b.Run("moved", func(b *testing.B) { benchmarkAlerts(b, 1) })
}

func alertAccounts() int {
	if testing.Short() {
		return 500
	}
	return 10_000
}

func benchmarkAlerts(b *testing.B, moved float64) {
	accounts := alertAccounts()
	now := time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	fleet := NewFleet(accounts, accounts/10, now, 1)
	s, _, err := sqlite.OpenWriter(b.Context(), filepath.Join(b.TempDir(), "alerts.db"), sqlite.Options{Now: func() time.Time { return now }, Rules: report.Rules()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	rules := alert.DefaultRules()
	rules.Every, rules.Sinks = 15*time.Minute, []alert.Subscription{{Sink: "ops"}}
	batch := func() time.Duration {
		now = now.Add(15 * time.Minute)
		began := time.Now()
		if _, err := fleet.Snapshot(b.Context(), s, now); err != nil {
			b.Fatal(err)
		}
		now = now.Add(time.Minute) // it took some time
		return time.Since(began)
	}
	evaluate := func() time.Duration {
		began := time.Now()
		if err := alert.Update(b.Context(), s, "default", alert.Options{Rules: rules, Now: func() time.Time { return now }}); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	for range 3 {
		batch()
		evaluate()
		fleet.Change(0.01, now)
	}
	batch()
	evaluate()
	reportAlerts(b, func() time.Duration {
		fleet.Move(moved, now)
		return batch()
	}, evaluate)
}

// benchmarkFetched has a clock that moves by itself: the one of the machine.
func benchmarkFetched(b *testing.B) {
	accounts := alertAccounts()
	client, err := fetcher.New(fetcher.Config{Token: lobstrtest.DefaultToken, BaseURL: serveAccounts(b, accounts), UserAgent: "bench/1"})
	if err != nil {
		b.Fatal(err)
	}
	s, _, err := sqlite.OpenWriter(b.Context(), filepath.Join(b.TempDir(), "alerts.db"), sqlite.Options{Rules: report.Rules()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	rules := alert.DefaultRules()
	rules.Every, rules.Sinks = 15*time.Minute, []alert.Subscription{{Sink: "ops"}}
	batch := func() time.Duration {
		began := time.Now()
		run, err := fetcher.Job{Client: client, Store: s, Workspace: "default"}.Snapshot(b.Context())
		if err != nil || run.Captured() != accounts {
			b.Fatal(run.Captured(), err)
		}
		return time.Since(began)
	}
	evaluate := func() time.Duration {
		began := time.Now()
		if err := alert.Update(b.Context(), s, "default", alert.Options{Rules: rules, Now: time.Now}); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	for range 3 {
		batch()
		evaluate()
	}
	reportAlerts(b, batch, evaluate)
}

// reportAlerts measures batches and evaluations in turn.
func reportAlerts(b *testing.B, batch, evaluate func() time.Duration) {
	var took, tookAlerts []time.Duration
	var ratios []float64
	for range atLeast(b, 5) {
		took, tookAlerts = append(took, batch()), append(tookAlerts, evaluate())
		ratios = append(ratios, tookAlerts[len(ratios)].Seconds()/took[len(ratios)].Seconds())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(took).Microseconds())/1000, "batch-ms")
	b.ReportMetric(float64(median(tookAlerts).Microseconds())/1000, "alerts-ms")
	b.ReportMetric(median(ratios), "of-batch")
}
