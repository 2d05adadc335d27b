package relational

import (
	"context"
	"fmt"
	"slices"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/fold"
)

// Append stores what the response shows, whole or not at all, together with the
// progress of its run. When it returns without an error, that survives the death of
// the process and of the machine.
//
// An account whose object has the same bytes as before costs nothing of its own. One
// that cannot be understood becomes a failure of the run; one that this run has
// already seen in a list is left out and counted as Repeated.
func (w *RunWriter) Append(ctx context.Context, r store.Response) (store.Appended, error) {
	return w.AppendAll(ctx, []store.Response{r})
}

// AppendAll is [RunWriter.Append] of several responses, one after the other, in one
// transaction: all of them are stored or none. It returns the sum.
func (w *RunWriter) AppendAll(ctx context.Context, responses []store.Response) (store.Appended, error) {
	if err := ctx.Err(); err != nil {
		return store.Appended{}, context.Cause(ctx)
	}
	// A page takes milliseconds and is worth having: from here on it is not broken off.
	ctx = context.WithoutCancel(ctx)
	t, before, told := &transaction{}, w.clock, w.told
	undo := func() {
		w.clock, w.told = before, told
		for _, id := range t.seen {
			delete(w.seen, id)
		}
	}
	err := w.update(ctx, func(tx Tx) error {
		undo() // what an attempt did that the database broke off
		t = &transaction{run: w, touched: map[*fold.Account]bool{}}
		w.ws.trim(w.store.AtOnce.Accounts)
		for _, r := range responses {
			if err := t.append(ctx, tx, r); err != nil {
				return err
			}
		}
		if err := t.end(ctx, tx); err != nil {
			return err
		}
		if last := len(responses) - 1; last >= 0 && responses[last].Complete != nil && t.done.Failed == 0 {
			concluded, err := w.conclude(ctx, tx, responses[last].Complete)
			if err != nil {
				return err
			}
			t.done.Add(concluded)
			return w.count(ctx, tx, concluded, 0, nil)
		}
		return nil
	})
	if err != nil {
		undo()
		return store.Appended{}, err
	}
	return t.done, nil
}

// transaction is the responses that are appended in one transaction.
type transaction struct {
	run      *RunWriter
	done     store.Appended
	requests int
	at       []int64
	seen     []string // accounts that the run had not shown before
	lines    []string
	touched  map[*fold.Account]bool
	moved    []fold.Usage
}

// append loads what a response may touch, folds it, and applies what it changes.
func (t *transaction) append(ctx context.Context, tx Tx, r store.Response) error {
	if r.Source == store.List && len(r.Absent) > 0 {
		return fmt.Errorf("store: append: a list cannot say that account %s is gone", r.Absent[0])
	}
	w := t.run
	r = t.leaveOut(r)
	if err := w.ws.load(ctx, tx, r); err != nil {
		return err
	}
	answer, err := w.ws.answer(ctx, tx, r)
	if err != nil {
		return err
	}
	answer.Run = w.id
	delta, err := w.ws.known.Fold(answer)
	if err != nil {
		return err
	}
	if err := w.ws.apply(ctx, tx, delta); err != nil {
		return err
	}
	failures, err := w.insertFailures(ctx, tx, delta.Failures)
	if err != nil {
		return err
	}
	w.clock.advance(w.began, delta.Response.At, r)
	if w.told = delta.Response.At; r.Source == store.Import {
		w.told = ceilMS(r.Received)
	}
	t.lines = append(append(t.lines, delta.Response.Line()), failures...)
	t.at = append(t.at, delta.Response.At)
	t.moved = append(t.moved, delta.Usage...)
	t.done.Add(delta.Done)
	t.requests = max(t.requests, r.Requests)
	for _, a := range delta.Touched {
		t.touched[a] = true
	}
	return nil
}

// end writes what is written once for all responses.
func (t *transaction) end(ctx context.Context, tx Tx) error {
	if len(t.at) == 0 {
		return nil
	}
	if err := t.run.ws.save(ctx, tx, t.at[0], t.touched, t.moved); err != nil {
		return err
	}
	if err := t.run.count(ctx, tx, t.done, t.requests, t.at); err != nil {
		return err
	}
	return t.run.ws.appendEntry(ctx, tx, t.lines...)
}

// leaveOut leaves out the accounts that were redacted, and those that the run has
// seen already.
func (t *transaction) leaveOut(r store.Response) store.Response {
	w := t.run
	leave := func(id string) bool {
		if w.withheld[id] {
			t.done.Withheld++
			return true
		}
		return false
	}
	r.Absent = without(r.Absent, func(id *string) bool { return leave(*id) })
	for _, id := range r.Absent {
		t.see(id)
	}
	r.Accounts = without(r.Accounts, func(o *store.Observed) bool {
		if leave(o.ID) {
			return true
		}
		if t.see(o.ID) && r.Source == store.List { // it has drifted onto another page
			t.done.Repeated++
			return true
		}
		return false
	})
	return r
}

// without is all but those that fn leaves out, and asks it once of each. The usual case is
// that it leaves out none.
func without[T any](all []T, fn func(*T) bool) []T {
	for i := range all {
		if !fn(&all[i]) {
			continue
		}
		rest := slices.Clone(all[:i])
		for j := i + 1; j < len(all); j++ {
			if !fn(&all[j]) {
				rest = append(rest, all[j])
			}
		}
		return rest
	}
	return all
}

// see notes that the run shows the account, and reports whether it did before.
func (t *transaction) see(id string) bool {
	if t.run.seen[id] {
		return true
	}
	t.run.seen[id] = true
	t.seen = append(t.seen, id)
	return false
}

// answer takes apart what a response shows, and loads all of what is known of the
// accounts that may have changed.
func (w *workspace) answer(ctx context.Context, tx Tx, r store.Response) (fold.Answer, error) {
	slot := w.known.SlotOf(&r)
	a := fold.Answer{Received: ceilMS(r.Received), Failures: r.Failures, Shown: make([]fold.Shown, len(r.Accounts))}
	a.Source, a.Slot, a.Sent = r.Source, slot.Number, floorMS(r.Sent)
	if !r.ServerTime.IsZero() {
		a.Server = new(r.ServerTime.UnixMilli())
	}
	a.At = w.known.At(a.Received)
	for i := range r.Accounts {
		if err := w.show(ctx, tx, r.Source, &a.Shown[i], &r.Accounts[i], a.At); err != nil {
			return a, err
		}
	}
	for _, id := range r.Absent {
		known := w.known.Accounts[id]
		a.Shown = append(a.Shown, fold.Shown{ID: id, Known: known, Absent: true})
		if known != nil && !known.Gone {
			if err := w.complete(ctx, tx, known); err != nil {
				return a, err
			}
		}
	}
	return a, w.loadPage(ctx, tx, slot)
}

func (w *workspace) show(ctx context.Context, tx Tx, source store.Source, to *fold.Shown, o *store.Observed, at int64) error {
	known := w.known.Accounts[o.ID]
	*to = fold.Shown{ID: o.ID, Known: known, Digest: o.Sum()}
	if known != nil {
		if to.Endpoint, to.Same = known.Same(source, to.Digest, at); to.Same {
			return nil
		}
	}
	if to.Parts, to.Err = document.Split(o.Raw); to.Err != nil {
		return nil
	}
	to.Endpoint = fold.EndpointOf(store.ShapeOf(source, to.Parts.Body))
	if known == nil {
		to.Salt = w.salt(o.ID)
		return nil
	}
	return w.complete(ctx, tx, known)
}
