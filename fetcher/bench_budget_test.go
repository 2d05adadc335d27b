package fetcher

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkBudget lets batches use up budgets of so many requests a minute, lists
// page by page and details one by one, at servers that count and tell in different
// ways, in the time of a bubble. It prints, of the worst of these servers:
//
//	of-budget  the share of what it allowed that was used; 0.95 is the bar
//	refused    how many requests it answered with 429; none is the bar
func BenchmarkBudget(b *testing.B) {
	for _, limit := range []int{30, 120, 600, 3000} {
		b.Run(fmt.Sprintf("lists/%d_a_minute", limit), func(b *testing.B) {
			benchmarkBudget(b, limit, 1, func(t *testing.T, c *Client, _ []string) {
				if _, err := c.SnapshotAll(t.Context(), newMemory(t), nil); err != nil {
					t.Error(err)
				}
			})
		})
		b.Run(fmt.Sprintf("details/%d_a_minute", limit), func(b *testing.B) {
			benchmarkBudget(b, limit, DefaultConcurrency, func(t *testing.T, c *Client, ids []string) {
				if _, err := c.SnapshotNamed(t.Context(), newMemory(t), slices.Values(ids), nil); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func benchmarkBudget(b *testing.B, limit, concurrent int, batch func(t *testing.T, c *Client, ids []string)) {
	least, refused, windows := 1.0, 0, max(2, 300/limit)
	ids := numbers(0, limit*windows+1)
	asTest(b, func(t *testing.T) {
		for name, server := range servers(concurrent) {
			server.limit, server.answers = limit, &vendor{ids: ids, limit: 1}
			t.Run(name, func(t *testing.T) {
				inBubble(t, server.ServeHTTP, Config{}, func(t *testing.T, c *Client) {
					time.Sleep(123456789 * time.Nanosecond) // not on a whole second
					start := time.Now()
					batch(t, c, ids)
					least = min(least, float64(time.Duration(windows)*time.Minute)/float64(time.Since(start)))
					refused += server.refused
					if server.served != len(ids) {
						t.Errorf("%d requests were answered, want %d", server.served, len(ids))
					}
				})
			})
		}
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(least, "of-budget")
	b.ReportMetric(float64(refused), "refused")
}

// asTest runs fn as a test within a benchmark: only tests are given bubbles.
func asTest(b *testing.B, fn func(t *testing.T)) {
	b.Helper()
	all := func(string, string) (bool, error) { return true, nil }
	if !testing.RunTests(all, []testing.InternalTest{{Name: b.Name(), F: fn}}) {
		b.Fail()
	}
}
