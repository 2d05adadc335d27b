package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/lobstrail/lobstrail/store"
)

// RunWriter is a run while it runs. It is for one goroutine at a time.
type RunWriter struct {
	store    *Store
	id       int64
	ws       *workspace
	withheld map[string]bool // ids of accounts of which nothing is stored any more
	began    int64           // when the newest response was received before the run began
	told     int64           // the instant that the newest response tells
	clock    clock
	seen     map[string]bool // accounts that it has shown
	past     *past           // see Moment
	over     bool            // Finish was called
}

// ID is the number of the run in its workspace.
func (w *RunWriter) ID() int64 { return w.id }

// Held is the longest time by which an instant had to be moved forward because the
// clock was behind the newest snapshot of the workspace; zero when it never was.
func (w *RunWriter) Held() time.Duration { return time.Duration(w.clock.held) * time.Millisecond }

// Newest is the instant that the newest response of the workspace tells; zero when there
// is none. For a response of an import that is the instant at which the answer was
// saved, also when the store had to keep it as of a later one.
func (w *RunWriter) Newest() time.Time {
	return instant(sql.NullInt64{Int64: w.told, Valid: w.told > 0})
}

// Told reports whether an earlier import of the workspace had a failure with the message.
func (w *RunWriter) Told(ctx context.Context, message string) (told bool, err error) {
	err = w.store.view(ctx, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &told, `
			SELECT EXISTS (
				SELECT 1 FROM run r JOIN failure f ON f.ws = r.ws AND f.run = r.id
				WHERE r.ws = ? AND r.scope = ? AND r.id < ? AND f.message = ?
			)`, w.ws.id, store.ScopeImport, w.id, message)
	})
	return told, err
}

// Begin starts a run in the workspace, which is created when it is new. It returns
// ErrInvalid for a workspace without a name, and for a scope that does not exist.
func (s *Store) Begin(ctx context.Context, workspace string, scope store.Scope) (store.RunWriter, error) {
	if err := store.CheckBegin(workspace, scope); err != nil {
		return nil, err
	}
	w := &RunWriter{store: s}
	err := s.update(ctx, func(tx *txn) (err error) {
		if w.ws, err = s.workspaceOf(ctx, tx, workspace); err != nil {
			return err
		}
		w.began, w.seen = w.ws.known.LastAt, make(map[string]bool, len(w.ws.known.Accounts))
		if err := w.readTold(ctx, tx); err != nil {
			return err
		}
		if w.withheld, err = withheld(ctx, tx, w.ws.id); err != nil {
			return err
		}
		if err := tx.GetContext(ctx, &w.id, `SELECT coalesce(max(id), 0) + 1 FROM run WHERE ws = ?`, w.ws.id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO run (
				ws, id, scope, state, started_at, requested, changed, unchanged, gone, failed, requests, warnings, held_ms, pid, rules
			) VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, '[]', 0, ?, ?)`,
			w.ws.id, w.id, scope, store.Running, floorMS(s.now()), os.Getpid(), s.rules.Version)
		if err != nil {
			return err
		}
		return w.log(ctx, tx)
	})
	if err != nil {
		s.forget()
		return nil, err
	}
	return w, nil
}

// readTold reads the instant that the newest response tells.
func (w *RunWriter) readTold(ctx context.Context, tx *txn) error {
	return tx.each(ctx, func(scan func(...any) error) error { return scan(&w.told) }, `
		SELECT iif(source = ?, at - held_ms, at) FROM response WHERE ws = ? ORDER BY at DESC LIMIT 1`, sourceImport, w.ws.id)
}

// log appends an entry with the run as it stands.
func (w *RunWriter) log(ctx context.Context, tx *txn, more ...string) error {
	line, err := w.ws.logRun(ctx, tx, w.id)
	if err != nil {
		return err
	}
	return w.ws.appendEntry(ctx, tx, append([]string{line}, more...)...)
}

// workspaceOf is the workspace in memory: that of the last run, if it was of the
// same. Nobody else writes while the store is open for writing.
func (s *Store) workspaceOf(ctx context.Context, tx *txn, name string) (*workspace, error) {
	if s.known != nil && s.known.name == name {
		return s.known, nil
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO workspace (id, name)
		SELECT coalesce(max(id), 0) + 1, ?1 FROM workspace HAVING NOT EXISTS (SELECT 1 FROM workspace WHERE name = ?1)`, name); err != nil {
		return nil, err
	}
	id, err := workspaceID(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	w, err := loadWorkspace(ctx, tx, id, name, s.rules)
	s.known = w
	return w, err
}

// forget makes the next transaction load the workspace anew: after one that failed,
// or one that changed what is kept in memory.
func (s *Store) forget() { s.known = nil }

// Finish ends the run. Nothing can be appended to it afterwards. It returns ErrInvalid,
// and the run goes on, if the run cannot end so: see [store.Outcome.Check].
func (w *RunWriter) Finish(ctx context.Context, o store.Outcome) error {
	warnings := o.Warnings
	if warnings == nil {
		warnings = []string{}
	}
	list, err := json.Marshal(warnings)
	if err != nil {
		return err
	}
	return w.update(ctx, func(tx *txn) error {
		if err := w.checkOutcome(ctx, tx, o); err != nil {
			return err
		}
		w.past.close()
		_, err := tx.ExecContext(ctx, `
			UPDATE run
			SET state = ?, requested = ?, requests = max(requests, ?), warnings = ?, finished_at = max(?, started_at)
			WHERE ws = ? AND id = ?`, o.State, o.Requested, o.Requests, string(list), ceilMS(w.store.now()), w.ws.id, w.id)
		if err != nil {
			return err
		}
		w.over = true
		return w.log(ctx, tx)
	})
}

func (w *RunWriter) checkOutcome(ctx context.Context, tx *txn, o store.Outcome) error {
	var run struct {
		Scope    store.Scope `db:"scope"`
		Answered bool        `db:"answered"`
		Failed   int         `db:"failed"`
	}
	err := tx.GetContext(ctx, &run, `
		SELECT scope, first_at IS NOT NULL AS answered, failed FROM run WHERE ws = ? AND id = ?`, w.ws.id, w.id)
	if err != nil {
		return err
	}
	return o.Check(run.Scope, run.Answered, run.Failed)
}

// update runs fn in a transaction of the run. It returns ErrConflict when the run is
// over.
func (w *RunWriter) update(ctx context.Context, fn func(tx *txn) error) error {
	if w.over {
		return fmt.Errorf("%w: the run is over", store.ErrConflict)
	}
	if w.store.known != w.ws { // another transaction failed, or changed what is in memory
		if err := w.reload(ctx); err != nil {
			return err
		}
	}
	err := w.store.update(ctx, fn)
	if err != nil {
		w.over = false
		w.store.forget()
	}
	return err
}

func (w *RunWriter) reload(ctx context.Context) error {
	return w.store.update(ctx, func(tx *txn) (err error) {
		w.ws, err = w.store.workspaceOf(ctx, tx, w.ws.name)
		return err
	})
}

// count moves the counters of the run, in the transaction of what they count. at
// are the instants of the responses.
func (w *RunWriter) count(ctx context.Context, tx *txn, done store.Appended, requests int, at []int64) error {
	first, last := sql.NullInt64{}, sql.NullInt64{}
	if len(at) > 0 {
		first, last = sql.NullInt64{Int64: at[0], Valid: true}, sql.NullInt64{Int64: at[len(at)-1], Valid: true}
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE run
		SET changed = changed + ?, unchanged = unchanged + ?, gone = gone + ?, failed = failed + ?,
			requests = max(requests, ?), held_ms = ?, skew_ms = ?, first_at = coalesce(first_at, ?), last_at = coalesce(?, last_at)
		WHERE ws = ? AND id = ?`,
		done.Changed, done.Unchanged, done.Gone, done.Failed, requests, w.clock.raised, w.clock.skew, first, last, w.ws.id, w.id)
	return err
}

// interruptDeadRuns marks the runs whose process died: this process holds the
// writer's lock, so no other run can be alive.
func (s *Store) interruptDeadRuns(ctx context.Context) error {
	return s.update(ctx, func(tx *txn) error {
		var dead []struct {
			Workspace string `db:"name"`
			WS        int64  `db:"ws"`
			ID        int64  `db:"id"`
		}
		err := tx.SelectContext(ctx, &dead, `
			SELECT w.name AS name, r.ws AS ws, r.id AS id
			FROM run r
			JOIN workspace w ON w.id = r.ws
			WHERE r.state = 'running'
			ORDER BY r.ws, r.id`)
		for _, r := range dead {
			if err != nil {
				break
			}
			w := &workspace{id: r.WS, name: r.Workspace}
			err = tx.execOne(ctx, `UPDATE run SET state = ? WHERE ws = ? AND id = ?`, store.Interrupted, r.WS, r.ID)
			if err == nil {
				var line string
				if line, err = w.logRun(ctx, tx, r.ID); err == nil {
					err = w.appendEntry(ctx, tx, line)
				}
			}
		}
		return err
	})
}

// querier is a transaction that is read from.
type querier interface {
	getter
	SelectContext(ctx context.Context, dest any, query string, args ...any) error
}
