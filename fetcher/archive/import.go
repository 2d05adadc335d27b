package archive

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/store"
)

// Import appends all items to the run that rec stands for. Progress may be nil.
//
// What cannot be read is left out and becomes a failure of the run, and the
// outcome is then incomplete; what the store has already is skipped, so that an
// import can be run again and goes on where it stopped. The outcome and the
// result are meaningful also beside an error: one of items, one of the recorder,
// or the cause when ctx is done.
//
// Reading and storing go on side by side.
func Import(ctx context.Context, rec Recorder, items Items, o Options, progress func(Progress)) (store.Outcome, Result, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.ConfirmGone = cmp.Or(o.ConfirmGone, "if the accounts were really deleted, confirm it with AcceptGone")
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &reader{
		ctx:       reading,
		options:   o,
		batches:   newBatches(),
		inspector: fetcher.NewInspector(o.Token),
		order:     order{rec: rec, now: o.Now(), newest: rec.Newest()},
		result:    Result{Origins: map[Origin]int{}},
	}
	_, known, err := rec.Known(ctx, nil)
	if err != nil {
		return store.Outcome{State: store.Failed}, r.result, err
	}
	r.anyone = known > 0
	failed := make(chan error, 1)
	go func() { failed <- r.run(items) }()
	w := writer{rec: rec, progress: progress}
	for b := range r.batches.ready {
		if err := w.store(ctx, b); err != nil {
			stop(err)
		}
		r.batches.free <- b
	}
	err = <-failed
	if err == nil {
		err = w.err // of the last batch, which the reader was not told of
	}
	r.result.Bytes, r.result.Unlisted = r.batches.progress.Bytes, w.sum.Unlisted
	outcome := w.outcome(ctx, err)
	if raised := r.order.end.raised; raised > 0 {
		outcome.Warnings = append(outcome.Warnings, fmt.Sprintf("answers that tell the instant of another answer: %d; "+
			"each is stored a millisecond after the one before it", raised))
	}
	return outcome, r.result, err
}

// writer stores batches.
type writer struct {
	rec      Recorder
	progress func(Progress)
	sum      store.Appended
	failures int
	doubt    bool // a part of the list that is being stored could not be understood
	err      error
}

func (w *writer) store(ctx context.Context, b *batch) error {
	if w.err != nil {
		return w.err
	}
	var done store.Appended
	// The failures first: whoever goes on after a crash between the two reads
	// their items again, but not those that are stored.
	if len(b.failures) > 0 {
		w.err = w.rec.Fail(ctx, 0, b.failures...)
	}
	conclusion := b.conclusion
	if w.doubt {
		conclusion = nil
	}
	switch last := len(b.responses) - 1; {
	case w.err != nil:
	case last >= 0:
		b.responses[last].Complete = conclusion
		done, w.err = w.rec.AppendAll(ctx, b.responses)
	case conclusion != nil:
		done, w.err = w.rec.Conclude(ctx, conclusion)
	}
	if w.err != nil {
		return w.err
	}
	w.doubt = !b.ends && (w.doubt || done.Failed > 0)
	w.failures += done.Failed + len(b.failures)
	w.sum.Add(done)
	if w.progress != nil {
		w.progress(b.progress)
	}
	return nil
}

func (w *writer) outcome(ctx context.Context, err error) store.Outcome {
	o := store.Outcome{State: store.Complete, Requested: w.sum.Captured() + w.failures}
	switch {
	case err != nil && ctx.Err() != nil:
		o.State = store.Interrupted
	case err != nil:
		o.State = store.Failed
	case w.failures > 0:
		o.State = store.Incomplete
	}
	return o
}
