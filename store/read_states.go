package store

import (
	"context"
	"database/sql"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"
)

// Pair is one account at two moments.
type Pair struct {
	Account, Username string // the username as of the later moment
	// Steps are the changes noticed after the first and up to the second moment, in
	// order, those of each version together; at least one.
	Steps [][]AccountChange
	// Before and After are the healths at the two moments. Before is empty when the
	// account was not known then.
	Before, After Health
	// Old and New are what was known at each moment. They are read only of an account
	// that was there at both moments and gone in between: what changed while it was
	// gone is no change of any version.
	Old, New State

	id int64
}

// wentAndCame reports whether the account was there at both moments and gone in
// between.
func (p Pair) wentAndCame() bool {
	wasGone := func(step []AccountChange) bool { return step[0].Kind == WentGone }
	return p.Before != "" && p.Before != Gone && p.After != Gone && slices.ContainsFunc(p.Steps, wasGone)
}

// Pairs streams the accounts of a workspace in which something changed between
// two moments, by username and id. The account, unless empty, is the only one
// looked at. Nothing that was received after the later moment has a part in it.
func (s *Store) Pairs(ctx context.Context, workspace, account string, from, to time.Time) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		err := s.view(ctx, func(tx *sqlx.Tx) error {
			pairs, err := changedBetween(ctx, tx, workspace, account, from, to)
			if err != nil {
				return err
			}
			for _, pair := range pairs {
				if pair.wentAndCame() {
					if pair.Old, pair.New, err = statesAt(ctx, tx, pair.id, from, to); err != nil {
						return err
					}
				}
				if !yield(pair, nil) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			yield(Pair{}, err)
		}
	}
}

// changedBetween reads the changes between two moments, those of each account
// together.
func changedBetween(ctx context.Context, tx *sqlx.Tx, workspace, account string, from, to time.Time) (pairs []Pair, err error) {
	var rows []struct {
		changeRow
		AccountID int64          `db:"account_id"`
		VersionID int64          `db:"version_id"`
		Before    sql.NullString `db:"health_from"`
		After     Health         `db:"health_to"`
	}
	err = tx.SelectContext(ctx, &rows, changesByAccount, workspace, account, from.UnixMilli(), to.UnixMilli())
	for i, row := range rows {
		change, err := row.change()
		if err != nil {
			return nil, err
		}
		if i == 0 || rows[i-1].AccountID != row.AccountID {
			pairs = append(pairs, Pair{
				Account: row.Account, Username: row.Username, Before: Health(row.Before.String), After: row.After, id: row.AccountID,
			})
		}
		pair := &pairs[len(pairs)-1]
		if i == 0 || rows[i-1].VersionID != row.VersionID {
			pair.Steps = append(pair.Steps, nil)
		}
		last := len(pair.Steps) - 1
		pair.Steps[last] = append(pair.Steps[last], change)
	}
	return pairs, err
}

// changesByAccount are the changes between two moments, with the healths at these.
var changesByAccount = `
	SELECT
		c.account_id AS account_id,
		c.version_id AS version_id,
		` + healthAt("?3") + ` AS health_from,
		` + healthAt("?4") + ` AS health_to,
		named.username AS username,` + changeColumns + `
	FROM change c
	CROSS JOIN account a ON a.id = c.account_id
	CROSS JOIN version v ON v.id = c.version_id
	CROSS JOIN response r ON r.id = v.response_id
	CROSS JOIN version named ON named.id = (
		SELECT id FROM version WHERE account_id = a.id AND valid_from <= ?4
		ORDER BY valid_from DESC, number DESC LIMIT 1
	)
	WHERE c.before > ?3 AND c.before <= ?4
		AND a.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND (?2 = '' OR a.hash = ?2)
	ORDER BY named.username COLLATE NOCASE, a.hash, c.before, c.id`

// healthAt is the health of account a at a moment; NULL when it was not known then.
func healthAt(moment string) string {
	return `(
			SELECT t.health_after FROM status_step t
			WHERE t.account_id = a.id AND t.before <= ` + moment + `
			ORDER BY t.before DESC, t.id DESC LIMIT 1
		)`
}

// statesAt reads what was known of an account at two moments, the earlier one first,
// without volatile values: it takes the documents in the order in which they were
// told. One that repeats an earlier one counts where it began a version; elsewhere
// it told nothing that was not known.
func statesAt(ctx context.Context, tx *sqlx.Tx, account int64, from, to time.Time) (old, new State, err error) {
	var received int64
	var source Source
	var body sql.NullString
	err = eachOf(ctx, tx, `
		SELECT r.received_at, d.source, d.body
		FROM (
			SELECT response_id, id AS document_id FROM document WHERE account_id = ?1
			UNION
			SELECT response_id, document_id FROM version WHERE account_id = ?1
		) told
		CROSS JOIN response r ON r.id = told.response_id
		CROSS JOIN document d ON d.id = told.document_id
		WHERE r.received_at <= ?2
		ORDER BY told.response_id`, []any{account, to.UnixMilli()}, func(scan func(...any) error) error {
		if err := scan(&received, &source, &body); err != nil {
			return err
		}
		if new, err = new.Next(time.UnixMilli(received).UTC(), source, rawOrNil(body)); err != nil {
			return damagedRow("document of account "+strconv.FormatInt(account, 10), err)
		}
		if received <= from.UnixMilli() {
			old = new
		}
		return nil
	})
	return old, new, err
}

// RunEnd is the moment up to which a run has seen the workspace: when its last
// response was received, or when it began if it received none. It returns
// ErrNotFound when the workspace has no such run.
func (s *Store) RunEnd(ctx context.Context, workspace string, id int64) (end time.Time, err error) {
	var ms sql.NullInt64
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &ms, `
			SELECT coalesce((SELECT max(received_at) FROM response WHERE run_id = r.id), r.started_at)
			FROM run r
			JOIN workspace w ON w.id = r.workspace_id
			WHERE w.name = ? AND r.id = ?`, workspace, id)
	})
	return instant(ms), err
}
