package fold

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"

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
// fn with each response as it is stored, and with what it changes. It returns what is
// known of the workspace in the end.
//
// Evidence that contradicts itself is a [*RowError]: rows that belong to no response,
// rows that say nothing new, and responses that show accounts that are not there.
func Replay(e Evidence, rules store.Rules, fn func(stored Response, d *Delta) error) (*Workspace, error) {
	r := newReplay(e, rules)
	defer r.stop()
	for stored, err := range e.Responses {
		if err != nil {
			return nil, err
		}
		d, err := r.response(stored)
		if err != nil {
			return nil, err
		}
		if err := fn(stored, d); err != nil {
			return nil, err
		}
		if err := r.compare(d); err != nil {
			return nil, err
		}
	}
	return r.w, r.end()
}

// replay is a replay while it runs.
type replay struct {
	w        *Workspace
	numbers  map[int64]*Account // rows of those that were shown
	accounts *Cursor[*Account]
	stays    *Cursor[Stay]
	facts    *Cursor[Fact]
	usage    *Cursor[Usage]
	absences *Cursor[Absence]
	erased   *Cursor[Commitment]
	ends     map[Slot]map[int64]Stay // the stays on each page, by account
	opaque   map[int64]*opaque
	// The rows that the response at hand brought.
	began  []Stay
	said   []Fact
	moved  []Usage
	hidden []Commitment
}

// opaque is an account of which what it said was erased.
type opaque struct {
	documents [Endpoints]ledger.Hash
	counters  ledger.Hash
}

func newReplay(e Evidence, rules store.Rules) *replay {
	return &replay{
		w: &Workspace{
			Rules: rules, Accounts: map[string]*Account{}, Squids: maps.Clone(e.Squids), Pages: map[Slot]*Page{}, NextAccount: 1,
		},
		numbers: map[int64]*Account{}, ends: map[Slot]map[int64]Stay{}, opaque: map[int64]*opaque{},
		accounts: NewCursor(e.Accounts), stays: NewCursor(e.Stays), facts: NewCursor(e.Facts), usage: NewCursor(e.Usage),
		absences: NewCursor(e.Absences), erased: NewCursor(e.Erased),
	}
}

func (r *replay) stop() {
	r.accounts.Stop()
	r.stays.Stop()
	r.facts.Stop()
	r.usage.Stop()
	r.absences.Stop()
	r.erased.Stop()
}

// response takes one response.
func (r *replay) response(stored Response) (*Delta, error) {
	if err := r.absent(stored.At); err != nil {
		return nil, err
	}
	members, err := r.members(stored)
	if err != nil {
		return nil, err
	}
	news, err := r.news(stored.At)
	if err != nil {
		return nil, err
	}
	answer := Answer{Response: stored, Received: stored.At - stored.HeldMS}
	for _, number := range members {
		if err := r.show(&answer, stored, number, news[number]); err != nil {
			return nil, err
		}
	}
	for _, c := range r.hidden {
		if _, shown := slices.BinarySearch(members, c.Account); !shown {
			return nil, c.wrong("the response of that instant does not show the account")
		}
	}
	d, err := r.w.Fold(answer)
	if err != nil {
		return nil, &RowError{"response", fmt.Sprint(stored.At), err.Error()}
	}
	return d, nil
}

// absent takes the absences that were found before the instant.
func (r *replay) absent(at int64) error {
	for r.absences.OK && r.absences.Next.Since < at {
		a := r.absences.Next
		row := r.numbers[a.Account]
		if row == nil || r.w.Accounts[row.ID] == nil {
			return &RowError{"absence", fmt.Sprintf("account %d since %d", a.Account, a.Since), "the account was not known then"}
		}
		r.w.Accounts[row.ID].AbsentSince = a.Since
		if err := r.absences.Advance(); err != nil {
			return err
		}
	}
	return r.absences.Err
}

// members are the accounts that the response shows, by number: those whose stays on
// its page last until then, or begin with it.
func (r *replay) members(stored Response) (numbers []int64, err error) {
	slot := Slot{stored.Source, stored.Slot}
	if r.ends[slot] == nil {
		r.ends[slot] = map[int64]Stay{}
	}
	page, ends := r.w.Pages[slot], r.ends[slot]
	if page == nil {
		page = &Page{}
	}
	for _, m := range page.Members {
		if last := ends[m.Account].Last; last >= stored.At {
			numbers = append(numbers, m.Account)
		} else if last != page.LastAt {
			return nil, ends[m.Account].wrong("it ends at %d, which is not the last response of its page before %d", last, stored.At)
		}
	}
	r.began = r.began[:0]
	for ; r.stays.OK && r.stays.Next.First <= stored.At; err = r.stays.Advance() {
		if err != nil {
			return nil, err
		}
		s := r.stays.Next
		if s.First < stored.At || s.Source != slot.Source || s.Slot != slot.Number {
			return nil, s.wrong(noResponse + " on that page")
		}
		ends[s.Account], r.began = s, append(r.began, s)
		numbers = append(numbers, s.Account)
	}
	slices.Sort(numbers)
	return numbers, cmp.Or(err, r.stays.Err)
}

// said is what a response brought of an account.
type said struct {
	facts []Fact
	usage []Usage
}

// news reads what the response of that instant brought, by account.
func (r *replay) news(at int64) (map[int64]*said, error) {
	all := map[int64]*said{}
	of := func(account int64) *said {
		if all[account] == nil {
			all[account] = &said{}
		}
		return all[account]
	}
	r.said, r.moved, r.hidden = r.said[:0], r.moved[:0], r.hidden[:0]
	for ; r.facts.OK && r.facts.Next.At <= at; r.facts.Step() {
		f := r.facts.Next
		if f.At < at {
			return nil, f.wrong(noResponse)
		}
		of(f.Account).facts, r.said = append(of(f.Account).facts, f), append(r.said, f)
	}
	for ; r.usage.OK && r.usage.Next.At <= at; r.usage.Step() {
		u := r.usage.Next
		if u.At < at {
			return nil, u.wrong(noResponse)
		}
		of(u.Account).usage, r.moved = append(of(u.Account).usage, u), append(r.moved, u)
	}
	for ; r.erased.OK && r.erased.Next.At <= at; r.erased.Step() {
		c := r.erased.Next
		if c.At < at {
			return nil, c.wrong(noResponse)
		}
		r.hidden = append(r.hidden, c)
		if r.opaque[c.Account] == nil {
			r.opaque[c.Account] = &opaque{}
		}
		if c.Endpoint < 0 {
			r.opaque[c.Account].counters = c.Hash
		} else {
			r.opaque[c.Account].documents[c.Endpoint] = c.Hash
		}
	}
	return all, cmp.Or(r.facts.Err, r.usage.Err, r.erased.Err)
}

// show adds an account to what the response shows.
func (r *replay) show(answer *Answer, stored Response, number int64, new *said) error {
	account, err := r.account(stored, number)
	if err != nil {
		return err
	}
	e := r.ends[Slot{stored.Source, stored.Slot}][number].Endpoint
	if o := r.opaque[number]; o != nil {
		answer.Shown = append(answer.Shown, Shown{
			ID: account.ID, Endpoint: e, Leaf: o.leaf(account.ID, e),
			News: slices.ContainsFunc(r.hidden, func(c Commitment) bool { return c.Account == number }),
		})
		return nil
	}
	known := r.w.Accounts[account.ID]
	if new == nil && known != nil && known.Said[e].Body != nil && known.settled(e, stored.Source, stored.At) {
		answer.Shown = append(answer.Shown, Shown{ID: account.ID, Endpoint: e, Same: true})
		return nil
	}
	if new == nil {
		new = &said{}
	}
	body, gone, err := bodyAfter(known, e, new.facts)
	switch {
	case err != nil:
		return &RowError{"fact", fmt.Sprintf("account %d at %d", number, stored.At), err.Error()}
	case gone:
		answer.Absent = append(answer.Absent, account.ID)
		return nil
	}
	shown := Shown{ID: account.ID, Endpoint: e, Salt: account.Salt}
	shown.Parts.Body = body
	if shown.Parts.Counters, err = countersAfter(known, body, new.usage); err != nil {
		return &RowError{"fact", fmt.Sprintf("account %d at %d", number, stored.At), err.Error()}
	}
	answer.Shown = append(answer.Shown, shown)
	return nil
}

// account is the row of an account. They are numbered as they are first shown.
func (r *replay) account(stored Response, number int64) (*Account, error) {
	if a := r.numbers[number]; a != nil {
		return a, nil
	}
	row := fmt.Sprint(number)
	switch {
	case r.accounts.Err != nil:
		return nil, r.accounts.Err
	case !r.accounts.OK || r.accounts.Next.Number > number:
		return nil, &RowError{"account", row, fmt.Sprintf("it is missing: the response of %d shows it", stored.At)}
	case r.accounts.Next.Number < number:
		return nil, r.accounts.Next.neverShown()
	}
	a := r.accounts.Next
	if a.FirstAt != stored.At {
		return nil, &RowError{"account", row, fmt.Sprintf("it was first shown at %d, and not at %d", stored.At, a.FirstAt)}
	}
	if err := r.accounts.Advance(); err != nil {
		return nil, err
	}
	r.numbers[number] = a
	return a, nil
}
