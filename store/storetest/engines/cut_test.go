package engines_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
	"github.com/lobstrail/lobstrail/store/storetest/engines"
)

var long = flag.Bool("long", false, "cut, kill and restart at every moment there is (minutes)")

// onServer is the engine whose connections can break.
var onServer = engines.All[1]

// TestStatementsOfAPage: a page that brings nothing new costs a process that was just
// started four statements, beside BEGIN and COMMIT: they renew the lease, read where the
// accounts stand and what the page showed, and write.
func TestStatementsOfAPage(t *testing.T) {
	place := onServer.Place(t, report.Rules())
	at := scriptBegins
	o := engines.Options{Rules: report.Rules(), Now: func() time.Time { return at }}
	proxy := postgrestest.NewProxy(t, place)
	for process := range 2 {
		s := onServer.Writer(t, proxy.URL(), o)
		run, err := s.Begin(t.Context(), acme, store.ScopeAll)
		if err != nil {
			t.Fatal(err)
		}
		for page := 1; page <= 3; page++ {
			at = at.Add(time.Second)
			before := proxy.Statements()
			r := answer(0, page, 4, at, at)
			if _, err := run.Append(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if sent := proxy.Statements() - before; process > 0 && sent > 4+2 {
				t.Errorf("page %d cost %d statements with BEGIN and COMMIT", page, sent)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCutAnywhere cuts the connection once in a session, at each message in turn, before
// the server gets it and after it did it. However it was cut, the store is the one that an
// undisturbed session makes in a file: the roots of the logs are equal. Only opening it may
// fail, which makes the tables where there are none, and says that the connection was lost.
func TestCutAnywhere(t *testing.T) {
	postgrestest.Database(t) // skips the test where there is no server
	steps := session{engine: onServer, runs: 2, steps: 3}
	want := steps.undisturbed(t)
	emptyDatabase := func(t testing.TB, _ store.Rules) string { return postgrestest.Database(t) }
	for _, kind := range []struct {
		name  string
		place func(t testing.TB, rules store.Rules) string
		plan  func(p *postgrestest.Proxy, n int)
		far   int // from one cut to the next, where not all are tried
	}{
		{"before a message", onServer.Place, (*postgrestest.Proxy).CutBefore, 25},
		{"after a message", onServer.Place, (*postgrestest.Proxy).CutAfter, 25},
		{"before COMMIT", onServer.Place, (*postgrestest.Proxy).CutBeforeCommit, 4},
		{"after COMMIT", onServer.Place, (*postgrestest.Proxy).CutAfterCommit, 4},
		{"without tables, before a message", emptyDatabase, (*postgrestest.Proxy).CutBefore, 53},
		{"without tables, after a message", emptyDatabase, (*postgrestest.Proxy).CutAfter, 53},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			var n, far int
			switch {
			case *long:
				n, far = 1, 1
			case testing.Short():
				n, far = 3, 3*kind.far
			default: // each time others
				n, far = 1+rand.IntN(kind.far), 2*kind.far
			}
			cuts, failed := 0, 0
			for cut := true; cut && !t.Failed(); n += far {
				cut = false // and stays so if the test is skipped
				t.Run(fmt.Sprint(n), func(t *testing.T) {
					place := kind.place(t, report.Rules())
					proxy := postgrestest.NewProxy(t, place)
					kind.plan(proxy, n)
					if !steps.survives(t, place, proxy) {
						failed++
					}
					if cut = !proxy.Planned(); cut {
						cuts++
					}
					if got := sound(t, onServer, place); got != want {
						t.Errorf("the log has %d entries and root %v, that of an undisturbed session %d and %v", got.N, got.Hash, want.N, want.Hash)
					}
				})
			}
			t.Logf("%d cuts; %d sessions could not open the store", cuts, failed)
			if cuts < 2 {
				t.Error("nothing was tested")
			}
		})
	}
}

// survives plays the session through a proxy. If it could not open the store, it plays it
// again without the proxy, and returns false.
func (s session) survives(t *testing.T, place string, proxy *postgrestest.Proxy) bool {
	t.Helper()
	s.place = proxy.URL()
	err := s.play(t.Context())
	if err == nil {
		return true
	}
	if s.did != "open" || !errors.Is(err, store.ErrUnreachable) {
		t.Fatalf("%s: %v", s.did, err)
	}
	s.place = place
	if err := s.play(t.Context()); err != nil {
		t.Fatal(err)
	}
	return false
}
