package main

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// latestRun stands for the newest run that has ended.
const latestRun = "latest"

// runNamed is the number of the run that the user means: a number, or the latest.
func (a *app) runNamed(ctx context.Context, s store.Store, text string) (int64, error) {
	if strings.EqualFold(text, latestRun) {
		latest, err := a.newestEnded(ctx, s)
		if err == nil && latest == 0 {
			err = noMatch(usage("no run of workspace %q has ended yet\n\"lobstrail snapshot\" makes one", a.workspace))
		}
		return latest, err
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, usage("%q is not the number of a run\n\"lobstrail runs\" lists them; \"latest\" is the newest that has ended", text)
	}
	_, err = s.Run(ctx, a.workspace, id)
	if errors.Is(err, store.ErrNotFound) {
		return 0, a.noRun(id)
	}
	return id, err
}

func (a *app) noRun(id int64) error {
	return usage("no run %d in workspace %q\n\"lobstrail runs\" lists them", id, a.workspace)
}

// newestEnded is the newest run that has ended, however; 0 if there is none.
func (a *app) newestEnded(ctx context.Context, s store.Store) (int64, error) {
	for run, err := range s.Runs(ctx, a.workspace) {
		if err != nil {
			return 0, err
		}
		if run.State != store.Running {
			return run.ID, nil
		}
	}
	return 0, nil
}

// cursorName is a name that can be typed, and seen.
var cursorName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// changesSince lists what a consumer has not seen yet, and then saves what it has seen.
// An answer that could not be written was not seen.
func (a *app) changesSince(ctx context.Context, o changesOptions) error {
	switch {
	case !cursorName.MatchString(o.cursor):
		return usage("--cursor %s is no name of a consumer\na name has up to 64 letters, digits, dots, dashes and underscores", o.cursor)
	}
	var seen, newest int64
	err := a.listChanges(ctx, o, func(s store.Store, q *store.ChangeQuery) (err error) {
		if seen, err = s.Cursor(ctx, a.workspace, o.cursor); err != nil {
			return err
		}
		if newest, err = a.newestEnded(ctx, s); err != nil {
			return err
		}
		if q.AfterRun, q.UpToRun = seen, newest; newest == 0 {
			q.UpToRun = -1 // before all runs
		}
		if seen > 0 {
			q.Since = time.Time{} // it said where to begin
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDifference) || newest <= seen {
		return err
	}
	saved := a.changing(ctx, o.lockWait, func(s store.Store) error { return s.SaveCursor(ctx, a.workspace, o.cursor, newest) })
	if saved != nil {
		a.note("note: the cursor %s was not saved: the next call lists the same changes again", o.cursor)
		return saved
	}
	return err
}
