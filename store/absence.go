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
			AND a.hash IN (SELECT value FROM json_each(?))
			ORDER BY a.id`, w.id, max(ceilMS(at), w.clock.last), w.heads.workspaceID, string(list))
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
	})
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
