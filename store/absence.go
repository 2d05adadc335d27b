package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jmoiron/sqlx"
)

// present is the condition under which an account is known, not gone and not redacted.
// Its parameter is the workspace.
const present = `
	a.workspace_id = ?
	AND NOT h.gone
	AND a.id NOT IN (SELECT account_id FROM redacted)`

// Unlist stores that a complete list, whose last page was received at the given
// instant, lacks the accounts with these ids. Accounts that are gone, redacted, unknown
// or already unlisted stay as they are.
func (w *RunWriter) Unlist(ctx context.Context, at time.Time, ids []string) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	w.heads.forget()
	return w.store.update(ctx, func(tx *txn) error {
		return w.unlist(ctx, tx, max(ceilMS(at), w.clock.last), `a.hash IN (SELECT value FROM json_each(?))`, string(list))
	})
}

// unlist begins absences of the accounts for which the condition, of one parameter,
// holds. The heads at hand do not know of it.
func (w *RunWriter) unlist(ctx context.Context, tx *txn, since int64, condition string, parameter any) error {
	var last int64
	if err := tx.GetContext(ctx, &last, `SELECT coalesce(max(id), 0) FROM absence`); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO absence (account_id, run_id, since)
		SELECT a.id, ?, ?
		FROM account a
		JOIN head h ON h.account_id = a.id
		WHERE `+present+`
		AND h.absence_id IS NULL
		AND `+condition+`
		ORDER BY a.id`, w.id, since, w.heads.workspaceID, parameter)
	if err != nil {
		return err
	}
	if err := tx.logAbsences(ctx, w.id, `x.id > ?`, last); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE head SET absence_id = absence.id
		FROM absence
		WHERE absence.account_id = head.account_id AND absence.run_id = ? AND absence.ended IS NULL`, w.id)
	return err
}

// Lacking is what an imported list that is complete lacks. The accounts counted are
// known, neither gone nor redacted.
type Lacking struct {
	Known    int // known before the list
	Shown    int // of these, shown by the list
	Unlisted int // of these, to become unlisted: the list lacks them, and the one before did not
}

// Conclusion decides whether what a complete list lacks is unlisted. A reason makes
// that a failure of the run, and nothing is concluded.
type Conclusion func(Lacking) (reason string)

// Conclude ends a complete list that was imported: the newest responses of the
// workspace, all as of one instant, are all of it. See [Response.Complete].
func (w *RunWriter) Conclude(ctx context.Context, conclusion Conclusion) (done Appended, err error) {
	err = w.store.update(context.WithoutCancel(ctx), func(tx *txn) (err error) {
		if done, err = w.conclude(ctx, tx, conclusion); err != nil {
			return err
		}
		tx.logRun(w.id)
		return w.count(ctx, tx, done, 0)
	})
	return done, err
}

// lacked is the condition under which the newest instant of the workspace, its
// parameter, does not show a known account.
const lacked = `NOT EXISTS (
	SELECT 1 FROM seen JOIN response r ON r.id IN (seen.list_response_id, seen.detail_response_id)
	WHERE seen.account_id = a.id AND r.received_at >= ?)`

func (w *RunWriter) conclude(ctx context.Context, tx *txn, conclusion Conclusion) (done Appended, err error) {
	var l Lacking
	row := tx.QueryRowxContext(ctx, `
		SELECT
			count(*),
			coalesce(sum(NOT lacked), 0),
			coalesce(sum(lacked AND absence_id IS NULL), 0)
		FROM (
			SELECT h.absence_id AS absence_id, `+lacked+` AS lacked
			FROM account a JOIN head h ON h.account_id = a.id
			WHERE `+present+` AND a.first_seen < ?
		)`, w.clock.last, w.heads.workspaceID, w.clock.last)
	if err := row.Scan(&l.Known, &l.Shown, &l.Unlisted); err != nil || l.Unlisted == 0 {
		return done, err
	}
	if reason := conclusion(l); reason != "" {
		done.Failed = 1
		return done, w.insertFailures(ctx, tx, []Failure{{Kind: FailMismatch, Message: reason}})
	}
	done.Unlisted = l.Unlisted
	w.heads.forget()
	return done, w.unlist(ctx, tx, w.clock.last, lacked, w.clock.last)
}

// Missing lists up to n ids of known accounts that are not gone and that this run has
// neither seen nor failed to see, in the order of their ids, after the id given (""
// from the start).
func (w *RunWriter) Missing(ctx context.Context, after string, n int) (ids []string, err error) {
	err = w.store.view(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &ids, `
			SELECT a.hash
			FROM account a
			JOIN head h ON h.account_id = a.id
			JOIN seen ON seen.account_id = a.id
			WHERE `+present+`
			AND max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0)) < ?
			AND a.hash NOT IN (SELECT account FROM failure WHERE run_id = ? AND account IS NOT NULL)
			AND a.hash > ?
			ORDER BY a.hash
			LIMIT ?`, w.heads.workspaceID, w.firstResponse, w.id, after, n)
	})
	return ids, err
}

// Disappearing counts the known accounts that would become unlisted if a complete list
// lacked the ids of missing, or gone if detail calls answered 404 for the ids of absent.
// It counts each account once, and none that is gone or, of missing, already unlisted.
func (w *RunWriter) Disappearing(ctx context.Context, missing, absent []string) (n int, err error) {
	lists, err := json.Marshal([2][]string{missing, absent})
	if err != nil {
		return 0, err
	}
	err = w.store.view(ctx, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &n, `
			SELECT count(*)
			FROM account a
			JOIN head h ON h.account_id = a.id
			WHERE `+present+`
			AND (
				h.absence_id IS NULL AND a.hash IN (SELECT value FROM json_each(?, '$[0]'))
				OR a.hash IN (SELECT value FROM json_each(?, '$[1]'))
			)`, w.heads.workspaceID, string(lists), string(lists))
	})
	return n, err
}

// Known returns how many of ids the workspace has ever seen, and how many accounts it
// knows that are neither gone nor redacted. One that was gone counts among the former:
// when the API shows it again, the key is of this workspace.
func (w *RunWriter) Known(ctx context.Context, ids []string) (hits, total int, err error) {
	wanted, err := json.Marshal(ids)
	if err != nil {
		return 0, 0, err
	}
	err = w.store.view(ctx, func(tx *sqlx.Tx) error {
		err := tx.GetContext(ctx, &total, `
			SELECT count(*) FROM account a JOIN head h ON h.account_id = a.id
			WHERE `+present, w.heads.workspaceID)
		if err != nil {
			return err
		}
		return tx.GetContext(ctx, &hits, `
			SELECT count(*) FROM account
			WHERE workspace_id = ? AND hash IN (SELECT value FROM json_each(?))`, w.heads.workspaceID, string(wanted))
	})
	return hits, total, err
}
