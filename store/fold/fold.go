package fold

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// Answer is a response, with what it shows taken apart.
type Answer struct {
	Response         // Run, Source, Slot, Sent and Server; the rest is worked out
	Received int64   // as it was told, rounded up
	Shown    []Shown // Fold sorts them
	// Rest says that the response shows what the last one of its slot showed, and that
	// nothing follows from the accounts that are not in Shown: they say what they said. They
	// are left out of Delta.Shown, too.
	Rest     bool
	Failures []store.Failure
}

// Shown is an account object as a response shows it.
type Shown struct {
	ID       string
	Known    *Account // that of the workspace; nil: it has none of that id
	Absent   bool     // the account was answered with 404; the rest is left out then
	Endpoint Endpoint
	Digest   []byte // of the object as it was received; nil: not known
	// Same says that it is what [Account.Same] reports to be known. Parts are then
	// left out.
	Same  bool
	Parts document.Parts
	Err   error       // why it cannot be understood
	Salt  ledger.Salt // of the account, should it be new
	// Leaf is that of a snapshot of which everything else was erased; nil: it is worked
	// out. Nothing follows from such a snapshot.
	Leaf *ledger.Hash
	News bool // of such a snapshot: it showed something new
}

// Fold works out what the response changes. It returns an error for a response that
// cannot be one: an account without an id, or an account that was not loaded whole
// and has to be. An account object that cannot be understood is a failure.
func (w *Workspace) Fold(r Answer) (*Delta, error) {
	f := &folding{w: w, answer: &r, delta: &Delta{Response: r.Response, Failures: slices.Clone(r.Failures)}}
	f.at = r.At
	if f.at <= w.LastAt {
		return nil, fmt.Errorf("store: fold: a response of %d after one of %d", f.at, w.LastAt)
	}
	f.delta.Response.HeldMS = f.at - r.Received
	f.delta.Response.Sent = min(r.Sent, f.at)
	if err := f.take(); err != nil {
		return nil, err
	}
	w.LastAt = f.at
	page := f.page()
	if err := f.turnPage(page); err != nil {
		return nil, err
	}
	d := f.delta
	d.Done.Failed = len(d.Failures)
	d.Done.Unchanged += len(page.Members) - len(d.Shown)
	d.Response.Shown = int64(len(page.Members))
	d.Response.Changed, d.Response.Gone = int64(d.Done.Changed), int64(d.Done.Gone)
	d.Response.Absent = int64(d.Done.Gone + d.Done.StillGone)
	d.Response.News, d.News = int64(len(f.news)), f.news
	return d, nil
}

// folding is one response on its way.
type folding struct {
	w      *Workspace
	answer *Answer
	at     int64
	delta  *Delta
	news   map[int64]bool // accounts
}

// take takes what the response shows, in the order of the accounts' numbers: new
// ones come last, as they are named.
func (f *folding) take() error {
	number := func(s Shown) int64 {
		if s.Known != nil {
			return s.Known.Number
		}
		return f.w.NextAccount
	}
	all := f.answer.Shown
	if order := func(a, b Shown) int { return cmp.Compare(number(a), number(b)) }; !slices.IsSortedFunc(all, order) {
		slices.SortStableFunc(all, order)
	}
	f.delta.Shown = make([]Snapshot, 0, len(all))
	for i := range all {
		if err := f.takeOne(&all[i]); err != nil {
			return err
		}
	}
	return nil
}

func (f *folding) takeOne(s *Shown) error {
	a := s.Known
	if a == nil {
		a = f.w.Accounts[s.ID] // the response may show a new account twice
	}
	switch {
	case a == nil && !s.Absent && !store.IsAccountID(s.ID):
		return fmt.Errorf("store: append: %q is not an account id", s.ID)
	case a != nil && a.seenAt(f.at):
		if !s.Absent {
			f.delta.Done.Repeated++
		}
		return nil
	case s.Absent:
		return f.absent(a, s.ID)
	}
	return f.see(a, s)
}

// see takes an account object. a is nil at first sight.
func (f *folding) see(a *Account, s *Shown) error {
	switch {
	case s.Leaf != nil:
		if a == nil {
			a = f.newAccount(s)
		}
		a.Said[s.Endpoint].Leaf = *s.Leaf
		f.show(a, s.Endpoint)
		if s.News {
			f.isNews(a)
		}
		f.delta.Done.Withheld++
		return nil
	case s.Same && a != nil:
		f.show(a, s.Endpoint)
		f.delta.Done.Unchanged++
		return nil
	case s.Err != nil:
		f.fail(s.ID, s.Err)
		return nil
	case a != nil && !a.Whole:
		return fmt.Errorf("store: fold: account %s was not loaded whole", a.ID)
	}
	if a != nil && f.unchangedButCounters(a, s) {
		f.move(a, s)
		a.Said[s.Endpoint].Leaf = a.leaf(s.Endpoint)
		f.show(a, s.Endpoint)
		f.touch(a)
		f.delta.Done.Unchanged++
		return nil
	}
	return f.compare(a, s)
}

// unchangedButCounters reports whether the document is the one before, and nothing
// follows from it. What resets_in says changes the health, and so is looked at.
func (f *folding) unchangedButCounters(a *Account, s *Shown) bool {
	said := &a.Said[s.Endpoint]
	if !a.settled(s.Endpoint, f.answer.Source, f.at) || !bytes.Equal(said.Body, s.Parts.Body) {
		return false
	}
	return !f.moves(a, s) || isNull(a.Counters.Find(document.ResetsIn).Body) && isNull(resetsIn(s.Parts.Counters))
}

// moves reports whether the object has counters otherwise than they were.
func (f *folding) moves(a *Account, s *Shown) bool {
	return slices.ContainsFunc(s.Parts.Counters, func(c document.Counter) bool { return a.Counters.Find(c.Pointer).MovesTo(c) })
}

// move takes the counters that the object has otherwise than they were. It reports
// whether there are any, or the digest is another.
func (f *folding) move(a *Account, s *Shown) {
	said := &a.Said[s.Endpoint]
	if !bytes.Equal(said.Digest, s.Digest) {
		said.Digest = bytes.Clone(s.Digest)
	}
	for _, c := range s.Parts.Counters {
		if !a.Counters.Find(c.Pointer).MovesTo(c) {
			continue
		}
		a.Counters.Set(c)
		a.CountersAt = f.at
		f.delta.Usage = append(f.delta.Usage, Usage{a.Number, f.at, c})
		f.isNews(a)
	}
}

// absent takes an account that the API answered 404 for.
func (f *folding) absent(a *Account, id string) error {
	switch {
	case a == nil:
		f.delta.Failures = append(f.delta.Failures, store.Failure{
			Account: id, Kind: store.FailNotFound, HTTPStatus: 404,
			Message: "the API knows no such account, and neither does the store",
		})
		return nil
	case a.Gone:
		f.show(a, Detail)
		f.delta.Done.StillGone++
		return nil
	case !a.Whole:
		return fmt.Errorf("store: fold: account %s was not loaded whole", a.ID)
	}
	return f.lose(a)
}

// show adds a snapshot of the account to the response.
func (f *folding) show(a *Account, e Endpoint) {
	said := &a.Said[e]
	said.Sent, said.Received = f.delta.Response.Sent, f.at
	f.delta.Shown = append(f.delta.Shown, Snapshot{a, e, said.Leaf})
}

func (f *folding) fail(id string, err error) {
	f.delta.Failures = append(f.delta.Failures, store.Failure{
		Account: id, Kind: store.FailDecode, HTTPStatus: 200, Message: err.Error(),
	})
}

func (f *folding) isNews(a *Account) { f.newsOf(a.Number) }

// newsOf notes that the response showed something new of an account, by its number.
func (f *folding) newsOf(account int64) {
	if f.news == nil {
		f.news = map[int64]bool{}
	}
	f.news[account] = true
}

// touch notes that the state of the account must be saved.
func (f *folding) touch(a *Account) {
	if n := len(f.delta.Touched); n == 0 || f.delta.Touched[n-1] != a {
		f.delta.Touched = append(f.delta.Touched, a)
	}
}

// isNull reports whether a JSON value is null or missing.
func isNull(value []byte) bool { return len(value) == 0 || value[0] == 'n' }

func resetsIn(counters []document.Counter) json.RawMessage {
	for _, c := range counters {
		if c.Pointer == document.ResetsIn {
			return json.RawMessage(c.Body)
		}
	}
	return nil
}
