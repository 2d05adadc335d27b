package fold

import (
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// Workspace is what is known of a workspace, as far as its next responses may touch
// it. Fold changes it to what is known after a response: when the transaction fails,
// it must be loaded anew.
type Workspace struct {
	Rules store.Rules
	// LastAt is when the newest response was received; 0: there is none.
	LastAt int64
	// Accounts are those that were loaded, by id. An account that is not among them
	// although a response names it was never seen.
	Accounts map[string]*Account
	// Squids are the numbers of all squids, by id.
	Squids map[string]int64
	// Pages are those that were loaded. One that is not among them although a
	// response is of it was never seen.
	Pages map[Slot]*Page
	// NextAccount is the number that the next new account gets.
	NextAccount int64
}

// Slot names the responses that show the same accounts each time.
type Slot struct {
	Source store.Source
	Number int64
}

// Page is what the last response of a slot showed.
type Page struct {
	LastAt  int64
	Members []Member // by number of the account
	tree    *ledger.PageTree
}

// Member is an account on a page.
type Member struct {
	Account  int64
	Endpoint Endpoint // that showed it
	First    int64    // since which response
}

// SlotOf is the slot of a response: that of its page, or of the account when it is about
// one and has no page.
func (w *Workspace) SlotOf(r *store.Response) Slot {
	if r.Source == store.List || r.Page > 0 || len(r.Accounts)+len(r.Absent) != 1 {
		return Slot{r.Source, -int64(r.Page)}
	}
	id := ""
	if len(r.Accounts) == 1 {
		id = r.Accounts[0].ID
	} else {
		id = r.Absent[0]
	}
	if a := w.Accounts[id]; a != nil {
		return Slot{r.Source, a.Number}
	}
	return Slot{r.Source, w.NextAccount}
}

// At is the instant at which a response is kept that was received then: no two have
// the same, and time does not run backwards.
func (w *Workspace) At(received int64) int64 { return max(received, w.LastAt+1) }
