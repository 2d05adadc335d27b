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
	numbers  map[int64]*Account // of those that were shown
	accounts *Cursor[*Account]
	stays    *Cursor[Stay]
	facts    *Cursor[Fact]
	usage    *Cursor[Usage]
	absences *Cursor[Absence]
	erased   *Cursor[Commitment]
	pages    map[Slot][]Stay // who is on each page, by account
	opaque   map[int64]*opaque
	shown    []Shown // by the response at hand
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
		numbers: map[int64]*Account{}, pages: map[Slot][]Stay{}, opaque: map[int64]*opaque{},
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
	r.shown = r.shown[:0]
	for _, s := range members {
		if err := r.show(stored, s, news[s.Account]); err != nil {
			return nil, err
		}
	}
	for _, c := range r.hidden {
		if _, shown := slices.BinarySearchFunc(members, c.Account, func(s Stay, n int64) int { return cmp.Compare(s.Account, n) }); !shown {
			return nil, c.wrong("the response of that instant does not show the account")
		}
	}
	d, err := r.w.Fold(Answer{Response: stored, Received: stored.At - stored.HeldMS, Shown: r.shown})
	if err != nil {
		return nil, &RowError{"response", fmt.Sprint(stored.At), err.Error()}
	}
	for _, a := range d.Accounts {
		r.numbers[a.Number] = a
	}
	return d, nil
}

// absent takes the absences that were found before the instant.
func (r *replay) absent(at int64) error {
	for r.absences.OK && r.absences.Next.Since < at {
		a := r.absences.Next
		known := r.numbers[a.Account]
		if known == nil {
			return &RowError{"absence", fmt.Sprintf("account %d since %d", a.Account, a.Since), "the account was not known then"}
		}
		known.AbsentSince = a.Since
		if err := r.absences.Advance(); err != nil {
			return err
		}
	}
	return r.absences.Err
}

// members are the accounts that the response shows, by number: those whose stays on
// its page last until then, or begin with it.
func (r *replay) members(stored Response) (members []Stay, err error) {
	slot := Slot{stored.Source, stored.Slot}
	members = r.pages[slot]
	for _, s := range members {
		if last := r.w.Pages[slot].LastAt; s.Last < stored.At && s.Last != last {
			return nil, s.wrong("it ends at %d, which is not the last response of its page before %d", s.Last, stored.At)
		}
	}
	members = slices.DeleteFunc(members, func(s Stay) bool { return s.Last < stored.At })
	r.began = r.began[:0]
	for ; r.stays.OK && r.stays.Next.First <= stored.At; err = r.stays.Advance() {
		if err != nil {
			return nil, err
		}
		s := r.stays.Next
		if s.First < stored.At || s.Source != slot.Source || s.Slot != slot.Number {
			return nil, s.wrong(noResponse + " on that page")
		}
		r.began = append(r.began, s)
	}
	if len(r.began) > 0 {
		members = append(members, r.began...)
		slices.SortFunc(members, func(a, b Stay) int { return cmp.Compare(a.Account, b.Account) })
	}
	r.pages[slot] = members
	return members, cmp.Or(err, r.stays.Err)
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
func (r *replay) show(stored Response, s Stay, new *said) error {
	known, e := r.numbers[s.Account], s.Endpoint
	if new == nil && known != nil && r.opaque[s.Account] == nil && known.Said[e].Body != nil && known.settled(e, stored.Source, stored.At) {
		r.shown = append(r.shown, Shown{ID: known.ID, Known: known, Endpoint: e, Same: true})
		return nil
	}
	shown := Shown{Known: known, Endpoint: e}
	row := known
	if known == nil {
		var err error
		if row, err = r.account(stored, s.Account); err != nil {
			return err
		}
	}
	shown.ID, shown.Salt = row.ID, row.Salt
	if o := r.opaque[s.Account]; o != nil {
		shown.Leaf = o.leaf(row.ID, e)
		shown.News = slices.ContainsFunc(r.hidden, func(c Commitment) bool { return c.Account == s.Account })
		r.shown = append(r.shown, shown)
		return nil
	}
	if new == nil {
		new = &said{}
	}
	var err error
	shown.Parts.Body, shown.Absent, err = bodyAfter(known, e, new.facts)
	if err == nil && !shown.Absent {
		shown.Parts.Counters, err = countersAfter(known, shown.Parts.Body, new.usage)
	}
	if err != nil {
		return &RowError{"fact", fmt.Sprintf("account %d at %d", s.Account, stored.At), err.Error()}
	}
	r.shown = append(r.shown, shown)
	return nil
}

// account is the row of an account that is first shown. They are numbered in that order.
func (r *replay) account(stored Response, number int64) (*Account, error) {
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
	return a, r.accounts.Advance()
}
