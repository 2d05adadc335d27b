package engines_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/storetest/engines"
)

// BenchmarkUnchangedBatch stores batches of 10,000 accounts in which nothing has changed,
// in 100 transactions, each by a store that was opened anew, as a job does that is started
// every quarter of an hour. Set LOBSTRAIL_TEST_FSYNC=on for `.ci/postgres start` to have
// the server sync its log, as it does in production.
func BenchmarkUnchangedBatch(b *testing.B) {
	const accounts, page = 10_000, 100
	pages := make([][]store.Observed, accounts/page)
	for i := range accounts {
		raw := fmt.Appendf(nil, `{"id": "%032x", "username": "user%d", "type": "linkedin-sync", "status_code_info": "synchronized", "params": %q, "squids": []}`,
			i+1, i, fmt.Sprint("a setting ", i))
		pages[i/page] = append(pages[i/page], store.Observed{ID: fmt.Sprintf("%032x", i+1), Raw: raw})
	}
	for _, e := range engines.All {
		b.Run(e.Name, func(b *testing.B) {
			at := time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
			o := engines.Options{Now: func() time.Time { return at }, Rules: report.Rules()}
			place := e.Place(b, o.Rules)
			batch := func() {
				s, err := e.OpenWriter(b.Context(), place, o)
				if err != nil {
					b.Fatal(err)
				}
				run, err := s.Begin(b.Context(), "acme", store.ScopeAll)
				if err != nil {
					b.Fatal(err)
				}
				for i, accounts := range pages {
					at = at.Add(time.Second)
					_, err := run.Append(b.Context(), store.Response{
						Source: store.List, Page: i + 1, Sent: at.Add(-100 * time.Millisecond), Received: at, Requests: i + 1, Accounts: accounts,
					})
					if err != nil {
						b.Fatal(err)
					}
				}
				if err := run.Finish(b.Context(), store.Outcome{State: store.Complete, Requested: len(pages) * page, Requests: len(pages)}); err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
			batch()
			for b.Loop() {
				batch()
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/batch")
		})
	}
}
