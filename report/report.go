package report

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Sections chooses the parts of a [Report]. The zero value means all of them.
type Sections struct {
	Status, Squids, Limits, Changes, Runs bool
}

func (s Sections) orAll() Sections {
	if s == (Sections{}) {
		return Sections{Status: true, Squids: true, Limits: true, Changes: true, Runs: true}
	}
	return s
}

// Input is what a [Report] is made of. Lists may be in any order except where
// it is said, and may tell of more than the period; what lies outside it is
// left out or, where it says how things stood at the beginning, used for that.
// Facts are never taken from anything after Until.
type Input struct {
	Workspace    string
	Since, Until time.Time // the period; Until is not part of it
	Sections     Sections
	// Accounts are the states of all accounts at Until, gone ones included.
	Accounts []store.AccountState
	// Steps are the status steps whose window ends in the period or later, of
	// each account oldest first. An account without steps kept its health.
	Steps []store.StatusStep
	// Assignments are those that lasted at any time of the period.
	Assignments []store.Assignment
	// Uses are the movements of counters in the period, and for each account and
	// limit the last one before it.
	Uses []store.Use
	// Changes are those noticed in the period.
	Changes []store.AccountChange
	// Runs are those that began in the period.
	Runs []store.Run
	// Freshness is that of the end of the period; nil when it is not known.
	Freshness *FreshnessJSON
	// Platforms tell what the accounts of a type need to be synchronised.
	Platforms []store.Platform
}

// Report is the status-change report of a period. Sections that were not asked
// for are nil, and missing in JSON.
type Report struct {
	Workspace string         `json:"workspace"`
	Since     Time           `json:"since"`
	Until     Time           `json:"until"`
	Freshness *FreshnessJSON `json:"freshness,omitzero"` // left out when there are too few complete runs
	Status    *StatusSection `json:"status,omitzero"`
	Squids    *SquidSection  `json:"squids,omitzero"`
	Limits    *LimitSection  `json:"limits,omitzero"`
	Changes   []ChangeJSON   `json:"changes,omitzero"` // as `changes` answers them, oldest first
	Runs      *RunSection    `json:"runs,omitzero"`
}

// Build makes the report. It is a pure function: the same input gives the same
// report, whatever the order of its lists.
func Build(in Input) Report {
	r := Report{Workspace: in.Workspace, Since: Time{in.Since}, Until: Time{in.Until}, Freshness: in.Freshness}
	if !slices.IsSortedFunc(in.Accounts, compareAccounts) {
		in.Accounts = slices.Clone(in.Accounts)
		slices.SortFunc(in.Accounts, compareAccounts)
	}
	sections := in.Sections.orAll()
	var making sync.WaitGroup // each section on its own
	if sections.Status {
		making.Go(func() { r.Status = in.status() })
	}
	if sections.Squids {
		making.Go(func() { r.Squids = in.squids() })
	}
	if sections.Limits {
		making.Go(func() { r.Limits = &LimitSection{Limits: NewLimits(in.Uses, in.Accounts, in.Since, in.Until)} })
	}
	if sections.Changes {
		making.Go(func() { r.Changes = in.changes() })
	}
	if sections.Runs {
		r.Runs = in.runs()
	}
	making.Wait()
	return r
}

// compareAccounts orders accounts by username, then id.
func compareAccounts(a, b store.AccountState) int {
	return cmp.Or(cmp.Compare(a.Facts.Username, b.Facts.Username), cmp.Compare(a.ID, b.ID))
}

// changes are those noticed in the period, oldest first; those noticed at once by
// account, and for one account as they came.
func (in Input) changes() []ChangeJSON {
	all := make([]ChangeJSON, 0, len(in.Changes))
	for _, c := range in.Changes {
		if in.inPeriod(c.Window.Before) {
			all = append(all, NewChangeJSON(c))
		}
	}
	slices.SortStableFunc(all, func(a, b ChangeJSON) int {
		return cmp.Or(a.Before.Compare(b.Before.Time), cmp.Compare(a.Username, b.Username), cmp.Compare(a.Account, b.Account))
	})
	return all
}
