package sqlite_test

import (
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// TestSkewOfARun: it is that of the answer where it was most, without what the
// answer took, and without what its instant was moved by to keep the order.
func TestSkewOfARun(t *testing.T) {
	const second = time.Second
	type answer struct{ sent, received, server time.Time }
	at := func(d time.Duration) time.Time { return start.Add(d) }
	for name, test := range map[string]struct {
		answers    []answer
		known      bool
		skew, held time.Duration
	}{
		"no answer":                  {},
		"no Date":                    {answers: []answer{{at(0), at(second), time.Time{}}}},
		"the clocks agree":           {[]answer{{at(0), at(second), at(0)}}, true, 0, 0},
		"a long way":                 {[]answer{{at(0), at(61 * second), at(30 * second)}}, true, 0, 0},
		"an answer that was held up": {[]answer{{at(0), at(5 * second), at(0)}}, true, 0, 0},
		"as far as Date tells":       {[]answer{{at(0), at(second), at(-second)}}, true, 0, 0},
		"behind":                     {[]answer{{at(0), at(second), at(time.Hour)}}, true, -time.Hour, 0},
		"the worst of several":       {[]answer{{at(0), at(second), at(0)}, {at(second), at(2 * second), at(-time.Minute)}}, true, time.Minute + second, 0},
		"it went back":               {[]answer{{at(0), at(second), at(0)}, {at(-time.Hour), at(second - time.Hour), at(0)}}, true, -time.Hour, time.Hour + time.Millisecond},
		"a server of the year 9999": {
			[]answer{{at(0), at(second), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}}, true,
			-time.Duration(1<<63-1) / 1e6 * 1e6, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, memoryPath(t), func() time.Time { return start })
			run, err := s.Begin(t.Context(), "default", store.ScopeAll)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range test.answers {
				r := store.Response{Source: store.Detail, Sent: a.sent, Received: a.received, ServerTime: a.server, Accounts: []store.Observed{accountObject(``)}}
				if _, err := run.Append(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			one, err := s.Run(t.Context(), "default", run.ID())
			if err != nil {
				t.Fatal(err)
			}
			if (one.Skew != nil) != test.known || test.known && *one.Skew != test.skew || one.Held != test.held {
				t.Errorf("skew %v, held %s; want %s (known: %t) and %s", one.Skew, one.Held, test.skew, test.known, test.held)
			}
		})
	}
}
