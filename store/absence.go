package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jmoiron/sqlx"
)

// missing is the condition under which an account is known, not gone and not
// withheld, and this run has neither seen it nor failed to understand it. Its parameters are
// the workspace, the run's first response and the run.
const missing = `
	a.workspace_id = ?
	AND NOT h.gone
	AND max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0)) < ?
	AND a.hash NOT IN (SELECT account FROM failure WHERE run_id = ? AND account IS NOT NULL)
	AND a.id NOT IN (SELECT account_id FROM redacted)`

// Unlist notes, after a complete list whose last page was received at the given
// instant, that every account known in the workspace, not gone and neither seen
// nor failed by this run, is missing from it. It answers how many there are.
func (w *RunWriter) Unlist(ctx context.Context, at time.Time) (n int, err error) {
	w.heads.forget()
	err = w.store.update(ctx, func(tx *txn) error {
		var last int64
		if err := tx.GetContext(ctx, &last, `SELECT coalesce(max(id), 0) FROM absence`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO absence (account_id, run_id, since)
			SELECT a.id, ?, ?
			FROM account a
			JOIN head h ON h.account_id = a.id
			JOIN seen ON seen.account_id = a.id
			WHERE h.absence_id IS NULL AND `+missing+`
			ORDER BY a.id`, w.id, max(ceilMS(at), w.clock.last), w.heads.workspaceID, w.firstResponse, w.id)
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
		if err != nil {
			return err
		}
		return tx.GetContext(ctx, &n, `
			SELECT count(*)
			FROM account a
			JOIN head h ON h.account_id = a.id
			JOIN seen ON seen.account_id = a.id
			WHERE `+missing, w.heads.workspaceID, w.firstResponse, w.id)
	})
	return n, err
}

// Missing lists up to n ids of accounts that are missing from lists and that
// this run has neither seen nor failed to see, in the order of their ids, after
// the id given ("" from the start).
func (w *RunWriter) Missing(ctx context.Context, after string, n int) (ids []string, err error) {
	err = w.store.view(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &ids, `
			SELECT a.hash
			FROM account a
			JOIN head h ON h.account_id = a.id
			JOIN seen ON seen.account_id = a.id
			WHERE h.absence_id IS NOT NULL AND `+missing+` AND a.hash > ?
			ORDER BY a.hash
			LIMIT ?`, w.heads.workspaceID, w.firstResponse, w.id, after, n)
	})
	return ids, err
}

// Known answers how many of ids the workspace has ever seen, and how many
// accounts it knows that are not gone. One that was gone and is back counts
// among the former: it shows that the list is of this workspace.
func (w *RunWriter) Known(ctx context.Context, ids []string) (hits, total int, err error) {
	wanted, err := json.Marshal(ids)
	if err != nil {
		return 0, 0, err
	}
	err = w.store.view(ctx, func(tx *sqlx.Tx) error {
		err := tx.GetContext(ctx, &total, `
			SELECT count(*) FROM account a JOIN head h ON h.account_id = a.id
			WHERE a.workspace_id = ? AND NOT h.gone`, w.heads.workspaceID)
		if err != nil {
			return err
		}
		return tx.GetContext(ctx, &hits, `
			SELECT count(*) FROM account
			WHERE workspace_id = ? AND hash IN (SELECT value FROM json_each(?))`, w.heads.workspaceID, string(wanted))
	})
	return hits, total, err
}
