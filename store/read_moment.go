package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
)

// pastOrNow is the moment, or the zero time when nothing was received after it:
// how things were then is how they are now, which is faster to read.
func pastOrNow(ctx context.Context, tx *sqlx.Tx, workspace string, at time.Time) (time.Time, error) {
	if at.IsZero() {
		return at, nil
	}
	var later bool
	err := tx.GetContext(ctx, &later, `
		SELECT EXISTS (
			SELECT 1 FROM response
			WHERE workspace_id = (SELECT id FROM workspace WHERE name = ?) AND received_at > ?
		)`, workspace, at.UnixMilli())
	if err != nil || later {
		return at, err
	}
	return time.Time{}, nil
}

// use is a squid that an account had, by row ids, with the name that the account's own
// document gave it.
type use struct {
	account, squid int64
	name           string
}

// nameThen is the SQL of the name that an assignment had at the moment ?3.
const nameThen = `coalesce((
				SELECT n.name FROM assignment_name n WHERE n.assignment_id = assignment.id AND n.until > ?3 ORDER BY n.until LIMIT 1
			), assignment.name)`

// usesAt are the squids that each account had at the moment, sorted by account. All
// assignments that lasted then are read at once: the open ones, and those that
// ended later, for which the index of the views serves.
func usesAt(ctx context.Context, tx *sqlx.Tx, q AccountQuery) (uses []use, err error) {
	query := `SELECT account_id, squid_id, name FROM assignment WHERE to_before IS NULL`
	if !q.At.IsZero() {
		query = `
			SELECT account_id, squid_id, ` + nameThen + ` FROM assignment
			WHERE to_before IS NULL AND from_before <= ?3
			UNION ALL
			SELECT account_id, squid_id, ` + nameThen + ` FROM assignment
			WHERE ` + stamp("to_before") + ` > ` + stamp("?3") + ` AND from_before <= ?3`
	}
	if q.Account != "" {
		query = `
			SELECT account_id, squid_id, ` + nameThen + ` FROM assignment
			WHERE account_id = (
				SELECT a.id FROM account a JOIN workspace w ON w.id = a.workspace_id WHERE w.name = ?1 AND a.hash = ?4
			) AND from_before <= ?3 AND (to_before IS NULL OR to_before > ?3)`
	}
	var one use
	err = eachOf(ctx, tx, query, q.args(), func(scan func(...any) error) error {
		err := scan(&one.account, &one.squid, &one.name)
		uses = append(uses, one)
		return err
	})
	slices.SortStableFunc(uses, func(a, b use) int { return cmp.Compare(a.account, b.account) })
	return uses, err
}

// lastSeen is when the account was last seen at or before the moment.
func (r *accountReader) lastSeen(account int64) (time.Time, error) {
	ms, known := r.seen[account]
	if !known {
		err := r.tx.GetContext(r.ctx, &ms, `
			SELECT r.received_at
			FROM account a
			JOIN response r ON r.workspace_id = a.workspace_id AND r.received_at <= ?2
				AND +a.id BETWEEN r.account_min AND r.account_max
			JOIN snapshot s ON s.response_id = r.id AND s.account_id = a.id
			WHERE a.id = ?1
			ORDER BY r.received_at DESC LIMIT 1`, account, r.query.At.UnixMilli())
		if err != nil {
			return time.Time{}, err
		}
	}
	return time.UnixMilli(ms).UTC(), nil
}

// seenBefore walks the snapshots backwards from the moment, for about as long as
// one batch over all accounts took, and notes when each account was last seen.
// One that is not found has to be looked for by itself.
func seenBefore(ctx context.Context, tx *sqlx.Tx, q AccountQuery) (map[int64]int64, error) {
	if q.Account != "" {
		return nil, nil
	}
	seen := map[int64]int64{}
	return seen, eachOf(ctx, tx, `
		SELECT s.account_id, r.received_at
		FROM response r
		CROSS JOIN snapshot s ON s.response_id = r.id
		WHERE r.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND r.received_at <= ?2
		ORDER BY r.received_at DESC
		LIMIT (
			SELECT count(*) * 5 / 4 + 200 FROM account a JOIN workspace w ON w.id = a.workspace_id WHERE w.name = ?1
		)`, []any{q.Workspace, q.At.UnixMilli()}, func(scan func(...any) error) error {
		var account, received int64
		err := scan(&account, &received)
		seen[account] = max(seen[account], received)
		return err
	})
}

// squidsAt are the squids of the workspace by row id, with the names they had.
func squidsAt(ctx context.Context, tx *sqlx.Tx, workspace string, at time.Time) (map[int64]Squid, error) {
	ms := int64(1<<63 - 1)
	if !at.IsZero() {
		ms = at.UnixMilli()
	}
	var rows []struct {
		RowID int64          `db:"id"`
		Hash  string         `db:"hash"`
		Name  sql.NullString `db:"name"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT
			q.id AS id,
			q.hash AS hash,
			(SELECT name FROM squid_name WHERE squid_id = q.id AND since <= ?2 ORDER BY since DESC LIMIT 1) AS name
		FROM squid q
		JOIN workspace w ON w.id = q.workspace_id
		WHERE w.name = ?1
		ORDER BY q.id`, workspace, ms)
	squids := make(map[int64]Squid, len(rows))
	for _, row := range rows {
		squids[row.RowID] = Squid{ID: row.Hash, Name: row.Name.String}
	}
	return squids, err
}
