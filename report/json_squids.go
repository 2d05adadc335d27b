package report

import (
	"cmp"
	"slices"

	"github.com/lobstrail/lobstrail/store"
)

// SquidJSON is a squid and the accounts it uses: the answer of `squids`.
type SquidJSON struct {
	ID       string           `json:"id"`
	Name     Text             `json:"name"`
	Accounts []AccountRefJSON `json:"accounts"` // sorted by username, then id
}

// Healthy is how many healthy accounts the squid uses.
func (s SquidJSON) Healthy() (n int) {
	for _, account := range s.Accounts {
		if account.Health == store.Healthy {
			n++
		}
	}
	return n
}

// AssignmentJSON is a squid using an account for a time: the answer of `squids
// --history`.
type AssignmentJSON struct {
	Squid     string      `json:"squid"`
	SquidName Text        `json:"squid_name"`
	Account   string      `json:"account"`
	Username  Text        `json:"username"`
	From      WindowJSON  `json:"from"`
	To        *WindowJSON `json:"to"` // null: still
}

// NewSquidsJSON turns accounts and their squids into squids and their accounts,
// sorted by name and then id; never nil. Accounts may have been told different
// names of a squid: the one last seen counts.
func NewSquidsJSON(accounts []store.AccountState) []SquidJSON {
	byID := map[string]*SquidJSON{}
	newestFirst := make([]*store.AccountState, len(accounts)) // they are large, and many
	for i := range accounts {
		newestFirst[i] = &accounts[i]
	}
	slices.SortFunc(newestFirst, func(a, b *store.AccountState) int {
		return cmp.Or(b.SeenAt.Compare(a.SeenAt), cmp.Compare(a.ID, b.ID))
	})
	for _, a := range newestFirst {
		for _, s := range a.Facts.Squids {
			squid := byID[s.ID]
			if squid == nil {
				squid = &SquidJSON{ID: s.ID}
				byID[s.ID] = squid
			}
			squid.Name = cmp.Or(squid.Name, Text(s.Name))
			squid.Accounts = append(squid.Accounts, newAccountRef(*a))
		}
	}
	return sortSquids(byID)
}

func sortSquids(byID map[string]*SquidJSON) []SquidJSON {
	squids := make([]SquidJSON, 0, len(byID))
	for _, squid := range byID {
		squid.Accounts = nonNil(squid.Accounts)
		slices.SortFunc(squid.Accounts, func(a, b AccountRefJSON) int {
			return cmp.Or(cmp.Compare(a.Username, b.Username), cmp.Compare(a.ID, b.ID))
		})
		squids = append(squids, *squid)
	}
	slices.SortFunc(squids, func(a, b SquidJSON) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return squids
}

// NewSquidJSON is the squid with the accounts of its assignments.
func NewSquidJSON(squid store.Name, uses []store.Assignment) SquidJSON {
	row := SquidJSON{ID: squid.ID, Name: Text(squid.Name), Accounts: make([]AccountRefJSON, 0, len(uses))}
	for _, use := range uses {
		row.Accounts = append(row.Accounts, AccountRefJSON{ID: use.Account, Username: Text(use.Username), Health: use.Health})
	}
	return row
}

// NewAssignmentJSON converts one assignment.
func NewAssignmentJSON(a store.Assignment) AssignmentJSON {
	return AssignmentJSON{
		Squid:     a.Squid,
		SquidName: Text(a.SquidName),
		Account:   a.Account,
		Username:  Text(a.Username),
		From:      NewWindowJSON(a.From),
		To:        newEndJSON(a.To),
	}
}

func newEndJSON(to *store.Window) *WindowJSON {
	if to == nil {
		return nil
	}
	w := NewWindowJSON(*to)
	return &w
}
