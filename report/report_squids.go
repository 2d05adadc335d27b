package report

import (
	"cmp"
	"slices"

	"github.com/lobstrail/lobstrail/store"
)

// SquidSection tells which squids used which account in the period, from both
// sides, and which squids cannot work now.
type SquidSection struct {
	// WithoutHealthy are the squids without a healthy account at the end of the
	// period, also those that had an account in the period and have none now.
	WithoutHealthy []SquidJSON `json:"without_healthy_account"`
	// OnSingle are the squids that exactly one healthy account serves now: the next
	// to fail. Their other accounts are listed too.
	OnSingle  []SquidJSON         `json:"on_single_account"`
	BySquid   []SquidUsesJSON     `json:"by_squid"`   // sorted by name, then id
	ByAccount []AccountSquidsJSON `json:"by_account"` // sorted by username, then id
}

// SquidUsesJSON is a squid and the accounts it used in the period.
type SquidUsesJSON struct {
	SquidRefJSON
	Accounts []AccountUseJSON `json:"accounts"` // in the order they came
}

// AccountUseJSON is an account that a squid used, and when.
type AccountUseJSON struct {
	AccountRefJSON
	From WindowJSON  `json:"from"`
	To   *WindowJSON `json:"to"` // null: still
}

// AccountSquidsJSON is an account and the squids that used it in the period.
type AccountSquidsJSON struct {
	AccountRefJSON
	Squids []SquidUseJSON `json:"squids"` // in the order they came
}

// SquidUseJSON is a squid that used an account, and when.
type SquidUseJSON struct {
	SquidRefJSON
	From WindowJSON  `json:"from"`
	To   *WindowJSON `json:"to"` // null: still
}

func (in Input) squids() *SquidSection {
	lasting := in.lasting()
	served := in.served(lasting)
	return &SquidSection{
		WithoutHealthy: served[0],
		OnSingle:       served[1],
		BySquid:        in.bySquid(lasting),
		ByAccount:      in.byAccount(lasting),
	}
}

// lasting are the assignments that may have lasted at any time of the period,
// in the order they came. An end after the period is none yet.
func (in Input) lasting() []store.Assignment {
	var out []store.Assignment
	for _, a := range in.Assignments {
		ended := a.To != nil && !a.To.Before.After(in.Since)
		if ended || !a.From.Before.Before(in.Until) {
			continue
		}
		if a.To != nil && !a.To.Before.Before(in.Until) {
			a.To = nil
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b store.Assignment) int {
		return cmp.Or(a.From.Before.Compare(b.From.Before), cmp.Compare(a.Username, b.Username),
			cmp.Compare(a.Account, b.Account), cmp.Compare(a.Squid, b.Squid))
	})
	return out
}

// refs are the accounts by id.
func (in Input) refs() map[string]AccountRefJSON {
	refs := make(map[string]AccountRefJSON, len(in.Accounts))
	for _, a := range in.Accounts {
		refs[a.ID] = newAccountRef(a)
	}
	return refs
}

// ref names the account of an assignment, with its health where the account is
// known.
func ref(refs map[string]AccountRefJSON, a store.Assignment) AccountRefJSON {
	if r, ok := refs[a.Account]; ok && r.Username != "" {
		return r
	}
	return AccountRefJSON{ID: a.Account, Username: Text(a.Username), Health: refs[a.Account].Health}
}

// squidsNow are the squids that accounts use at the end of the period, and those that used
// one in the period and use none any more.
func (in Input) squidsNow(lasting []store.Assignment) []SquidJSON {
	byID := map[string]*SquidJSON{}
	for _, squid := range NewSquidsJSON(in.Accounts) {
		byID[squid.ID] = &squid
	}
	for _, a := range lasting {
		if byID[a.Squid] == nil {
			byID[a.Squid] = &SquidJSON{ID: a.Squid, Name: Text(a.SquidName)}
		}
	}
	return sortSquids(byID)
}

// served are the squids that no healthy account serves, and those that one serves.
func (in Input) served(lasting []store.Assignment) [2][]SquidJSON {
	served := [2][]SquidJSON{{}, {}}
	for _, squid := range in.squidsNow(lasting) {
		if healthy := squid.Healthy(); healthy < len(served) {
			served[healthy] = append(served[healthy], squid)
		}
	}
	return served
}

func (in Input) bySquid(lasting []store.Assignment) []SquidUsesJSON {
	refs := in.refs()
	byID := map[string]*SquidUsesJSON{}
	for _, a := range lasting {
		row := byID[a.Squid]
		if row == nil {
			row = &SquidUsesJSON{}
			byID[a.Squid] = row
		}
		// The name of the assignment that came last is the newest.
		row.SquidRefJSON = SquidRefJSON{ID: a.Squid, Name: cmp.Or(Text(a.SquidName), row.Name)}
		row.Accounts = append(row.Accounts, AccountUseJSON{ref(refs, a), NewWindowJSON(a.From), newEndJSON(a.To)})
	}
	return sortedRows(byID, func(r SquidUsesJSON) (Text, string) { return r.Name, r.ID })
}

func (in Input) byAccount(lasting []store.Assignment) []AccountSquidsJSON {
	refs := in.refs()
	byID := map[string]*AccountSquidsJSON{}
	for _, a := range lasting {
		row := byID[a.Account]
		if row == nil {
			row = &AccountSquidsJSON{}
			byID[a.Account] = row
		}
		row.AccountRefJSON = ref(refs, a)
		squid := SquidRefJSON{ID: a.Squid, Name: Text(a.SquidName)}
		row.Squids = append(row.Squids, SquidUseJSON{squid, NewWindowJSON(a.From), newEndJSON(a.To)})
	}
	return sortedRows(byID, func(r AccountSquidsJSON) (Text, string) { return r.Username, r.ID })
}

// sortedRows are the rows by name, then id; never nil.
func sortedRows[T any](byID map[string]*T, key func(T) (Text, string)) []T {
	rows := make([]T, 0, len(byID))
	for _, row := range byID {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b T) int {
		nameA, idA := key(a)
		nameB, idB := key(b)
		return cmp.Or(cmp.Compare(nameA, nameB), cmp.Compare(idA, idB))
	})
	return rows
}
