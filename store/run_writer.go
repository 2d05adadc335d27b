package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// Scope says which accounts a run is about.
type Scope string

// The scopes of runs.
const (
	ScopeAll    Scope = "all"    // every account of the workspace
	ScopeNamed  Scope = "named"  // accounts given by name
	ScopeImport Scope = "import" // brought along from files
)

// RunWriter is a run while it runs. It is for one goroutine at a time.
type RunWriter struct {
	store         *Store
	id            int64
	firstResponse int64 // no response of this run has a lower id
	clock         clock
	heads         *heads
	withheld      map[string]bool // ids of accounts of which nothing is stored any more
	digests       digestCache     // of Moment
	numbers       *numbering      // nil: rows get the number that follows
}

// clock is how far the history of a workspace goes. Instants are Unix
// milliseconds.
type clock struct {
	began        int64 // last when the run began
	last         int64 // when the newest response was received
	lastResponse int64 // the first response of that instant
	told         int64 // the instant that the newest response tells, before it was raised
	held         int64 // the longest by which an instant lay before the beginning
	// What the run is told to have: see Run.
	raised int64 // the longest by which an instant was raised
	skew   sql.NullInt64
}

// place is the instant as of which a response is kept: never before the newest one.
func (c *clock) place(r Response) int64 {
	last := c.last
	if r.Later && r.Source == Import {
		last++
	}
	return max(ceilMS(r.Received), last)
}

// advance takes note of a response which came at the instant told, and is kept as
// of received.
func (c *clock) advance(p *page, r Response) {
	told := ceilMS(r.Received)
	if p.received > c.last {
		c.last, c.lastResponse = p.received, p.id
	}
	if c.told = told; r.Source != Import { // there the order of answers raises, and no clock
		c.told, c.held = p.received, max(c.held, c.began-told)
	}
	// A 404 is stored at the end of its job: it being late says nothing about the clock.
	if r.Source != Import && len(r.Absent) == 0 {
		c.raised = max(c.raised, p.received-told)
	}
	if r.ServerTime.IsZero() {
		return
	}
	// The answer was made halfway, as far as anybody knows, and its Date is cut to
	// the second. While it may have been made when the Date says, the clocks may agree.
	skew := (p.sent+told)/2 - r.ServerTime.UnixMilli() - 500
	if max(skew, -skew) <= (told-p.sent)/2+500 {
		skew = 0
	}
	if !c.skew.Valid || max(skew, -skew) > max(c.skew.Int64, -c.skew.Int64) {
		c.skew = sql.NullInt64{Int64: skew, Valid: true}
	}
}

// ID is the number of the run.
func (w *RunWriter) ID() int64 { return w.id }

// Held is the longest time by which an instant had to be moved forward because
// the clock was behind the newest snapshot of the workspace; zero when it never
// was.
func (w *RunWriter) Held() time.Duration { return time.Duration(w.clock.held) * time.Millisecond }

// Newest is the instant that the newest response of the workspace tells; zero when
// there is none. For a response of an import that is the instant at which the
// answer was saved, also when the store had to keep it as of a later one.
func (w *RunWriter) Newest() time.Time {
	return instant(sql.NullInt64{Int64: w.clock.told, Valid: w.clock.last > 0})
}

// Told reports whether an earlier import of the workspace had a failure with the
// message.
func (w *RunWriter) Told(ctx context.Context, message string) (told bool, err error) {
	err = w.store.view(ctx, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &told, `
			SELECT EXISTS (
				SELECT 1 FROM run r JOIN failure f ON f.run_id = r.id
				WHERE r.workspace_id = ? AND r.scope = ? AND r.id < ? AND f.message = ?
			)`, w.heads.workspaceID, ScopeImport, w.id, message)
	})
	return told, err
}

// Begin starts a run in the workspace, which is created when it is new.
func (s *Store) Begin(ctx context.Context, workspace string, scope Scope) (*RunWriter, error) {
	w := &RunWriter{store: s}
	err := s.update(ctx, func(tx *txn) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO workspace (name) VALUES (?) ON CONFLICT DO NOTHING`, workspace); err != nil {
			return err
		}
		var workspaceID int64
		if err := tx.GetContext(ctx, &workspaceID, `SELECT id FROM workspace WHERE name = ?`, workspace); err != nil {
			return err
		}
		w.heads = s.headsOf(workspaceID)
		var err error
		if w.withheld, err = withheld(ctx, tx, workspaceID); err != nil {
			return err
		}
		if err := w.readEnd(ctx, tx); err != nil {
			return err
		}
		err = tx.insert(ctx, &w.id, `
			INSERT INTO run (workspace_id, scope, state, started_at, pid, rules_version)
			VALUES (?, ?, ?, ?, ?, ?)`,
			w.heads.workspaceID, scope, Running, floorMS(s.now()), os.Getpid(), s.rules.Version)
		tx.logRun(w.id)
		return err
	})
	return w, err
}

// headsOf are the heads at hand: those of the last run, if that was of the
// workspace too. Nobody else writes while the store is open for writing.
func (s *Store) headsOf(workspaceID int64) *heads {
	if s.heads == nil || s.heads.workspaceID != workspaceID {
		s.heads = newHeads(workspaceID)
	}
	return s.heads
}

// forgetHeads is for who writes heads otherwise than by saving those at hand.
func (s *Store) forgetHeads() {
	if s.heads != nil {
		s.heads.forget()
	}
}

// readEnd finds where the history of the workspace ends.
func (w *RunWriter) readEnd(ctx context.Context, tx *txn) error {
	if err := tx.GetContext(ctx, &w.firstResponse, `SELECT coalesce(max(id), 0) + 1 FROM response`); err != nil {
		return err
	}
	err := tx.GetContext(ctx, &w.clock.last,
		`SELECT coalesce(max(received_at), 0) FROM response WHERE workspace_id = ?`, w.heads.workspaceID)
	if err != nil {
		return err
	}
	err = tx.GetContext(ctx, &w.clock.told, `
		SELECT coalesce((
			SELECT iif(source = 'import', received_at - held_ms, received_at)
			FROM response
			WHERE workspace_id = ? AND received_at = ?
			ORDER BY id DESC LIMIT 1
		), 0)`, w.heads.workspaceID, w.clock.last)
	if err != nil {
		return err
	}
	w.clock.began = w.clock.last
	return tx.GetContext(ctx, &w.clock.lastResponse, `
		SELECT coalesce(min(id), 0) FROM response WHERE workspace_id = ? AND received_at = ?`,
		w.heads.workspaceID, w.clock.last)
}

// Finish ends the run. Nothing can be appended to it afterwards.
func (w *RunWriter) Finish(ctx context.Context, o Outcome) error {
	warnings := o.Warnings
	if warnings == nil {
		warnings = []string{}
	}
	list, err := json.Marshal(warnings)
	if err != nil {
		return err
	}
	return w.store.update(ctx, func(tx *txn) error {
		tx.logRun(w.id)
		_, err := tx.ExecContext(ctx, `
			UPDATE run
			SET state = ?, requested = ?, requests = max(requests, ?), warnings = ?, finished_at = max(?, started_at)
			WHERE id = ?`, o.State, o.Requested, o.Requests, string(list), ceilMS(w.store.now()), w.id)
		return err
	})
}

// Fail stores failures that no understood response carried. requests is how
// many requests the run has sent so far.
func (w *RunWriter) Fail(ctx context.Context, requests int, failures ...Failure) error {
	return w.store.update(ctx, func(tx *txn) error {
		if err := w.insertFailures(ctx, tx, failures); err != nil {
			return err
		}
		tx.logRun(w.id)
		return w.count(ctx, tx, Appended{Failed: len(failures)}, requests)
	})
}

func (w *RunWriter) insertFailures(ctx context.Context, tx *txn, failures []Failure) error {
	for _, f := range failures {
		at := f.At
		if at.IsZero() {
			at = w.store.now()
		}
		if w.withheld[f.Account] {
			f.Message = "redacted: nothing of the account is stored any more"
		}
		salt := ledger.NewSalt()
		var row loggedFailure
		err := tx.GetContext(ctx, &row, `
			INSERT INTO failure (run_id, account, kind, http_status, message, at, salt)
			VALUES (?, ?, ?, nullif(?, 0), ?, ?, ?) RETURNING `+failureColumns,
			w.id, nullText(f.Account), f.Kind, f.HTTPStatus, f.Message, ceilMS(at), []byte(salt))
		if err != nil {
			return err
		}
		tx.log(row.line())
	}
	return nil
}

// count moves the counters of the run, in the transaction of what they count.
func (w *RunWriter) count(ctx context.Context, tx *txn, done Appended, requests int) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE run
		SET changed = changed + ?, unchanged = unchanged + ?, gone = gone + ?, failed = failed + ?,
			requests = max(requests, ?), held_ms = ?, skew_ms = ?
		WHERE id = ?`, done.Changed, done.Unchanged, done.Gone, done.Failed, requests, w.clock.raised, w.clock.skew, w.id)
	return err
}

// interruptDeadRuns marks the runs whose process died: this process holds the
// writer's lock, so no other run can be alive.
func (s *Store) interruptDeadRuns(ctx context.Context) error {
	return s.update(ctx, func(tx *txn) error {
		err := tx.SelectContext(ctx, &tx.book.runs, `
			UPDATE run SET state = ? WHERE state = ? RETURNING id`, Interrupted, Running)
		slices.Sort(tx.book.runs)
		return err
	})
}
