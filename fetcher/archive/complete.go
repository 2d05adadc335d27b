package archive

import (
	"fmt"

	"github.com/lobstrail/lobstrail/store"
)

// minMass is how many accounts a list must lack before that can be a mass
// disappearance.
const minMass = 3

// showsTwice is why nothing follows from what a list lacks: it was not of one moment.
const showsTwice = "it shows an account twice, with different objects"

// whole reports whether the answer that was read is a complete list, so that
// something follows from what it lacks.
func (r *reader) whole() bool {
	return r.options.Complete && r.answer.doubt == "" && !r.answer.passed && !r.answer.told.IsZero()
}

// conclude ends a list that is complete: what it lacks is unlisted in the
// transaction that stores the last of it, so that no crash comes between. It is
// concluded again from a list that the store has, if that is its newest answer.
func (r *reader) conclude() error {
	switch {
	case r.options.Complete && r.answer.stored && !r.whole():
		r.fail(fmt.Sprintf("%s: nothing is concluded from what this list lacks: %s", r.item.Name, r.answer.doubt))
		return r.endList(nil)
	case !r.whole():
		return nil
	case r.answer.shows == 0:
		return r.concludeNobody()
	case r.answer.stored || r.answer.had && r.order.tie.atEnd(r.answer.place):
		return r.endList(r.conclusion())
	}
	return nil
}

// endList hands on the batch with the end of the list, and nothing behind it.
func (r *reader) endList(conclusion store.Conclusion) error {
	r.anyone = r.anyone || r.answer.stored
	r.batches.now.ends, r.batches.now.conclusion = true, conclusion
	if err := r.batches.send(r.ctx); err != nil {
		return err
	}
	return r.batches.renew(r.ctx)
}

// concludeNobody ends a complete list of nobody: an error, more likely than not,
// unless nobody was known.
func (r *reader) concludeNobody() error {
	switch {
	case !r.anyone:
		return nil
	case r.answer.place != next && r.order.tie.nobody(r.answer.place):
		r.answer.had = true
		return nil
	case r.answer.place == onFile || r.answer.place == older: // who was known then, nobody can tell
		return nil
	case !r.options.AcceptGone:
		r.fail(r.item.Name + ": nothing is concluded from a list of nobody: " + r.options.ConfirmGone)
		return nil
	}
	pages, err := r.order.tie.arrange(r.ctx, []store.Response{{Source: store.Import}}, true, true)
	if err != nil {
		return err
	}
	r.answer.stored, r.order.newest = true, r.order.tie.at
	r.batches.close(pages, r.answer.told)
	return r.endList(r.conclusion())
}

// conclusion decides about what a list lacks. As with a list that was fetched, it
// must show an account that was known before, and must not lack too many.
func (r *reader) conclusion() store.Conclusion {
	name := r.item.Name
	if r.options.AcceptGone {
		return func(store.Lacking) string { return "" }
	}
	return func(l store.Lacking) string {
		switch {
		case l.Shown == 0:
			return fmt.Sprintf("%s: nothing is concluded from what this list lacks: it shows none of the %d accounts known here; "+
				"is it of another workspace? %s", name, l.Known, r.options.ConfirmGone)
		case l.Unlisted >= minMass && 2*l.Unlisted > l.Known:
			return fmt.Sprintf("%s: nothing is concluded from what this list lacks: %d of the %d accounts known here at once; %s",
				name, l.Unlisted, l.Known, r.options.ConfirmGone)
		}
		return ""
	}
}
