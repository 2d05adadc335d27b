package fold

import (
	"fmt"
	"slices"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// Refolder takes stored responses through [Workspace.Fold] again.
type Refolder struct {
	*Workspace
	numbers map[int64]*Account // of the accounts at hand
	opaque  map[int64]*opaque
	shown   []Shown // by the response at hand
	// What the last response of each slot showed, by slot and by account; nil: each
	// response is folded whole.
	pages   map[Slot]*shownPage
	pagesOf map[int64][]*shownPage
}

// opaque is an account of which what it said was erased.
type opaque struct {
	documents [Endpoints]ledger.Hash
	counters  ledger.Hash
}

// NewRefolder is a refolder of a workspace, whose accounts are at hand. Erased are
// commitments that earlier responses brought.
func NewRefolder(w *Workspace, erased ...Commitment) *Refolder {
	r := &Refolder{Workspace: w, numbers: make(map[int64]*Account, len(w.Accounts)), opaque: map[int64]*opaque{}}
	for _, a := range w.Accounts {
		r.numbers[a.Number] = a
	}
	r.erase(erased)
	return r
}

func (r *Refolder) erase(erased []Commitment) {
	for _, c := range erased {
		if r.opaque[c.Account] == nil {
			r.opaque[c.Account] = &opaque{}
		}
		if c.Endpoint < 0 {
			r.opaque[c.Account].counters = c.Hash
		} else {
			r.opaque[c.Account].documents[c.Endpoint] = c.Hash
		}
		r.lookAgain(c.Account)
	}
}

// Account is the account with that number; nil: it is not at hand.
func (r *Refolder) Account(number int64) *Account { return r.numbers[number] }

// Opaque reports whether what the account said was erased.
func (r *Refolder) Opaque(number int64) bool { return r.opaque[number] != nil }

// Fold folds a response. Its accounts must be at hand, and those whole of which it may
// say something new (see [Refolder.Unfinished]). Rows that do not follow from the
// response are a [*RowError].
func (r *Refolder) Fold(t *Told) (*Delta, error) {
	d, err := r.fold(t)
	if err == nil {
		err = t.compare(d)
	}
	return d, err
}

// Unfinished are the accounts that Fold needs whole, and that are not.
func (r *Refolder) Unfinished(t *Told) (all []*Account) {
	news := t.news()
	for _, s := range t.Members {
		a := r.numbers[s.Account]
		if a != nil && !a.Whole && r.opaque[s.Account] == nil && !r.repeats(t, s, news[s.Account]) {
			all = append(all, a)
		}
	}
	return all
}

// repeats reports whether the account says what it said before, and nothing follows from
// that.
func (r *Refolder) repeats(t *Told, s Stay, new *news) bool {
	known := r.numbers[s.Account]
	if new != nil || known == nil || r.opaque[s.Account] != nil || known.Whole && known.Said[s.Endpoint].Body == nil {
		return false
	}
	return known.settled(s.Endpoint, t.Response.Source, t.Response.At)
}

// news is what a response brought of an account.
type news struct {
	facts []Fact
	usage []Usage
}

// news is what the response brought, by account.
func (t *Told) news() map[int64]*news {
	if len(t.Facts)+len(t.Usage) == 0 {
		return nil
	}
	all := map[int64]*news{}
	of := func(account int64) *news {
		if all[account] == nil {
			all[account] = &news{}
		}
		return all[account]
	}
	for _, f := range t.Facts {
		of(f.Account).facts = append(of(f.Account).facts, f)
	}
	for _, u := range t.Usage {
		of(u.Account).usage = append(of(u.Account).usage, u)
	}
	return all
}

func (r *Refolder) fold(t *Told) (*Delta, error) {
	r.erase(t.Erased)
	news, slot := t.news(), Slot{t.Response.Source, t.Response.Slot}
	if p := r.pages[slot]; p != nil && t.Again {
		return r.foldAgain(p, t, news)
	}
	r.dropPage(slot)
	for _, s := range t.Members {
		r.catchUp(s.Account)
	}
	d, err := r.foldMembers(t, t.Members, news, false)
	if err == nil && r.pages != nil {
		r.keepPage(slot, t, d)
	}
	return d, err
}

// foldMembers folds a response with these of its accounts. With rest, the others of its
// page are shown as before.
func (r *Refolder) foldMembers(t *Told, members []Stay, news map[int64]*news, rest bool) (*Delta, error) {
	r.shown = r.shown[:0]
	for _, s := range members {
		if r.repeats(t, s, news[s.Account]) {
			known := r.numbers[s.Account]
			r.shown = append(r.shown, Shown{ID: known.ID, Known: known, Endpoint: s.Endpoint, Same: true})
			continue
		}
		shown, err := r.show(t, s, news[s.Account])
		if err != nil {
			return nil, err
		}
		r.shown = append(r.shown, shown)
	}
	stored := t.Response
	d, err := r.Workspace.Fold(Answer{Response: stored, Received: stored.At - stored.HeldMS, Shown: r.shown, Rest: rest})
	if err != nil {
		return nil, &RowError{"response", fmt.Sprint(stored.At), err.Error()}
	}
	for _, a := range d.Accounts {
		r.numbers[a.Number] = a
	}
	return d, nil
}

// show is an account as the response shows it.
func (r *Refolder) show(t *Told, s Stay, new *news) (shown Shown, err error) {
	known := r.numbers[s.Account]
	row := known
	if known == nil {
		i := slices.IndexFunc(t.Accounts, func(a *Account) bool { return a.Number == s.Account })
		if i < 0 {
			return shown, &RowError{"account", fmt.Sprint(s.Account), fmt.Sprintf("the response of %d shows it, and it is not known", t.Response.At)}
		}
		row = t.Accounts[i]
	}
	shown = Shown{Known: known, Endpoint: s.Endpoint, ID: row.ID, Salt: row.Salt}
	if o := r.opaque[s.Account]; o != nil {
		shown.Leaf = o.leaf(row.ID, s.Endpoint)
		shown.News = slices.ContainsFunc(t.Erased, func(c Commitment) bool { return c.Account == s.Account })
		return shown, nil
	}
	if new == nil {
		new = &news{}
	}
	shown.Parts.Body, shown.Absent, err = bodyAfter(known, s.Endpoint, new.facts)
	if err == nil && !shown.Absent {
		shown.Parts.Counters, err = countersAfter(known, shown.Parts.Body, new.usage)
	}
	if err != nil {
		err = &RowError{"fact", fmt.Sprintf("account %d at %d", s.Account, t.Response.At), err.Error()}
	}
	return shown, err
}

// absent takes the absences that were found before the instant.
func (r *Refolder) absent(absences *Cursor[Absence], at int64) error {
	for ; absences.OK && absences.Next.Since < at; absences.Step() {
		a := absences.Next
		known := r.numbers[a.Account]
		if known == nil {
			return &RowError{"absence", fmt.Sprintf("account %d since %d", a.Account, a.Since), "the account was not known then"}
		}
		known.AbsentSince = a.Since
		r.lookAgain(a.Account)
	}
	return absences.Err
}
