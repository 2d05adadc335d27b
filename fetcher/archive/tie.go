package archive

import (
	"context"
	"iter"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// tie puts the answers of one instant in order. An answer that contradicts the
// answer before, because it shows an account with another object, is stored behind
// it. One that shows other accounts belongs to the answer before: the pages of a
// list may be saved in files of their own.
//
// An answer that the store has is recognised by the objects of its accounts, in
// the order in which they are on record, so that an import can be run again.
type tie struct {
	at     time.Time
	moment store.Moment     // what the store had of the instant; nil: nothing
	part   int              // of the moment, where the answer before was found
	added  bool             // the import has stored an answer of the instant
	base   store.Moment     // the last answer of the instant began there; nil: in this import
	shown  map[key]contents // what the import has stored of the last answer
	pages  int              // of the last answer that are stored
	raised int              // answers of all instants that were stored later than they tell
}

// key is the id of an account, which has 32 characters, and contents its object: a
// digest, cut to save memory. A thousand accounts take about 100 kB.
type (
	key      [32]byte
	contents [16]byte
)

func keyOf(seen *store.Observed) (k key) {
	copy(k[:], seen.ID)
	return k
}

func contentsOf(seen *store.Observed) contents {
	if len(seen.Digest) >= len(contents{}) {
		return contents(seen.Digest[:len(contents{})])
	}
	sum := digestOf(seen.Raw)
	return contents(sum[:len(contents{})])
}

// begin goes on to another instant. old says that the store may have answers of it.
func (t *tie) begin(ctx context.Context, rec Recorder, at time.Time, old bool) (err error) {
	*t = tie{at: at, shown: t.shown, raised: t.raised}
	if t.shown == nil {
		t.shown = map[key]contents{}
	}
	clear(t.shown)
	if old {
		t.moment, err = rec.Moment(ctx, at)
		if t.base = t.moment; t.moment != nil {
			t.pages = t.moment.Pages()
		}
	}
	return err
}

// has reports whether the store has all that the pages show: they are on record,
// or the same as what this import stored last. exactly, unless it is negative, is
// how many accounts the answer shows that the store must have, and not more. spans
// reports whether the answer is on record in more than one part, because it shows
// an account twice.
func (t *tie) has(ctx context.Context, pages []store.Response, where place, exactly int) (has, spans bool, err error) {
	if t.added {
		for seen := range accountsOf(pages) {
			if is, shown := t.shown[keyOf(seen)]; !shown || is != contentsOf(seen) {
				return false, false, nil
			}
		}
		return exactly < 0 || exactly == len(t.shown), false, nil
	}
	if t.moment == nil {
		return false, false, nil
	}
	from := t.part
	if where == onFile {
		from = 0 // there is nothing to be added: the order says nothing
	}
	for seen := range accountsOf(pages) {
		if t.moment.Redacted(seen.ID) {
			exactly--
		}
	}
	for from < t.moment.Parts() {
		first, last, err := t.find(ctx, pages, from)
		if last < 0 || err != nil {
			return false, false, err
		}
		if spans = first != last; spans || exactly < 0 || !t.moment.Whole() || exactly == t.moment.Accounts(last) {
			t.part = last
			return true, spans, nil
		}
		from = last + 1
	}
	return false, false, nil
}

// find returns the parts of the moment that show the first account of the pages and
// the last one, and those between in their order; last is negative if there are
// none.
func (t *tie) find(ctx context.Context, pages []store.Response, from int) (first, last int, err error) {
	first, last = -1, from
	for seen := range accountsOf(pages) {
		if last, err = t.moment.Find(ctx, seen, last); last < 0 || err != nil {
			return first, last, err
		}
		if first < 0 {
			first = last
		}
	}
	return first, last, nil
}

// atEnd reports whether the answer that the store has is its newest one.
func (t *tie) atEnd(where place) bool {
	return where == tied && !t.added && t.moment != nil && t.moment.Whole() && t.part == t.moment.Parts()-1
}

// nobody reports whether the store has an answer of the instant that shows nobody;
// of the newest instant, whether that is the newest answer.
func (t *tie) nobody(where place) bool {
	if t.added || t.moment == nil {
		return t.added && len(t.shown) == 0
	}
	for part := t.moment.Parts() - 1; part >= 0; part-- {
		if t.moment.Accounts(part) == 0 {
			return true
		}
		if where == tied {
			break
		}
	}
	return false
}

// arrange prepares pages for the end of the history. first says that they are the
// first ones of the instant, and list that they are of a list. An account that comes
// again with another object begins another answer: no response shows an account twice.
func (t *tie) arrange(ctx context.Context, pages []store.Response, first, list bool) ([]store.Response, error) {
	later, err := t.contradicted(ctx, pages)
	if err != nil {
		return nil, err
	}
	if later {
		t.raised++
	}
	later = later || first
	arranged := make([]store.Response, 0, len(pages))
	for _, page := range pages {
		for rest := page.Accounts; ; later = true {
			n := t.add(rest, later)
			part := page
			part.Accounts = rest[:n:n]
			t.number(&part, later, list)
			if rest = rest[n:]; len(rest) == 0 {
				arranged = append(arranged, part)
				break
			}
			t.raised++
			if part.Failures = nil; n > 0 { // they stay with the last part
				arranged = append(arranged, part)
			}
		}
		later = false
	}
	t.added = true
	return arranged, nil
}

// number gives a page its number in the answer. One account that is no list has none: it
// is compared with what was saved of it before, and not with a page.
func (t *tie) number(page *store.Response, first, list bool) {
	if first {
		t.pages = 0
	}
	if t.pages++; list || len(page.Accounts) != 1 {
		page.Page = t.pages
	}
}

// add takes note of accounts that are stored, up to one that contradicts. It
// returns how many these are.
func (t *tie) add(accounts []store.Observed, later bool) int {
	if later {
		clear(t.shown)
		t.base = nil
	}
	for i := range accounts {
		seen := &accounts[i]
		is := contentsOf(seen)
		if was, shown := t.shown[keyOf(seen)]; shown && was != is {
			return i
		}
		t.shown[keyOf(seen)] = is
	}
	return len(accounts)
}

// contradicted reports whether the pages show an account that the last answer of
// the instant shows too, with another object.
func (t *tie) contradicted(ctx context.Context, pages []store.Response) (bool, error) {
	for seen := range accountsOf(pages) {
		if was, shown := t.shown[keyOf(seen)]; shown && was != contentsOf(seen) {
			return true, nil
		}
		if t.base == nil {
			continue
		}
		if contradicts, err := t.base.Contradicts(ctx, seen); contradicts || err != nil {
			return contradicts, err
		}
	}
	return false, nil
}

// accountsOf are the accounts that the pages show.
func accountsOf(pages []store.Response) iter.Seq[*store.Observed] {
	return func(yield func(*store.Observed) bool) {
		for i := range pages {
			for j := range pages[i].Accounts {
				if !yield(&pages[i].Accounts[j]) {
					return
				}
			}
		}
	}
}
