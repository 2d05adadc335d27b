package fold

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/lobstrail/lobstrail/store"
)

// shownPage is what the last response of a slot showed. While the next ones show the same
// accounts, only those are folded of which they may say something new.
type shownPage struct {
	source store.Source
	shown  []Snapshot // all that it showed
	// active are the places in shown of the accounts that must be folded each time,
	// although the response brings no row about them.
	active map[int]bool
	// sent and at are of the response. Accounts get to know of it when they are folded
	// again: see catchUp.
	sent, at int64
}

// unchanging reports whether a response that shows what the endpoint said last says nothing
// new, whenever it comes ([Account.settled] for all instants to come), and makes the same
// snapshot again: an import may have spoken for the endpoint meanwhile.
func (r *Refolder) unchanging(s *Snapshot, source store.Source) bool {
	a := s.Account
	said := &a.Said[s.Endpoint]
	return a.LockedUntil == 0 && a.settled(s.Endpoint, source, 0) && said.Body != nil && said.Leaf == s.Leaf &&
		len(a.Salt) > 0 && r.opaque[a.Number] == nil
}

// keepPage keeps what a response showed, for the next one of its slot.
func (r *Refolder) keepPage(slot Slot, t *Told, d *Delta) {
	if len(d.Shown) == len(t.Members) { // it does not contradict its rows
		p := &shownPage{source: slot.Source, shown: d.Shown, active: map[int]bool{}, sent: d.Response.Sent, at: d.Response.At}
		r.pages[slot] = p
		for i := range p.shown {
			number := p.shown[i].Account.Number
			r.pagesOf[number] = append(r.pagesOf[number], p)
		}
	}
	for i := range d.Shown {
		r.lookAgain(d.Shown[i].Account.Number)
	}
}

// dropPage forgets what the last response of a slot showed.
func (r *Refolder) dropPage(slot Slot) {
	p := r.pages[slot]
	if p == nil {
		return
	}
	delete(r.pages, slot)
	for i := range p.shown {
		number := p.shown[i].Account.Number
		r.catchUp(number)
		r.pagesOf[number] = slices.DeleteFunc(r.pagesOf[number], func(q *shownPage) bool { return q == p })
	}
}

// place is where the page shows the account; false: it does not.
func (p *shownPage) place(account int64) (int, bool) {
	return slices.BinarySearchFunc(p.shown, account, func(s Snapshot, n int64) int { return cmp.Compare(s.Account.Number, n) })
}

// lookAgain notes what pages need to know of an account that is not as it was.
func (r *Refolder) lookAgain(account int64) {
	for _, p := range r.pagesOf[account] {
		if i, shown := p.place(account); shown && r.unchanging(&p.shown[i], p.source) {
			delete(p.active, i)
		} else if shown {
			p.active[i] = true
		}
	}
}

// catchUp lets an account know of the last responses that showed it.
func (r *Refolder) catchUp(account int64) {
	for _, p := range r.pagesOf[account] {
		i, shown := p.place(account)
		if !shown {
			continue
		}
		if said := &p.shown[i].Account.Said[p.shown[i].Endpoint]; said.Received < p.at {
			said.Sent, said.Received = p.sent, p.at
		}
	}
}

// foldAgain folds a response that shows the accounts that the last one of its slot
// showed. All but those of which it brings rows, or of which something may follow from
// the time alone, say what they said.
func (r *Refolder) foldAgain(p *shownPage, t *Told, news map[int64]*news) (*Delta, error) {
	places := slices.Collect(maps.Keys(p.active))
	for account := range news {
		if i, shown := p.place(account); shown && !p.active[i] {
			places = append(places, i)
		}
	}
	slices.Sort(places)
	members := make([]Stay, len(places))
	for i, place := range places {
		members[i] = t.Members[place]
		r.catchUp(members[i].Account)
	}
	d, err := r.foldMembers(t, members, news, true)
	if err != nil {
		return nil, err
	}
	if len(d.Shown) != len(places) {
		return nil, &RowError{"response", fmt.Sprint(t.Response.At), "it shows an account that cannot be understood"}
	}
	p.sent, p.at = d.Response.Sent, d.Response.At
	for i, place := range places {
		p.shown[place] = d.Shown[i]
	}
	for _, s := range d.Shown {
		r.lookAgain(s.Account.Number)
	}
	d.Shown = p.shown
	return d, nil
}
