package archive

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// answer is what was saved at one instant, as far as it was read.
type answer struct {
	told   time.Time // when; zero: not known yet
	origin Origin    // of told
	place  place
	passed bool   // what it shows is left out: it was refused, or nothing tells its instant
	had    bool   // the store has what it shows, or a part of that
	stored bool   // some of it goes into the store
	shows  int    // accounts, as far as it was read
	doubt  string // why nothing follows from what it lacks; "": nothing was found
}

// errPassed ends the reading of an item of which nothing more is taken.
var errPassed = errors.New("nothing more is taken")

var errNoInstant = errors.New("an answer this large must tell its instant before its accounts")

// date gives the answer its instant.
func (r *reader) date(at time.Time, origin Origin) (err error) {
	r.answer.told, r.answer.origin = at, origin
	if r.answer.place, err = r.order.place(r.ctx, at, r.item.Name); err != nil {
		return err
	}
	if r.answer.place == refused {
		r.pass()
	}
	for range accountsOf(r.batches.pages()) {
		return r.expect()
	}
	return nil
}

// pass leaves out an answer that was refused.
func (r *reader) pass() {
	r.answer.passed = true
	r.result.Refused++
	r.batches.close(nil, time.Time{})
}

// expect is called before the answer shows an account: an answer that is older
// than the store's newest is refused then, and not before. One that shows nobody
// does no harm.
func (r *reader) expect() error {
	if r.answer.place != older || r.options.Field != "" { // see bringsAgain
		return nil
	}
	r.refuse()
	return errPassed
}

func (r *reader) refuse() {
	r.order.refuse(r.answer.place, r.item.Name, r.answer.told)
	r.pass()
}

// settle decides what becomes of the pages that were read of the answer. ends says
// that the answer ends with them.
func (r *reader) settle(ends bool) error {
	pages := r.batches.pages()
	shows := 0
	for range accountsOf(pages) {
		shows++
	}
	r.answer.shows += shows
	switch {
	case r.answer.passed || r.answer.told.IsZero():
		r.batches.close(nil, time.Time{})
		return nil
	case shows == 0: // a response would close the past for nothing
		pages = slices.Clone(pages)
		r.batches.close(nil, time.Time{})
		for _, page := range pages {
			for _, failure := range page.Failures {
				if _, err := r.complain(failure); err != nil {
					return err
				}
			}
		}
		return nil
	}
	again := r.bringsAgain(pages)
	exactly := -1
	if ends && r.options.Complete {
		exactly = r.answer.shows
	}
	has, spans, err := r.order.tie.has(r.ctx, pages, r.answer.place, exactly)
	switch {
	case err != nil:
		return err
	case has, again && r.answer.place == older:
		if r.answer.had = true; spans {
			r.answer.doubt = showsTwice
		}
		r.batches.close(nil, time.Time{})
		return nil
	case r.answer.place == onFile, r.answer.place == older:
		r.refuse()
		return nil
	}
	first := r.answer.place == next || r.options.Complete && !r.answer.had && !r.answer.stored
	read := len(pages)
	if pages, err = r.order.tie.arrange(r.ctx, pages, first, r.options.Complete); err != nil {
		return err
	}
	if len(pages) > read {
		r.answer.doubt = showsTwice
	}
	r.answer.place, r.answer.stored = tied, true
	r.order.newest = r.order.tie.at
	r.batches.close(pages, r.answer.told)
	return nil
}

// bringsAgain reports whether this import had the pages before, not too long ago,
// and takes note of them. A log that grew and was committed again and again has its
// answers many times, and the store does not know them yet.
func (r *reader) bringsAgain(pages []store.Response) bool {
	if r.options.Field == "" {
		return false
	}
	sum := sha256.New()
	sum.Write(strconv.AppendInt(nil, r.answer.told.UnixNano(), 10)) // never fails
	for seen := range accountsOf(pages) {
		is := contentsOf(seen)
		sum.Write([]byte(seen.ID))
		sum.Write(is[:])
	}
	if of := digest(sum.Sum(nil)); r.brought.id(of) == "" {
		r.brought.add(of, "answer")
		return false
	}
	return true
}

// finish ends the answer.
func (r *reader) finish() error {
	err := r.settle(true)
	if err == nil {
		err = r.conclude()
	}
	if err == nil {
		r.count()
	}
	r.answer = answer{}
	return err
}

// count counts the answer.
func (r *reader) count() {
	switch a := &r.answer; {
	case a.passed || a.told.IsZero():
	case a.had && !a.stored:
		r.result.Skipped++
	default:
		r.result.Origins[a.origin]++
	}
}

// makeRoom sees to it that an object of n bytes fits into the batch. When the batch
// has to go, the part of the answer that was read goes with it; while the instant
// is not known, that part stays.
func (r *reader) makeRoom(n int) error {
	if r.batches.fits(n) {
		return nil
	}
	if r.answer.told.IsZero() && len(r.batches.pages()) > 0 {
		return r.batches.moveOn(r.ctx)
	}
	if err := r.settle(false); err != nil {
		return err
	}
	if err := r.batches.send(r.ctx); err != nil {
		return err
	}
	return r.batches.renew(r.ctx)
}

// complain makes a failure of the item. What an earlier import said of an item
// that cannot change is not said again; complain reports whether it was said.
func (r *reader) complain(failure store.Failure) (bool, error) {
	if r.item.Fixed {
		if told, err := r.order.rec.Told(r.ctx, failure.Message); told || err != nil {
			return false, err
		}
	}
	r.batches.fail(failure)
	return true, nil
}
