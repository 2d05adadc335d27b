package sqlite_test

import (
	"fmt"
	"slices"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/retain"
)

// prune prunes a workspace, and compares what it does with the definition, applied to
// what the store was given. It returns how many responses were dropped.
func (c *chronicle) prune(w *world) int64 {
	c.t.Helper()
	keep := c.randomKeep()
	responses := c.responses(w)
	want := store.Pruned{Kept: map[store.KeepReason]int64{}}
	var left []told
	for i, reason := range retain.Reasons(responses, keep) {
		want.Snapshots += responses[i].Shown
		if reason != "" {
			want.Kept[reason] += responses[i].Shown
			left = append(left, w.told[i])
			continue
		}
		want.Thinned += responses[i].Shown
		want.Responses++
	}
	proofs := c.proofs(w.workspace, 0, nil)
	tree, err := c.store.Tree(c.t.Context(), w.workspace)
	c.must(err)
	planned, err := c.store.PlanPrune(c.t.Context(), w.workspace, keep)
	c.must(err)
	done, err := c.store.Prune(c.t.Context(), w.workspace, keep, nil)
	c.must(err)
	done.BytesBefore, done.BytesAfter = 0, 0
	for what, got := range map[string]store.Pruned{"planned": planned, "done": done} {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			c.t.Errorf("%s, %+v: %s %+v, want %+v", w.workspace, keep, what, got, want)
		}
	}
	w.told = left
	if n := len(c.instants(w, "true")); n != len(left) {
		c.t.Errorf("%s: %d responses are left, want %d", w.workspace, n, len(left))
	}
	for snapshot, proof := range c.proofs(w.workspace, tree.N, nil) {
		if before, made := proofs[snapshot]; made && before != proof {
			c.t.Errorf("%s: the proof of %s is another", w.workspace, snapshot)
		}
	}
	return want.Responses
}

// instants are those of the responses of a workspace for which the condition holds.
func (c *chronicle) instants(w *world, condition string) (all []int64) {
	c.t.Helper()
	for _, line := range rowsOf(c.t, c.store.Path(), fmt.Sprintf(`
		SELECT r.at FROM response r JOIN workspace w ON w.id = r.ws WHERE w.name = '%s' AND %s ORDER BY r.at`, w.workspace, condition)) {
		var at int64
		if _, err := fmt.Sscan(line, &at); err != nil {
			c.t.Fatal(err)
		}
		all = append(all, at)
	}
	return all
}

// responses are what the decision needs to know, from what the store was given: it is
// news when something is noticed of an account, or accounts enter or leave the page; and
// windows rest on the last response of a page before news, and on the last one of each
// page that showed an account before something was noticed of it.
func (c *chronicle) responses(w *world) []retain.Response {
	c.t.Helper()
	instants := c.instants(w, "true")
	if len(instants) != len(w.told) {
		c.t.Fatalf("%s: %d responses are stored of %d", w.workspace, len(instants), len(w.told))
	}
	all, slots := make([]retain.Response, len(instants)), map[string]int{}
	last := map[string]int{} // of each page, and of each account on each page
	noticed, moved := c.noticed(w, "version", "status_step"), c.noticed(w, "fact", "usage", "absence")
	news := c.instants(w, "r.news > 0")
	for i, at := range instants {
		r := w.told[i]
		if _, known := slots[r.slot]; !known {
			slots[r.slot] = len(slots)
		}
		all[i] = retain.Response{At: at, Slot: slots[r.slot], Shown: int64(len(r.shown))}
		before, there := last[r.slot]
		all[i].News = len(noticed[at])+len(moved[at]) > 0 || !there || w.told[before].shapes != r.shapes
		if r.locked { // it may end otherwise than was known, which no table tells
			all[i].News = all[i].News || slices.Contains(news, at)
		}
		if all[i].News && there {
			all[before].Window = true
		}
		for account := range noticed[at] {
			for slot := range slots {
				if j, shown := last[slot+" "+account]; shown {
					all[j].Window = true
				}
			}
		}
		last[r.slot] = i
		for _, id := range r.shown {
			last[r.slot+" "+id] = i
		}
	}
	return all
}

// noticed are the accounts of which tables have rows, by instant.
func (c *chronicle) noticed(w *world, tables ...string) map[int64]map[string]bool {
	c.t.Helper()
	all := map[int64]map[string]bool{}
	for _, table := range tables {
		column := map[string]string{"absence": "ended"}[table]
		if column == "" {
			column = "at"
		}
		for _, line := range rowsOf(c.t, c.store.Path(), fmt.Sprintf(`
			SELECT DISTINCT x.%s || ' ' || a.hash FROM %s x JOIN account a ON a.ws = x.ws AND a.id = x.account JOIN workspace w ON w.id = x.ws
			WHERE w.name = '%s' AND x.%s IS NOT NULL`, column, table, w.workspace, column)) {
			var at int64
			var account string
			if _, err := fmt.Sscan(line, &at, &account); err != nil {
				c.t.Fatal(err)
			}
			if all[at] == nil {
				all[at] = map[string]bool{}
			}
			all[at][account] = true
		}
	}
	return all
}
