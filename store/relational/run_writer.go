package relational

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// RunWriter is a run while it runs. It is for one goroutine at a time.
type RunWriter struct {
	store     *Store
	id        int64
	ws        *workspace
	withheld  map[string]bool // ids of accounts of which nothing is stored any more
	began     int64           // when the newest response was received before the run began
	told      int64           // the instant that the newest response tells
	clock     clock
	seen      map[string]bool // accounts that it has shown
	past      *past           // see Moment
	pastReads int
	over      bool // Finish was called
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
	err = w.store.db.Read(ctx, func(tx Tx) error {
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
func (s *Store) Begin(ctx context.Context, name string, scope store.Scope) (store.RunWriter, error) {
	if err := store.CheckBegin(name, scope); err != nil {
		return nil, err
	}
	w := &RunWriter{store: s}
	err := s.update(ctx, name, func(tx Tx, ws *workspace) error {
		w.ws = ws
		w.began, w.seen = w.ws.known.LastAt, make(map[string]bool, len(w.ws.known.Accounts))
		if err := w.readTold(ctx, tx); err != nil {
			return err
		}
		var err error
		if w.withheld, err = withheld(ctx, tx, w.ws.id); err != nil {
			return err
		}
		if err := tx.GetContext(ctx, &w.id, `SELECT coalesce(max(id), 0) + 1 FROM run WHERE ws = ?`, w.ws.id); err != nil {
			return err
		}
		err = tx.Exec(ctx, `
			INSERT INTO run (
				ws, id, scope, state, started_at, requested, changed, unchanged, gone, failed, requests, warnings, held_ms, pid, rules
			) VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, '[]', 0, ?, ?)`,
			w.ws.id, w.id, scope, store.Running, floorMS(s.now()), s.Marks.PID, s.rules.Version)
		if err != nil {
			return err
		}
		return w.log(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// readTold reads the instant that the newest response tells.
func (w *RunWriter) readTold(ctx context.Context, tx Tx) error {
	return Each(ctx, tx, `
		SELECT CASE WHEN source = ? THEN at - held_ms ELSE at END FROM response WHERE ws = ? ORDER BY at DESC LIMIT 1`, []any{sourceImport, w.ws.id}, func(scan func(...any) error) error { return scan(&w.told) })
}

// log appends an entry with the run as it stands.
func (w *RunWriter) log(ctx context.Context, tx Tx, more ...string) error {
	line, err := w.ws.logRun(ctx, tx, w.id)
	if err != nil {
		return err
	}
	return w.ws.appendEntry(ctx, tx, append([]string{line}, more...)...)
}

// update runs fn in a write transaction, with what is known of the workspace: that of the
// last run stays in memory, for nobody else writes to it meanwhile. When the database makes
// fn begin again, or when it fails, all is read anew: fn may have changed it.
func (s *Store) update(ctx context.Context, name string, fn func(tx Tx, w *workspace) error) error {
	var w *workspace
	err := s.db.Write(ctx, []string{name}, func(tx Tx) (err error) {
		w = s.known
		s.forget()
		if w == nil || w.name != name {
			if w, err = openWorkspace(ctx, tx, name, s.rules); err != nil {
				return err
			}
			w.salt = s.Marks.Salt
		}
		return fn(tx, w)
	})
	if err == nil {
		s.known = w
	}
	return err
}

// openWorkspace reads what is known of a workspace, which is created when it is new.
func openWorkspace(ctx context.Context, tx Tx, name string, rules store.Rules) (*workspace, error) {
	id, err := WorkspaceID(ctx, tx, name)
	if err == nil && id == 0 {
		if err = tx.GetContext(ctx, &id, `SELECT coalesce(max(id), 0) + 1 FROM workspace`); err == nil {
			err = tx.Exec(ctx, `INSERT INTO workspace (id, name) VALUES (?, ?)`, id, name)
		}
	}
	if err != nil {
		return nil, err
	}
	return loadWorkspace(ctx, tx, id, name, rules)
}

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
	err = w.update(ctx, func(tx Tx) error {
		if err := w.checkOutcome(ctx, tx, o); err != nil {
			return err
		}
		w.past.close()
		err := tx.Exec(ctx, `
			UPDATE run
			SET state = ?, requested = ?, requests = greatest(requests, ?), warnings = ?, finished_at = greatest(?, started_at)
			WHERE ws = ? AND id = ?`, o.State, o.Requested, o.Requests, string(list), ceilMS(w.store.now()), w.ws.id, w.id)
		if err != nil {
			return err
		}
		return w.log(ctx, tx)
	})
	w.over = w.over || err == nil
	return err
}

func (w *RunWriter) checkOutcome(ctx context.Context, tx Tx, o store.Outcome) error {
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
func (w *RunWriter) update(ctx context.Context, fn func(tx Tx) error) error {
	if w.over {
		return fmt.Errorf("%w: the run is over", store.ErrConflict)
	}
	return w.store.update(ctx, w.ws.name, func(tx Tx, ws *workspace) error {
		w.ws = ws
		return fn(tx)
	})
}

// count moves the counters of the run, in the transaction of what they count. at
// are the instants of the responses.
func (w *RunWriter) count(ctx context.Context, tx Tx, done store.Appended, requests int, at []int64) error {
	first, last := sql.NullInt64{}, sql.NullInt64{}
	if len(at) > 0 {
		first, last = sql.NullInt64{Int64: at[0], Valid: true}, sql.NullInt64{Int64: at[len(at)-1], Valid: true}
	}
	err := tx.Exec(ctx, `
		UPDATE run
		SET changed = changed + ?, unchanged = unchanged + ?, gone = gone + ?, failed = failed + ?,
			requests = greatest(requests, ?), held_ms = ?, skew_ms = ?, first_at = coalesce(first_at, ?), last_at = coalesce(?, last_at)
		WHERE ws = ? AND id = ?`,
		done.Changed, done.Unchanged, done.Gone, done.Failed, requests, w.clock.raised, w.clock.skew, first, last, w.ws.id, w.id)
	return err
}

// interruptDeadRuns marks the runs of a workspace whose process died: this process holds
// the writer's lock, so no other run can be alive.
func interruptDeadRuns(ctx context.Context, tx Tx, ws int64, name string) error {
	var dead []int64
	if err := tx.SelectContext(ctx, &dead, `SELECT id FROM run WHERE ws = ? AND state = 'running' ORDER BY id`, ws); err != nil {
		return err
	}
	w := &workspace{id: ws, name: name}
	for _, id := range dead {
		if err := tx.ExecOne(ctx, `UPDATE run SET state = ? WHERE ws = ? AND id = ?`, store.Interrupted, ws, id); err != nil {
			return err
		}
		line, err := w.logRun(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := w.appendEntry(ctx, tx, line); err != nil {
			return err
		}
	}
	return nil
}
