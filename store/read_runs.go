package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"math"
	"time"

	"github.com/jmoiron/sqlx"
)

// Runs streams the runs of a workspace, the newest first. A run whose process is
// dead is answered as Interrupted.
func (s *Store) Runs(ctx context.Context, workspace string) iter.Seq2[Run, error] {
	return func(yield func(Run, error) bool) {
		lives, err := s.writerLives()
		if err != nil {
			yield(Run{}, err)
			return
		}
		rows := rowsOf(ctx, s, runColumns+`
			WHERE w.name = ?
			ORDER BY r.id DESC`, []any{workspace}, runRow.run)
		newest := true
		for run, err := range rows {
			run.State = stateOf(run.State, lives && newest)
			newest = false
			if err == nil && run.Failed > 0 {
				run.Failures, err = s.failures(ctx, run.ID)
			}
			if !yield(run, err) || err != nil {
				return
			}
		}
	}
}

// CompleteRuns reads the newest complete runs over all accounts of a workspace that
// were over at a moment, the newest first and at most n of them.
func (s *Store) CompleteRuns(ctx context.Context, workspace string, at time.Time, n int) ([]Run, error) {
	var runs []Run
	rows := rowsOf(ctx, s, runColumns+`
		WHERE w.name = ? AND r.scope = ? AND r.state = ? AND r.finished_at <= ?
		ORDER BY r.id DESC
		LIMIT ?`, []any{workspace, ScopeAll, Complete, at.UnixMilli(), n}, runRow.run)
	for run, err := range rows {
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// Run reads one run with its failures. It returns ErrNotFound when the workspace
// has no such run.
func (s *Store) Run(ctx context.Context, workspace string, id int64) (run Run, err error) {
	lives, err := s.writerLives()
	if err != nil {
		return Run{}, err
	}
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		var row runRow
		if err := tx.GetContext(ctx, &row, runColumns+` WHERE w.name = ? AND r.id = ?`, workspace, id); err != nil {
			return err
		}
		if run, err = row.run(); err != nil {
			return err
		}
		var last int64
		if err := tx.GetContext(ctx, &last, `SELECT max(id) FROM run`); err != nil {
			return err
		}
		run.State = stateOf(run.State, lives && last == id)
		run.Failures, err = failuresOf(ctx, tx, id)
		return err
	})
	return run, err
}

// writerLives reports whether some process writes to the store; this one does
// when it is a writer.
func (s *Store) writerLives() (bool, error) {
	if s.write != nil {
		return true, nil
	}
	return writerLives(s.path)
}

// stateOf corrects the state of a run that is marked as running: it is so only
// while the writer lives, and only the newest run can be the writer's.
func stateOf(stored RunState, alive bool) RunState {
	if stored == Running && !alive {
		return Interrupted
	}
	return stored
}

func (s *Store) failures(ctx context.Context, run int64) (failures []Failure, err error) {
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		failures, err = failuresOf(ctx, tx, run)
		return err
	})
	return failures, err
}

func failuresOf(ctx context.Context, tx *sqlx.Tx, run int64) ([]Failure, error) {
	var rows []struct {
		Account    sql.NullString `db:"account"`
		Kind       FailureKind    `db:"kind"`
		HTTPStatus sql.NullInt64  `db:"http_status"`
		Message    string         `db:"message"`
		At         sql.NullInt64  `db:"at"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT account, kind, http_status, message, at FROM failure WHERE run_id = ? ORDER BY id`, run)
	failures := make([]Failure, len(rows))
	for i, row := range rows {
		failures[i] = Failure{
			Account: row.Account.String, Kind: row.Kind, HTTPStatus: int(row.HTTPStatus.Int64),
			Message: row.Message, At: instant(row.At),
		}
	}
	return failures, err
}

const runColumns = `
	SELECT
		r.id AS id,
		w.name AS workspace,
		r.state AS state,
		r.started_at AS started_at,
		r.finished_at AS finished_at,
		r.requested AS requested,
		r.changed AS changed,
		r.unchanged AS unchanged,
		r.gone AS gone,
		r.failed AS failed,
		r.requests AS requests,
		r.warnings AS warnings,
		r.held_ms AS held_ms,
		r.skew_ms AS skew_ms
	FROM run r
	JOIN workspace w ON w.id = r.workspace_id`

type runRow struct {
	ID        int64         `db:"id"`
	Workspace string        `db:"workspace"`
	State     RunState      `db:"state"`
	Started   sql.NullInt64 `db:"started_at"`
	Finished  sql.NullInt64 `db:"finished_at"`
	Requested int           `db:"requested"`
	Changed   int           `db:"changed"`
	Unchanged int           `db:"unchanged"`
	Gone      int           `db:"gone"`
	Failed    int           `db:"failed"`
	Requests  int           `db:"requests"`
	Warnings  string        `db:"warnings"`
	HeldMS    int64         `db:"held_ms"`
	SkewMS    sql.NullInt64 `db:"skew_ms"`
}

func (r runRow) run() (Run, error) {
	run := Run{
		ID: r.ID, Workspace: r.Workspace, State: r.State, Started: instant(r.Started), Finished: instant(r.Finished),
		Requested: r.Requested, Changed: r.Changed, Unchanged: r.Unchanged, Gone: r.Gone, Failed: r.Failed,
		Requests: r.Requests, Held: spanMS(r.HeldMS),
	}
	if r.SkewMS.Valid {
		run.Skew = new(spanMS(r.SkewMS.Int64))
	}
	if err := json.Unmarshal([]byte(r.Warnings), &run.Warnings); err != nil {
		return Run{}, damagedRow("run", err)
	}
	return run, nil
}

// spanMS is a span of so many milliseconds, or the longest that there is: a server
// may claim any year.
func spanMS(ms int64) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	return time.Duration(min(max(ms, -most), most)) * time.Millisecond
}

// Workspaces lists the workspaces of the store, by name.
func (s *Store) Workspaces(ctx context.Context) (names []string, err error) {
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &names, `SELECT name FROM workspace ORDER BY name`)
	})
	return names, err
}
