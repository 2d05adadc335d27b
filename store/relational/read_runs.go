package relational

import (
	"context"
	"encoding/json"
	"iter"
	"math"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Runs streams the runs of a workspace, the newest first. A run whose process is dead
// is returned as Interrupted.
func (s *Store) Runs(ctx context.Context, workspace string) iter.Seq2[store.Run, error] {
	return func(yield func(store.Run, error) bool) {
		lives, err := s.db.WriterLives(ctx, workspace)
		if err != nil {
			yield(store.Run{}, err)
			return
		}
		rows := rowsOf(ctx, s, `
			SELECT`+runColumns+`
			FROM run
			WHERE ws = (SELECT id FROM workspace WHERE name = ?)
			ORDER BY id DESC`, []any{workspace}, runRow.run)
		newest := true
		for run, err := range rows {
			run.Workspace = workspace
			run.State = stateOf(run.State, lives && newest)
			newest = false
			if err == nil && run.Failed > 0 {
				err = s.db.Read(ctx, func(tx Tx) error {
					run.Failures, err = failuresOf(ctx, tx, workspace, run.ID)
					return err
				})
			}
			if !yield(run, err) || err != nil {
				return
			}
		}
	}
}

// CompleteRuns reads the newest complete runs over all accounts of a workspace that were
// over at a moment, the newest first and at most n of them.
func (s *Store) CompleteRuns(ctx context.Context, workspace string, at time.Time, n int) (runs []store.Run, err error) {
	rows := rowsOf(ctx, s, `
		SELECT`+runColumns+`
		FROM run
		WHERE ws = (SELECT id FROM workspace WHERE name = ?) AND scope = ? AND state = ? AND finished_at <= ?
		ORDER BY id DESC
		LIMIT ?`, []any{workspace, store.ScopeAll, store.Complete, at.UnixMilli(), n}, runRow.run)
	for run, err := range rows {
		if err != nil {
			return nil, err
		}
		run.Workspace = workspace
		runs = append(runs, run)
	}
	return runs, nil
}

// Run reads one run with its failures. It returns ErrNotFound when the workspace has
// no such run.
func (s *Store) Run(ctx context.Context, workspace string, id int64) (run store.Run, err error) {
	lives, err := s.db.WriterLives(ctx, workspace)
	if err != nil {
		return store.Run{}, err
	}
	err = s.db.Read(ctx, func(tx Tx) error {
		var row runRow
		err := tx.GetContext(ctx, &row, `
			SELECT`+runColumns+`
			FROM run
			WHERE ws = (SELECT id FROM workspace WHERE name = ?) AND id = ?`, workspace, id)
		if err != nil {
			return err
		}
		if run, err = row.run(); err != nil {
			return err
		}
		var last int64
		err = tx.GetContext(ctx, &last, `SELECT max(id) FROM run WHERE ws = (SELECT id FROM workspace WHERE name = ?)`, workspace)
		if err != nil {
			return err
		}
		run.Workspace, run.State = workspace, stateOf(run.State, lives && last == id)
		run.Failures, err = failuresOf(ctx, tx, workspace, id)
		return err
	})
	return run, err
}

// stateOf corrects the state of a run that is marked as running: it is so only while
// the writer lives, and only the newest run can be the writer's.
func stateOf(stored store.RunState, alive bool) store.RunState {
	if stored == store.Running && !alive {
		return store.Interrupted
	}
	return stored
}

func failuresOf(ctx context.Context, tx Tx, workspace string, run int64) ([]store.Failure, error) {
	var rows []failureRow
	err := tx.SelectContext(ctx, &rows, `
		SELECT account, kind, http_status, message, at
		FROM failure
		WHERE ws = (SELECT id FROM workspace WHERE name = ?) AND run = ?
		ORDER BY n`, workspace, run)
	failures := make([]store.Failure, len(rows))
	for i, row := range rows {
		failures[i] = store.Failure{
			Account: row.Account.String, Kind: store.FailureKind(row.Kind), HTTPStatus: int(row.HTTPStatus.Int64),
			Message: row.Message, At: time.UnixMilli(row.At).UTC(),
		}
	}
	return failures, err
}

func (r runRow) run() (store.Run, error) {
	run := store.Run{
		ID: r.ID, Scope: store.Scope(r.Scope), State: r.State, Started: time.UnixMilli(r.Started).UTC(), Finished: instant(r.Finished),
		Requested: int(r.Requested), Changed: int(r.Changed), Unchanged: int(r.Unchanged), Gone: int(r.Gone), Failed: int(r.Failed),
		Requests: int(r.Requests), Held: spanMS(r.HeldMS),
	}
	if r.SkewMS.Valid {
		run.Skew = new(spanMS(r.SkewMS.Int64))
	}
	if err := json.Unmarshal([]byte(r.Warnings), &run.Warnings); err != nil {
		return store.Run{}, Damaged("run", err)
	}
	return run, nil
}

// spanMS is a span of that many milliseconds, or the longest that there is: a server
// may claim any year.
func spanMS(ms int64) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	return time.Duration(min(max(ms, -most), most)) * time.Millisecond
}

// Workspaces lists the workspaces of the store, by name.
func (s *Store) Workspaces(ctx context.Context) (names []string, err error) {
	err = s.db.Read(ctx, func(tx Tx) error {
		return tx.SelectContext(ctx, &names, `SELECT name FROM workspace ORDER BY name`)
	})
	return names, err
}
