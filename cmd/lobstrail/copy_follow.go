package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// longestPause is how long a mirror waits at most before it tries again what failed, unless
// it looks less often anyway.
const longestPause = time.Minute

// mirror copies what is new until it is stopped. A server that cannot be reached does not
// end it, nor does anything else that may pass once the first copy is made.
func (a *app) mirror(ctx context.Context, o copyOptions) error {
	if a.format == string(render.JSON) { // a line for each answer
		a.format = string(render.NDJSON)
	}
	every := o.every.or(5 * time.Second)
	copied, failures, told := false, 0, ""
	for {
		done, err := a.copyOnce(ctx, o, copied)
		switch {
		case ctx.Err() != nil:
			return stopped(ctx)
		case err == nil:
			if failures > 0 {
				a.note("the copy goes on")
			}
			copied, failures, told = true, 0, ""
			if err := a.printNew(o, done); err != nil {
				return err
			}
		case !copied && !errors.Is(err, store.ErrUnreachable), endsMirror(err):
			return a.explainCopy(o, err)
		default:
			failures++
			if text := err.Error(); text != told { // not every minute the same
				told = text
				text = fmt.Sprintf("lobstrail: nothing can be copied for now, and it is tried again: %v", err)
				fmt.Fprintln(a.env.stderr, render.Clean(withoutSecrets(text)))
			}
		}
		select {
		case <-time.After(mirrorPause(every, failures)):
		case <-ctx.Done():
			return stopped(ctx)
		}
	}
}

// mirrorPause returns the pause before the next copy: every, doubled for each failure in a
// row, up to longestPause.
func mirrorPause(every time.Duration, failures int) time.Duration {
	return max(every, min(longestPause, every<<min(failures, 6)))
}

// stopped is the end of a mirror: it is as good a moment as any other.
func stopped(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errTerminated) {
		return nil
	}
	return errEnded
}

// endsMirror reports whether an error is none that passes. A database that can only be
// read does pass: while another server becomes the primary.
func endsMirror(err error) bool {
	var wrong *usageError
	for _, lasting := range []error{
		store.ErrDiverged, store.ErrSame, store.ErrDamaged, store.ErrNewer, store.ErrForeign, store.ErrUnreleased, store.ErrInvalid, store.ErrStatement,
	} {
		if errors.Is(err, lasting) {
			return true
		}
	}
	return errors.As(err, &wrong)
}

// printNew prints what was copied of the workspaces of which something was.
func (a *app) printNew(o copyOptions, done []store.Copied) error {
	changed := done[:0:0]
	for _, c := range done {
		if c.Changed() {
			changed = append(changed, c)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return a.report(false, func() error {
		if a.format != string(render.Table) {
			return a.printCopied(o, changed)
		}
		for _, c := range changed {
			text := fmt.Sprintf("%s  workspace %s: %s copied, %d in all", render.Time(a.env.now(), a.env.zone), c.Workspace,
				many(c.Tree.N-c.Before, "entry", "entries"), c.Tree.N)
			if _, err := fmt.Fprintln(a.env.stdout, render.Clean(text)); err != nil {
				return err
			}
		}
		return nil
	})
}
