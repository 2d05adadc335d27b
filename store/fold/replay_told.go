package fold

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Told is what the rows of one response say.
type Told struct {
	Response Response
	Members  []Stay // the accounts that it shows, by number
	Again    bool   // they are those that the last response of its slot showed
	// The rows that it brought. The accounts are those that it shows first, by number.
	Began    []Stay
	Facts    []Fact
	Usage    []Usage
	Erased   []Commitment
	Accounts []*Account
}

// Position is where a [Teller] begins: after a response. The zero value is the beginning.
type Position struct {
	At          int64          // of that response; rows of earlier ones are passed over
	NextAccount int64          // the number of the next account that is new; 0: 1
	Pages       map[Slot]int64 // the last response of each slot until then
}

// Teller reads the rows of responses, one after the other. Evidence that begins after a
// position needs these rows of before: stays that may not have ended then, and the
// commitments of all accounts that were redacted.
type Teller struct {
	position Position
	accounts *Cursor[*Account]
	stays    *Cursor[Stay]
	facts    *Cursor[Fact]
	usage    *Cursor[Usage]
	erased   *Cursor[Commitment]
	pages    map[Slot]pageStays
	early    []Commitment // of before the position: see Before
	err      error        // that reading them gave
}

// pageStays are the accounts on a page. The list is never changed, but replaced.
type pageStays struct {
	members []Stay // by account
	ends    int64  // when the first of them ends
	told    bool   // a response showed them
}

func newPageStays(members []Stay) pageStays {
	p := pageStays{members: members, ends: math.MaxInt64}
	slices.SortFunc(members, func(a, b Stay) int { return cmp.Compare(a.Account, b.Account) })
	for _, s := range members {
		p.ends = min(p.ends, s.Last)
	}
	return p
}

// NewTeller is a teller of all responses after the position. It must be stopped.
func NewTeller(e Evidence, from Position) *Teller {
	t := &Teller{
		position: Position{from.At, max(from.NextAccount, 1), map[Slot]int64{}}, pages: map[Slot]pageStays{},
		accounts: NewCursor(e.Accounts), stays: NewCursor(e.Stays), facts: NewCursor(e.Facts), usage: NewCursor(e.Usage),
		erased: NewCursor(e.Erased),
	}
	for slot, at := range from.Pages {
		t.position.Pages[slot] = at
	}
	if from.At > 0 {
		t.readBefore(from)
	}
	return t
}

// readBefore reads the rows of before the position.
func (t *Teller) readBefore(from Position) {
	pages := map[Slot][]Stay{}
	for ; t.stays.OK && t.stays.Next.First <= from.At; t.stays.Step() {
		s := t.stays.Next
		if slot := (Slot{s.Source, s.Slot}); s.Last >= t.position.Pages[slot] {
			pages[slot] = append(pages[slot], s)
		}
	}
	for slot, members := range pages {
		t.pages[slot] = newPageStays(members)
	}
	for ; t.erased.OK && t.erased.Next.At <= from.At; t.erased.Step() {
		t.early = append(t.early, t.erased.Next)
	}
	t.err = cmp.Or(t.stays.Err, t.erased.Err)
}

// Stop ends the use of the teller.
func (t *Teller) Stop() {
	t.accounts.Stop()
	t.stays.Stop()
	t.facts.Stop()
	t.usage.Stop()
	t.erased.Stop()
}

// Before are the commitments of responses before the position, for [NewRefolder].
func (t *Teller) Before() []Commitment { return t.early }

// Tell reads the rows of the next response.
func (t *Teller) Tell(stored Response) (*Told, error) {
	if t.err != nil {
		return nil, t.err
	}
	told := &Told{Response: stored}
	for _, read := range []func(*Told) error{t.members, t.news, t.first} {
		if err := read(told); err != nil {
			return nil, err
		}
	}
	return told, nil
}

// members finds the accounts that the response shows: those whose stays on its page last
// until then, or begin with it.
func (t *Teller) members(told *Told) error {
	at, slot := told.Response.At, Slot{told.Response.Source, told.Response.Slot}
	page := t.pages[slot]
	ended := func(s Stay) bool { return s.Last < at }
	if page.ends < at {
		for _, s := range page.members {
			if ended(s) && s.Last != t.position.Pages[slot] {
				return s.wrong("it ends at %d, which is not the last response of its page before %d", s.Last, at)
			}
		}
	}
	for ; t.stays.OK && t.stays.Next.First <= at; t.stays.Step() {
		s := t.stays.Next
		if s.First < at || s.Source != slot.Source || s.Slot != slot.Number {
			return s.wrong(noResponse + " on that page")
		}
		told.Began = append(told.Began, s)
	}
	if told.Again = page.told && len(told.Began) == 0 && page.ends >= at; !told.Again {
		page = newPageStays(append(slices.DeleteFunc(slices.Clone(page.members), ended), told.Began...))
		page.told = true
		t.pages[slot] = page
	}
	told.Members, t.position.Pages[slot] = page.members, at
	return t.stays.Err
}

// news reads the facts, movements and commitments that the response brought.
func (t *Teller) news(told *Told) error {
	at := told.Response.At
	for ; t.facts.OK && t.facts.Next.At <= at; t.facts.Step() {
		if t.facts.Next.At < at {
			return t.facts.Next.wrong(noResponse)
		}
		told.Facts = append(told.Facts, t.facts.Next)
	}
	for ; t.usage.OK && t.usage.Next.At <= at; t.usage.Step() {
		if t.usage.Next.At < at {
			return t.usage.Next.wrong(noResponse)
		}
		told.Usage = append(told.Usage, t.usage.Next)
	}
	for ; t.erased.OK && t.erased.Next.At <= at; t.erased.Step() {
		c := t.erased.Next
		if c.At < at {
			return c.wrong(noResponse)
		}
		if _, shown := slices.BinarySearchFunc(told.Members, c.Account, func(s Stay, n int64) int { return cmp.Compare(s.Account, n) }); !shown {
			return c.wrong("the response of that instant does not show the account")
		}
		told.Erased = append(told.Erased, c)
	}
	return cmp.Or(t.facts.Err, t.usage.Err, t.erased.Err)
}

// first reads the rows of the accounts that the response shows first. Accounts are
// numbered in that order.
func (t *Teller) first(told *Told) error {
	if told.Again {
		return nil
	}
	for _, s := range told.Members {
		if s.Account < t.position.NextAccount {
			continue
		}
		at, row := told.Response.At, fmt.Sprint(s.Account)
		switch {
		case t.accounts.Err != nil:
			return t.accounts.Err
		case !t.accounts.OK || t.accounts.Next.Number > s.Account:
			return &RowError{"account", row, fmt.Sprintf("it is missing: the response of %d shows it", at)}
		case t.accounts.Next.Number < s.Account:
			return t.accounts.Next.neverShown()
		case t.accounts.Next.FirstAt != at:
			return &RowError{"account", row, fmt.Sprintf("it was first shown at %d, and not at %d", at, t.accounts.Next.FirstAt)}
		}
		told.Accounts = append(told.Accounts, t.accounts.Next)
		t.position.NextAccount = s.Account + 1
		t.accounts.Step()
	}
	return nil
}

// End looks for rows that belong to no response, and for stays that ended although the
// last response of their page has the account.
func (t *Teller) End() error {
	switch {
	case t.stays.OK:
		return t.stays.Next.wrong(noResponse)
	case t.facts.OK:
		return t.facts.Next.wrong(noResponse)
	case t.usage.OK:
		return t.usage.Next.wrong(noResponse)
	case t.accounts.OK:
		return t.accounts.Next.neverShown()
	case t.erased.OK:
		return t.erased.Next.wrong(noResponse)
	}
	for _, page := range t.pages {
		for _, s := range page.members {
			if s.Last != math.MaxInt64 {
				return s.wrong("it ends at %d, and the last response of its page shows the account", s.Last)
			}
		}
	}
	return cmp.Or(t.err, t.stays.Err, t.facts.Err, t.usage.Err, t.accounts.Err, t.erased.Err)
}
