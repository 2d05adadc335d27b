package fetcher

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"github.com/lobstrail/lobstrail/store"
)

// maxOutages is how many accounts in a row may fail because of the service, each
// after all its tries, before a batch gives up: ten thousand of them would take
// days and find out nothing.
const maxOutages = 10

// batch is one job. Its methods run on the goroutine of the job.
type batch struct {
	*session
	absences
	rec       Recorder
	progress  func(Progress)
	state     Progress
	requested int
	failed    int // accounts (or pages) that could not be snapshotted
	outages   int // in a row
	warnings  []string
	// looked says that a response was stored, or that an account was answered with a
	// 404 of whatever origin. A job without either is a failed one.
	looked bool
}

// stopError ends a batch early, and is a warning rather than an error: what was
// stored stays, and the job can be run again.
type stopError struct{ text string }

func (e *stopError) Error() string { return e.text }

// SnapshotAll takes snapshots of all accounts: it walks the list and, when the
// list was whole, asks for the details of every known account that was not on
// it. Progress may be nil; it is called from one goroutine at a time.
//
// Accounts become unlisted or gone at the end of the job, and only if the key is
// known to be this workspace's and they are not too many; [Config].AcceptGone
// confirms that they are. Otherwise nothing is concluded about them, and the
// outcome is incomplete.
//
// The outcome is meaningful also beside an error, which is: one that matches
// [ErrKeyRefused]; a [WorkspaceError]; the recorder's error, as it is; or the
// cause when ctx is done. Everything else that goes wrong makes the outcome
// incomplete (failed, if nothing at all was stored), with failures in the
// recorder and warnings in the outcome.
func (c *Client) SnapshotAll(ctx context.Context, rec Recorder, progress func(Progress)) (store.Outcome, error) {
	b := c.newBatch(rec, progress)
	return b.finish(ctx, b.all(ctx))
}

// SnapshotNamed takes snapshots of the accounts with these ids, by their details.
// ids is consumed once, as the job proceeds, on another goroutine; it must end
// also when the job stops early, so that what was asked for can be counted. An
// account named twice is asked for twice. Progress and errors are those of
// [Client.SnapshotAll].
func (c *Client) SnapshotNamed(ctx context.Context, rec Recorder, ids iter.Seq[string], progress func(Progress)) (store.Outcome, error) {
	b := c.newBatch(rec, progress)
	return b.finish(ctx, b.named(ctx, ids))
}

// named is the job of SnapshotNamed.
func (b *batch) named(ctx context.Context, ids iter.Seq[string]) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	named, err := b.details(ctx, ids)
	b.requested = named
	return b.conclude(ctx, err)
}

func (c *Client) newBatch(rec Recorder, progress func(Progress)) *batch {
	if progress == nil {
		progress = func(Progress) {}
	}
	return &batch{session: &session{Client: c}, absences: newAbsences(), rec: rec, progress: progress}
}

// finish returns the outcome of a job that ended with err.
func (b *batch) finish(ctx context.Context, err error) (store.Outcome, error) {
	state := store.Complete
	stop, stopped := errors.AsType[*stopError](err)
	switch {
	case stopped:
		b.warn("the job was stopped: %s", stop.text)
		state, err = b.partial(), nil
	case err != nil && !errors.Is(err, ErrKeyRefused) && ctx.Err() != nil:
		state, err = b.cancelled(ctx), context.Cause(ctx)
	case err != nil:
		state = store.Failed
	case b.failed > 0 || len(b.warnings) > 0:
		state = b.partial()
	}
	return store.Outcome{State: state, Requested: b.requested, Requests: b.sent(), Warnings: b.warnings}, err
}

// partial is the state of a job that did not get everything: failed when it got
// nothing at all.
func (b *batch) partial() store.RunState {
	if b.looked {
		return store.Incomplete
	}
	return store.Failed
}

// cancelled returns the state of a job whose ctx ended it.
func (b *batch) cancelled(ctx context.Context) store.RunState {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		b.warn("the job was stopped: its deadline passed before everything was fetched")
		return b.partial()
	}
	return store.Interrupted
}

func (b *batch) warn(format string, args ...any) {
	b.warnings = append(b.warnings, fmt.Sprintf(format, args...))
}

// append stores responses, all or none, and counts what became of them.
func (b *batch) append(ctx context.Context, responses ...store.Response) (store.Appended, error) {
	for i := range responses {
		responses[i].Requests = b.sent() // others may have been sent, and stored, since it came
	}
	// They came, and are worth having, also when the job was interrupted meanwhile.
	got, err := b.rec.AppendAll(context.WithoutCancel(ctx), responses)
	if err != nil {
		return got, err
	}
	b.looked = true
	b.failed += got.Failed
	b.did(got.Captured() + got.Gone + got.StillGone + got.Failed)
	return got, nil
}

func (b *batch) did(n int) {
	b.state.Done += n
	b.state.Requests = b.sent()
	b.progress(b.state)
}

// fail stores why a request failed; account is "" for a page. It returns an
// error when the job must not go on: the recorder's, the cause when ctx is done,
// one that matches ErrKeyRefused, or a stopError.
func (b *batch) fail(ctx context.Context, account string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if stored := b.rec.Fail(ctx, b.sent(), FailureOf(account, err)); stored != nil {
		if errors.Is(err, ErrKeyRefused) {
			return errors.Join(err, stored)
		}
		return stored
	}
	b.failed++
	b.looked = b.looked || account != "" && isNotFound(err)
	b.did(1)
	return b.verdict(err)
}

// verdict returns nil when the job may go on after err.
func (b *batch) verdict(err error) error {
	if errors.Is(err, ErrKeyRefused) {
		return fmt.Errorf("%w: %w", ErrKeyRefused, err)
	}
	last := lastTry(err)
	if wait, ok := errors.AsType[*WaitError](last); ok {
		return &stopError{wait.Error()}
	}
	if status, ok := errors.AsType[*StatusError](last); ok && status.Code == http.StatusBadRequest {
		return &stopError{"the API refuses the request: " + status.Error()}
	}
	if !isOutage(err) {
		b.outages = 0
		return nil
	}
	if b.outages++; b.outages >= maxOutages {
		return &stopError{fmt.Sprintf("%d requests in a row failed, each after all its tries; the last one: %v", b.outages, last)}
	}
	return nil
}
