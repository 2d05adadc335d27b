// Package storetest holds the laws that every store must keep, whatever it is
// built on, as functions that are given a way to open an empty one:
//
//	storetest.Run(t, func(t testing.TB, now func() time.Time) store.Store { ... })
//
// The store must be open for writing, with the rules of package report, and be
// closed when the test ends.
package storetest

import (
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Opener opens a new, empty store for writing, whose clock is now, and closes it
// when the test ends.
type Opener func(t testing.TB, now func() time.Time) store.Store

// Run checks every law, each as a subtest of its name.
func Run(t *testing.T, open Opener) {
	laws := []struct {
		name string
		law  func(*testing.T, Opener)
	}{
		{"documents come back as they were received", Fidelity},
		{"what is no account is a failure and the rest is kept", Refusal},
		{"volatile values make no change", Volatile},
		{"volatile values of another shape are no ghosts", VolatileShapes},
		{"readers agree with a plain model at every moment", Readers},
		{"health periods and squid health agree with a plain model", Periods},
		{"the current document has the current counters", CurrentDocuments},
		{"what is derived can be derived again", Derived},
		{"resets_in counts as last seen", ResetsIn},
		{"the latest word counts", LatestWord},
		{"reduced accounts conclude nothing", Reduced},
		{"names are those of the moment", Naming},
		{"squids have the names of the account's own document", OwnNames},
		{"a field that is no longer sent has not changed", NoLongerSent},
		{"a change begins when the old value was last told of", LastTold},
		{"squids that are told of again", SquidsComeBack},
		{"there and back is two changes", ThereAndBack},
		{"an unchanged snapshot is recorded", Unchanged},
		{"gone, still gone and returned", Presence},
		{"unlisted until a list has it again", Unlisted},
		{"when an account was last seen", LongUnseen},
		{"a list that repeats itself counts once", Repeated},
		{"instants never run backwards", Backwards},
		{"workspaces never mix", Workspaces},
		{"a response is stored whole or not at all", Whole},
		{"a finished run is over", Finished},
		{"a run ends in a state that can end it", Endings},
		{"what one run noticed", OneRun},
		{"failures are kept with their run", Failures},
		{"complete runs over all accounts are told apart", CompleteRuns},
		{"totals are sums, and only grow", Sums},
		{"a writer can read while it reads", Nested},
		{"alerts are what was saved", Alerting},
		{"a copy is its source", Copies},
	}
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) { l.law(t, open) })
	}
}
