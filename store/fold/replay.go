package fold

import (
	"iter"
	"maps"
	"math"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// Evidence is the rows of a workspace that everything else follows from, each kind in
// the order of its instants, and within one instant by account.
type Evidence struct {
	Responses iter.Seq2[Response, error]
	Accounts  iter.Seq2[*Account, error] // by number: Number, ID, FirstAt and Salt
	Stays     iter.Seq2[Stay, error]     // by First
	Facts     iter.Seq2[Fact, error]
	Usage     iter.Seq2[Usage, error]
	Absences  iter.Seq2[Absence, error] // by Since
	Squids    map[string]int64          // numbers, by id
	// Erased are the commitments that stand for what was erased of accounts.
	Erased iter.Seq2[Commitment, error]
}

// Commitment stands for a document, or for counters, that were erased. A Hash of zero
// stands for a document that ended.
type Commitment struct {
	Account  int64
	Endpoint Endpoint // -1: counters
	At       int64
	Hash     ledger.Hash
}

// Replay takes every response of a workspace through [Workspace.Fold] again, and calls
// fn with each response as it is stored, and with what it changes. The snapshots in the
// Delta are valid until fn returns. Replay returns what is known of the workspace in the
// end.
//
// A response costs what it brings: of a page that shows what it showed before, no account
// is folded again.
//
// Evidence that contradicts itself is a [*RowError]: rows that belong to no response,
// rows that say nothing new, and responses that show accounts that are not there.
func Replay(e Evidence, rules store.Rules, fn func(stored Response, d *Delta) error) (*Workspace, error) {
	teller := NewTeller(e, Position{})
	defer teller.Stop()
	again := NewRefolder(&Workspace{
		Rules: rules, Accounts: map[string]*Account{}, Squids: maps.Clone(e.Squids), Pages: map[Slot]*Page{}, NextAccount: 1,
	})
	again.pages, again.pagesOf = map[Slot]*shownPage{}, map[int64][]*shownPage{}
	absences := NewCursor(e.Absences)
	defer absences.Stop()
	for stored, err := range e.Responses {
		if err != nil {
			return nil, err
		}
		if err := again.absent(absences, stored.At); err != nil {
			return nil, err
		}
		told, err := teller.Tell(stored)
		if err != nil {
			return nil, err
		}
		d, err := again.fold(told)
		if err != nil {
			return nil, err
		}
		if err := fn(stored, d); err != nil {
			return nil, err
		}
		if err := told.compare(d); err != nil {
			return nil, err
		}
	}
	if err := again.absent(absences, math.MaxInt64); err != nil {
		return nil, err
	}
	for number := range again.numbers {
		again.catchUp(number)
	}
	return again.Workspace, teller.End()
}
