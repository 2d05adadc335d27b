package impact

import (
	"cmp"
	"slices"

	"github.com/lobstrail/lobstrail/store"
)

// finish puts the answer together.
func (w *work) finish() {
	w.out.Accounts, w.out.Squids = []Account{}, []SquidImpact{}
	for _, id := range w.Named {
		facts := w.now(id)
		facts.Username = cmp.Or(facts.Username, w.accounts[id].Username)
		facts.Type = cmp.Or(facts.Type, w.accounts[id].Type)
		w.out.Accounts = append(w.out.Accounts, newAccount(id, facts))
	}
	slices.SortStableFunc(w.rows, compareRows)
	for _, row := range w.rows {
		w.out.Squids = append(w.out.Squids, *row)
		if !row.Breaks {
			continue
		}
		w.out.Breaking++
		if w.out.NextLaunchAt.IsZero() {
			w.out.NextLaunchAt = row.NextLaunchAt // the first launch stands first
		}
	}
	w.out.Breaks = w.out.Breaking > 0
	w.out.Replacements, w.out.IdleAccounts = w.replacements(), w.idle()
	slices.Sort(w.out.Differences)
	w.out.Differences = slices.Compact(w.out.Differences)
	w.out.Complete = len(w.out.Problems) == 0
}

// compareRows puts first what breaks, then what starts next; what does not start stands
// last.
func compareRows(a, b *SquidImpact) int {
	if a.Breaks != b.Breaks {
		return map[bool]int{true: -1, false: 1}[a.Breaks]
	}
	if a.NextLaunchAt.IsZero() != b.NextLaunchAt.IsZero() {
		return map[bool]int{true: -1, false: 1}[b.NextLaunchAt.IsZero()]
	}
	return cmp.Or(a.NextLaunchAt.Compare(b.NextLaunchAt.Time), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}

// replacements are the healthy accounts of the types that the named accounts have, or
// that the squids which use them need. Those that all these squids use already are left
// out.
func (w *work) replacements() []Replacement {
	found, needed := []Replacement{}, map[string]bool{}
	for _, a := range w.out.Accounts {
		needed[string(a.Type)] = true
	}
	for _, row := range w.rows {
		if len(row.Uses) > 0 {
			needed[string(row.AccountType)] = true
		}
	}
	delete(needed, "")
	for _, a := range w.Input.Accounts {
		if needed[a.Facts.Type] && a.Facts.Health == store.Healthy && !w.doubtful[a.ID] && !slices.Contains(w.Named, a.ID) && !w.servesAll(a.ID) {
			found = append(found, Replacement{newAccount(a.ID, a.Facts), len(a.Facts.Squids)})
		}
	}
	slices.SortFunc(found, func(a, b Replacement) int {
		return cmp.Or(cmp.Compare(a.Squids, b.Squids), cmp.Compare(a.Username, b.Username), cmp.Compare(a.ID, b.ID))
	})
	return found
}

// servesAll reports whether all squids that use a named account use this one too.
func (w *work) servesAll(account string) bool {
	squids := 0
	for _, row := range w.rows {
		if len(row.Uses) == 0 {
			continue
		}
		if squids++; !slices.ContainsFunc(row.Others, func(o Other) bool { return o.ID == account }) {
			return false
		}
	}
	return squids > 0
}

// idle are the accounts that only squids use which are stopped.
func (w *work) idle() []Account {
	found := []Account{}
	for _, a := range w.Input.Accounts {
		left := func(s store.Squid) bool { return !slices.Contains(w.Stopped, s.ID) }
		if a.Facts.Health != store.Gone && len(a.Facts.Squids) > 0 && !slices.ContainsFunc(a.Facts.Squids, left) {
			found = append(found, newAccount(a.ID, a.Facts))
		}
	}
	slices.SortFunc(found, func(a, b Account) int { return cmp.Or(cmp.Compare(a.Username, b.Username), cmp.Compare(a.ID, b.ID)) })
	return found
}
