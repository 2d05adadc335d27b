package verify

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lobstrail/lobstrail/store/fold"
)

// compareStates compares where the accounts stand with what is stored of that.
func (c *check) compareStates(known *fold.Workspace) error {
	byNumber := make(map[int64]*fold.Account, len(known.Accounts))
	for _, a := range known.Accounts {
		byNumber[a.Number] = a
	}
	for row, err := range c.rows.States {
		if err != nil {
			return err
		}
		want := byNumber[row.Number]
		delete(byNumber, row.Number)
		switch {
		case want == nil:
			c.find("state", row.Number, "it is of an account that was never shown")
		case len(want.Salt) > 0:
			c.compareState(row, want)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(byNumber)) {
		c.find("state", number, "it is missing")
	}
	return nil
}

// compareState compares the rows about where one account stands. Digests of what was
// received are not evidence; versions and assignments are compared as such.
func (c *check) compareState(got, want *fold.Account) {
	find := func(table, row string, got, want []field) {
		if problem := difference(got, want); problem != "" {
			c.find(table, row, "it is not as it follows from the evidence: %s", problem)
		}
	}
	find("state", fmt.Sprint(want.Number), stateOf(got), stateOf(want))
	for e := range fold.Endpoint(fold.Endpoints) {
		row := fmt.Sprintf("account %d, endpoint %d", want.Number, e+1)
		a, b := &got.Said[e], &want.Said[e]
		find("said", row, []field{{"leaf", a.Leaf.String()}, {"document_at", a.DocumentAt}}, []field{{"leaf", b.Leaf.String()}, {"document_at", b.DocumentAt}})
		find("body", row, []field{{"body", a.Body}}, []field{{"body", b.Body}})
	}
	for _, pointer := range pointersOf(got, want) {
		a, b := got.Counters.Find(pointer), want.Counters.Find(pointer)
		find("counter", fmt.Sprintf("account %d, %s", want.Number, pointer), []field{{"body", a.Body}, {"max", a.Max}}, []field{{"body", b.Body}, {"max", b.Max}})
	}
	if len(want.Counters) > 0 {
		find("counter", fmt.Sprintf("account %d", want.Number), []field{{"at", got.CountersAt}}, []field{{"at", want.CountersAt}})
	}
}

// pointersOf are those of the counters that one of the accounts has.
func pointersOf(a, b *fold.Account) (all []string) {
	for _, c := range slices.Concat(a.Counters, b.Counters) {
		all = append(all, c.Pointer)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// stateOf are the columns of table state.
func stateOf(a *fold.Account) []field {
	all := []field{
		{"latest", int(a.Latest) + 1}, {"gone", a.Gone}, {"health", string(a.Health)}, {"health_after", a.HealthAfter}, {"health_before", a.HealthBefore},
		{"locked_until", a.LockedUntil}, {"absent_since", a.AbsentSince}, {"known", a.Known}, {"outdated", a.Outdated},
	}
	for _, name := range slices.Sorted(maps.Keys(a.Dropped)) {
		all = append(all, field{"dropped", fmt.Sprintf("%s, %s, %d", name, a.Dropped[name].Value, a.Dropped[name].Sent)})
	}
	return all
}
