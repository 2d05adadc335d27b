package engines_test

import (
	"context"
	"database/sql"
	"net/url"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/storetest/engines"
)

// storedRun is a run in a database, with the instants at which it asked the clock.
type storedRun struct {
	id       int64
	state    store.RunState
	pid      int
	started  int64
	finished sql.NullInt64
	steps    []storedStep
}

// storedStep is a response, by the clock of its process.
type storedStep struct {
	received, server int64
	note             sql.NullString // which step of which run it says that it is, in JSON
}

// storedRuns reads the runs of the workspace, which must have one number each, from 1 on.
// It fails unless instants rise, and all responses of a run come before those of the next.
func storedRuns(t *testing.T, place string) (runs []storedRun) {
	t.Helper()
	db := onDatabase(t, place)
	query(t, db, `SELECT id, state, pid, started_at, finished_at FROM run ORDER BY id`, func(scan func(...any) error) error {
		var r storedRun
		err := scan(&r.id, &r.state, &r.pid, &r.started, &r.finished)
		if runs = append(runs, r); int(r.id) != len(runs) {
			t.Errorf("run %d follows run %d", r.id, len(runs)-1)
		}
		return err
	})
	last, lastAt := int64(0), int64(0)
	query(t, db, `
		SELECT r.at, r.run, r.at - r.held_ms, r.server_at, (
			SELECT max(f.value) FROM fact f JOIN name n ON n.ws = f.ws AND n.id = f.name AND n.top = 'note' AND n.sub = ''
			WHERE f.ws = r.ws AND f.at = r.at
		)
		FROM response r ORDER BY r.at`, func(scan func(...any) error) error {
		var at, run int64
		var s storedStep
		if err := scan(&at, &run, &s.received, &s.server, &s.note); err != nil {
			return err
		}
		if at <= lastAt || run < last || run > int64(len(runs)) {
			t.Fatalf("a response of run %d at %d follows one of run %d at %d", run, at, last, lastAt)
		}
		last, lastAt = run, at
		runs[run-1].steps = append(runs[run-1].steps, s)
		return nil
	})
	return runs
}

func query(t *testing.T, db *sql.DB, text string, row func(scan func(...any) error) error) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// replay stores the runs in a file, each by a process of its own, and returns the tree of
// its log. A run that was interrupted ends with its process.
func replay(t *testing.T, runs []storedRun, steps int) tlog.Tree {
	t.Helper()
	file := engines.All[0]
	place := file.Place(t, report.Rules())
	for _, r := range runs {
		if err := r.replay(t.Context(), file, place, steps); err != nil {
			t.Fatalf("run %d: %v", r.id, err)
		}
	}
	last, err := file.OpenWriter(t.Context(), place, engines.Options{Rules: report.Rules()})
	if err != nil {
		t.Fatal(err)
	}
	if err := last.Close(); err != nil {
		t.Fatal(err)
	}
	return sound(t, file, place)
}

func (r storedRun) replay(ctx context.Context, e engines.Engine, place string, steps int) error {
	now := r.started
	s, err := e.OpenWriter(ctx, place, engines.Options{Now: func() time.Time { return time.UnixMilli(now) }, Rules: report.Rules(), Marks: marks(r.pid)})
	if err != nil {
		return err
	}
	defer s.Close() // its error would show in what is compared
	run, err := s.Begin(ctx, acme, store.ScopeAll)
	if err != nil {
		return err
	}
	for i, step := range r.steps {
		if _, err := run.Append(ctx, answer(r.id, i+1, steps, time.UnixMilli(step.received), time.UnixMilli(step.server))); err != nil {
			return err
		}
	}
	if r.state == store.Interrupted {
		return nil
	}
	now = r.finished.Int64
	return run.Finish(ctx, outcome(r.id, steps))
}

// withLease is the place of a store for processes whose leases are short.
func withLease(t testing.TB, place string) string {
	t.Helper()
	u, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("lease", theLease.String())
	u.RawQuery = q.Encode()
	return u.String()
}
