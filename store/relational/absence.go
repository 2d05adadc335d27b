package relational

import (
	"context"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// present is the condition under which account a, in state s, is known, not gone and not
// redacted. Its parameter is the workspace.
const present = `a.ws = ?1 AND s.gone = 0 AND length(a.salt) > 0`

// Unlist stores that a complete list, whose last page was received at the given instant,
// lacks the accounts with these ids. Accounts that are gone, redacted, unknown or already
// unlisted stay as they are.
func (w *RunWriter) Unlist(ctx context.Context, at time.Time, ids []string) error {
	return w.update(ctx, func(tx Tx) error {
		return w.unlist(ctx, tx, max(ceilMS(at), w.ws.known.LastAt), `a.hash IN (SELECT value FROM texts(?2))`, jsonList(ids))
	})
}

// unlist begins absences of the accounts for which the condition, of one parameter, holds.
func (w *RunWriter) unlist(ctx context.Context, tx Tx, since int64, condition string, parameter any) error {
	var missing []struct {
		ID   int64  `db:"id"`
		Hash string `db:"hash"`
	}
	err := tx.SelectContext(ctx, &missing, `
		SELECT a.id AS id, a.hash AS hash
		FROM account a
		ORDERED JOIN state s ON s.ws = a.ws AND s.account = a.id
		WHERE `+present+` AND s.absent_since IS NULL AND `+condition+`
		ORDER BY a.id`, w.ws.id, parameter)
	if err != nil {
		return err
	}
	var lines []string
	for _, m := range missing {
		lines = append(lines, ledger.Absence{Run: w.id, Account: m.Hash, Since: since}.Line())
		err := tx.Exec(ctx, `INSERT INTO absence (ws, account, since, run) VALUES (?, ?, ?, ?)`, w.ws.id, m.ID, since, w.id)
		if err != nil {
			return err
		}
		err = tx.ExecOne(ctx, `UPDATE state SET absent_since = ? WHERE ws = ? AND account = ?`, since, w.ws.id, m.ID)
		if err != nil {
			return err
		}
		if a := w.ws.known.Accounts[m.Hash]; a != nil {
			a.AbsentSince = since
		}
	}
	return w.ws.appendEntry(ctx, tx, lines...)
}

// Conclude ends a complete list that was imported: the newest responses of the
// workspace, from the last first page on, are all of it. See [store.Response].
func (w *RunWriter) Conclude(ctx context.Context, conclusion store.Conclusion) (done store.Appended, err error) {
	err = w.update(context.WithoutCancel(ctx), func(tx Tx) (err error) {
		if done, err = w.conclude(ctx, tx, conclusion); err != nil {
			return err
		}
		return w.count(ctx, tx, done, 0, nil)
	})
	return done, err
}

// lacked is the condition under which no response from the instant ?2 on shows account a.
const lacked = `NOT EXISTS (
	SELECT 1 FROM response r JOIN shown x ON x.ws = r.ws AND x.account = a.id AND x.source = r.source AND x.slot = r.slot
	WHERE r.ws = a.ws AND r.at >= ?2 AND r.at BETWEEN x.first AND x.last)`

func (w *RunWriter) conclude(ctx context.Context, tx Tx, conclusion store.Conclusion) (done store.Appended, err error) {
	var began int64 // the list
	err = tx.GetContext(ctx, &began, `SELECT coalesce(max(at), 0) FROM response WHERE ws = ? AND source = ? AND slot = -1`, w.ws.id, sourceImport)
	if err != nil {
		return done, err
	}
	var l store.Lacking
	err = Each(ctx, tx, `
		SELECT
			count(*),
			count(*) FILTER (WHERE NOT lacked),
			count(*) FILTER (WHERE lacked AND absent_since IS NULL)
		FROM (
			SELECT s.absent_since AS absent_since, `+lacked+` AS lacked
			FROM account a
			ORDERED JOIN state s ON s.ws = a.ws AND s.account = a.id
			WHERE `+present+` AND a.first_at < ?2
		) x`, []any{w.ws.id, began}, func(scan func(...any) error) error { return scan(&l.Known, &l.Shown, &l.Unlisted) })
	if err != nil || l.Unlisted == 0 {
		return done, err
	}
	if reason := conclusion(l); reason != "" {
		done.Failed = 1
		lines, err := w.insertFailures(ctx, tx, []store.Failure{{Kind: store.FailMismatch, Message: reason}})
		if err != nil {
			return done, err
		}
		return done, w.ws.appendEntry(ctx, tx, lines...)
	}
	done.Unlisted = l.Unlisted
	return done, w.unlist(ctx, tx, w.ws.known.LastAt, lacked, began)
}

// Missing lists up to n ids of known accounts that are not gone and that this run has
// neither seen nor failed to see, in the order of their ids, after the id given ("" from
// the start).
func (w *RunWriter) Missing(ctx context.Context, after string, n int) (ids []string, err error) {
	err = w.store.db.Read(ctx, func(tx Tx) error {
		return Each(ctx, tx, `
			SELECT a.hash
			FROM account a
			ORDERED JOIN state s ON s.ws = a.ws AND s.account = a.id
			WHERE `+present+` AND a.hash > ?2
				AND a.hash NOT IN (SELECT account FROM failure WHERE ws = ?1 AND run = ?3 AND account IS NOT NULL)
			ORDER BY a.hash`, []any{w.ws.id, after, w.id}, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			if len(ids) < n && !w.seen[id] {
				ids = append(ids, id)
			}
			return err
		})
	})
	return ids, err
}

// Disappearing counts the known accounts that would become unlisted if a complete list
// lacked the ids of missing, or gone if detail calls answered 404 for the ids of absent.
// It counts each account once, and none that is gone or, of missing, already unlisted.
func (w *RunWriter) Disappearing(ctx context.Context, missing, absent []string) (n int, err error) {
	err = w.store.db.Read(ctx, func(tx Tx) error {
		return tx.GetContext(ctx, &n, `
			SELECT count(*)
			FROM account a
			ORDERED JOIN state s ON s.ws = a.ws AND s.account = a.id
			WHERE `+present+`
			AND (
				s.absent_since IS NULL AND a.hash IN (SELECT value FROM texts(?2))
				OR a.hash IN (SELECT value FROM texts(?3))
			)`, w.ws.id, jsonList(missing), jsonList(absent))
	})
	return n, err
}

// Known returns how many of ids the workspace has ever seen, and how many accounts it
// knows that are neither gone nor redacted. One that was gone counts among the former:
// when the API shows it again, the key is of this workspace.
func (w *RunWriter) Known(ctx context.Context, ids []string) (hits, total int, err error) {
	err = w.store.db.Read(ctx, func(tx Tx) error {
		return Each(ctx, tx, `
			SELECT
				(SELECT count(*) FROM account a ORDERED JOIN state s ON s.ws = a.ws AND s.account = a.id WHERE `+present+`),
				(SELECT count(*) FROM account WHERE ws = ?1 AND hash IN (SELECT value FROM texts(?2)))`, []any{w.ws.id, jsonList(ids)}, func(scan func(...any) error) error { return scan(&total, &hits) })
	})
	return hits, total, err
}
