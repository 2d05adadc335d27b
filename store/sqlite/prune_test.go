package sqlite_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// untouched are all that a prune leaves as it is.
func untouched() []string {
	var evident []string
	for _, table := range evidentTables {
		if table != "response" && table != "entry" {
			evident = append(evident, table)
		}
	}
	queries := append(allOf(evident), allOf(derivedTables)...)
	for _, view := range []string{"account_current", "account_versions", "changes", "status_changes", "squid_assignments",
		"limit_usage", "runs", "health_periods", "squid_health"} {
		queries = append(queries, "SELECT '"+view+"', * FROM "+view)
	}
	return queries
}

// randomKeep is a random policy; one in three keeps nothing by choice.
func (c *chronicle) randomKeep() store.Keep {
	if c.rand.IntN(3) == 0 {
		return store.Keep{}
	}
	return store.Keep{
		Within: time.Duration(c.rand.IntN(2)*c.rand.IntN(24)) * time.Hour,
		Hourly: c.rand.IntN(6) - 1, Daily: c.rand.IntN(3), Weekly: c.rand.IntN(2),
	}
}

// TestPruneLeavesWhatFollowed prunes random histories by random policies, again and
// again. What is dropped is what the definition says, no more and no less. All that is
// derived stays as it is, also when it is derived again; so do the states of accounts at
// every moment, and the proofs of what is left; and the log only grows.
func TestPruneLeavesWhatFollowed(t *testing.T) {
	t.Parallel()
	dropped := int64(0)
	for _, seed := range seeds(8, 2) {
		path := memoryPath(t)
		c := newChronicle(t, path, seed)
		c.live(25 + c.rand.IntN(20))
		for round := range 3 {
			before, trees, states := dump(t, path, untouched()), treesOf(c), c.states()
			for _, w := range c.worlds {
				dropped += c.prune(w)
			}
			healthy(t, path)
			for range 2 {
				if after := dump(t, path, untouched()); after != before {
					t.Fatalf("seed %d, round %d: pruned, or derived again:\n%.3000s", seed, round, difference(before, after))
				}
				if err := c.store.Rederive(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
			if after := c.states(); after != states {
				t.Fatalf("seed %d, round %d: the states of accounts:\n%.3000s", seed, round, difference(states, after))
			}
			for name, tree := range trees {
				if err := c.store.Extends(t.Context(), name, tree); err != nil {
					t.Error(err)
				}
			}
			c.live(4)
			healthy(t, path)
			if t.Failed() {
				t.Fatalf("seed %d, round %d", seed, round)
			}
		}
	}
	t.Logf("%d responses dropped", dropped)
	if dropped == 0 {
		t.Error("nothing was dropped")
	}
}

// states are the states of the accounts at some moments, but for when they were seen.
func (c *chronicle) states() string {
	c.t.Helper()
	var text strings.Builder
	for _, w := range c.worlds {
		for n := range chronicled {
			for hours := range 12 {
				moment := start.Add(time.Duration(7*hours) * time.Hour)
				state, err := c.store.State(c.t.Context(), w.workspace, chronicleID(n), moment)
				state.At = time.Time{}
				fmt.Fprintf(&text, "%s %d %s: %v %t %s %s\n", w.workspace, n, moment.Format(time.DateTime), err, state.Gone, state.Latest,
					[][]byte{state.Known, state.List, state.Detail, state.Reduced, state.ResetsIn})
			}
		}
	}
	return text.String()
}

// TestResponsesAreDroppedByPruneAlone: no other statement deletes responses, or entries,
// or what they stand for.
func TestResponsesAreDroppedByPruneAlone(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	for hour := range 9 {
		take(t, s, start.Add(time.Duration(hour)*time.Hour), accountObject(``))
	}
	if done, err := s.Prune(t.Context(), "default", store.Keep{Hourly: 4}, nil); err != nil || done.Thinned != 4 || done.Responses != 4 {
		t.Fatalf("%+v, %v", done, err)
	}
	for _, statement := range []string{`DELETE FROM response`, `UPDATE response SET shown = 2`, `DELETE FROM entry`, `UPDATE entry SET text = NULL`} {
		_, err := second(t, path).Exec(statement)
		if err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// TestWhatFollowsWithoutANewVersionStays: of each history, so many responses are dropped,
// and nothing that follows from them is another.
func TestWhatFollowsWithoutANewVersionStays(t *testing.T) {
	for name, history := range map[string]struct {
		members []string // of the account, 45 seconds apart; "": a complete list lacks it
		dropped int64
	}{
		// The API says the same resets_in again and again, which moves no counter and still
		// means another end each time.
		"a reset that stands still": {[]string{`,"resets_in":null`, `,"resets_in":100`, `,"resets_in":100`, `,"resets_in":100`,
			`,"resets_in":100`, `,"resets_in":100`, `,"resets_in":100`, `,"resets_in":null`, `,"resets_in":null`, `,"resets_in":null`,
			`,"resets_in":100`, `,"resets_in":100`, `,"resets_in":100`}, 1},
		// Nothing else follows from the response that shows the account again.
		"the end of an absence": {[]string{` `, ` `, ` `, ` `, ``, ` `, ` `, ` `, ` `}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			path := memoryPath(t)
			s := openStore(t, path, at(start))
			for i, members := range history.members {
				when := start.Add(time.Duration(i) * 45 * time.Second)
				if members != "" {
					take(t, s, when, accountObject(members))
					continue
				}
				run, err := s.Begin(t.Context(), "default", store.ScopeAll)
				if err != nil {
					t.Fatal(err)
				}
				if err := run.Unlist(t.Context(), when, []string{ada}); err != nil {
					t.Fatal(err)
				}
				if err := run.Finish(t.Context(), store.Outcome{State: store.Incomplete}); err != nil {
					t.Fatal(err)
				}
			}
			before := dump(t, path, untouched())
			done, err := s.Prune(t.Context(), "default", store.Keep{}, nil)
			if err != nil || done.Responses != history.dropped {
				t.Errorf("%+v, %v; want %d dropped", done, err, history.dropped)
			}
			if err := s.Rederive(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if after := dump(t, path, untouched()); after != before {
				t.Error(difference(before, after))
			}
			healthy(t, path)
		})
	}
}
