package fetcher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Job takes snapshots of the accounts of one workspace into a store. Client, Store and
// Workspace must be set. A job is for one goroutine at a time.
type Job struct {
	Client *Client
	// Store is open for writing.
	Store store.Store
	// Workspace is the name of the history. It stands for the workspace of the client's
	// key: a key of another workspace must never be used with it.
	Workspace string
	// Deadline is the longest that one call of Snapshot may take; 0 means that only ctx
	// ends it.
	Deadline time.Duration
	// Progress, unless nil, is told how far a snapshot has come. It is called from one
	// goroutine at a time.
	Progress func(Progress)
	// Remarks, unless nil, returns further warnings for a run. It gets the run as it is
	// stored just before it ends.
	Remarks func(store.Run) []string
}

// RunError means that a run ended, and did not get everything that was asked for. What
// it got is stored.
type RunError struct {
	// Run is the run as it is stored, with its failures and warnings. Its state is
	// [store.Incomplete], or [store.Failed] if it got nothing at all.
	Run store.Run
}

// Error tells the state of the run, and a reason.
func (e *RunError) Error() string {
	text := fmt.Sprintf("run %d is %s", e.Run.ID, e.Run.State)
	switch {
	case len(e.Run.Failures) > 0:
		text += fmt.Sprintf(": %d failed, the first with: %s", e.Run.Failed, e.Run.Failures[0].Message)
	case len(e.Run.Warnings) > 0:
		text += ": " + e.Run.Warnings[0]
	}
	return text
}

// Snapshot takes snapshots of the accounts that the references name, one request each,
// or of all accounts of the workspace if there is no reference. A reference is an id,
// or whatever [store.Choose] finds a known account by, such as its username.
//
// The run is returned as it is stored, also beside an error. The error is a [RunError]
// when the run ended without everything that was asked for; otherwise it is one of
// [Client.SnapshotAll] or of the store. It matches [store.ErrNotFound],
// [store.ErrRedacted] or [store.AmbiguousError] when a reference does not name one
// account that can be asked for: then no run was begun, and the run is zero.
func (j Job) Snapshot(ctx context.Context, references ...string) (store.Run, error) {
	if err := j.check(); err != nil {
		return store.Run{}, err
	}
	ids, err := j.resolve(ctx, references)
	if err != nil {
		return store.Run{}, err
	}
	scope := store.ScopeAll
	if len(ids) > 0 {
		scope = store.ScopeNamed
	}
	writer, err := j.Store.Begin(ctx, j.Workspace, scope)
	if err != nil {
		return store.Run{}, err
	}
	outcome, err := j.fetch(ctx, writer, ids)
	if err != nil && ctx.Err() == nil { // so that the run tells the reason too
		outcome.Warnings = append(outcome.Warnings, err.Error())
	}
	if j.Remarks != nil {
		so, unread := j.Store.Run(context.WithoutCancel(ctx), j.Workspace, writer.ID())
		if err = errors.Join(err, unread); unread == nil {
			outcome.Warnings = append(outcome.Warnings, j.Remarks(so)...)
		}
	}
	run, ended := store.End(ctx, j.Store, j.Workspace, writer, outcome)
	if err = errors.Join(err, ended); err == nil && run.State != store.Complete {
		err = &RunError{run}
	}
	return run, err
}

func (j Job) check() error {
	switch {
	case j.Client == nil || j.Store == nil:
		return errors.New("job: Client and Store must be set")
	case j.Workspace == "":
		return errors.New("job: Workspace must be set")
	}
	return nil
}

// resolve returns the ids of the accounts that references name, each once.
func (j Job) resolve(ctx context.Context, references []string) (ids []string, err error) {
	if len(references) == 0 {
		return nil, nil
	}
	redacted, err := j.Store.Withheld(ctx, j.Workspace)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, reference := range references {
		id := strings.ToLower(reference)
		if !store.IsAccountID(id) {
			found, err := j.Store.FindAccount(ctx, j.Workspace, reference, time.Time{})
			if err != nil {
				return nil, fmt.Errorf("account %q: %w", reference, err)
			}
			id = found.ID
		}
		if redacted[id] {
			return nil, fmt.Errorf("account %s: %w", id, store.ErrRedacted)
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// errDeadline is the cause of the context when the deadline of a job has passed.
var errDeadline = errors.New("the job's deadline has passed")

// fetch asks for the accounts with the ids, or for all if there are none. That the
// deadline has passed is no error: the outcome tells it.
func (j Job) fetch(ctx context.Context, rec Recorder, ids []string) (outcome store.Outcome, err error) {
	if j.Deadline > 0 {
		bounded, cancel := context.WithTimeoutCause(ctx, j.Deadline, errDeadline)
		defer cancel()
		ctx = bounded
	}
	if len(ids) == 0 {
		outcome, err = j.Client.SnapshotAll(ctx, rec, j.Progress)
	} else {
		outcome, err = j.Client.SnapshotNamed(ctx, rec, slices.Values(ids), j.Progress)
	}
	if errors.Is(err, errDeadline) {
		err = nil
	}
	return outcome, err
}
