package store

import (
	"cmp"
	"context"
	"database/sql"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// AccountQuery says which accounts to read, and as of when.
type AccountQuery struct {
	Workspace string
	Account   string    // id; "" for all
	At        time.Time // zero: now
	// Documents asks for the document of each account's version, as it is stored:
	// volatile values are null, the icon is a reference. See [Store.Document].
	Documents bool
}

// Accounts reads the accounts of a workspace as they were at a moment, gone ones
// included, by username and id. Those first seen later are left out.
func (s *Store) Accounts(ctx context.Context, q AccountQuery) iter.Seq2[AccountState, error] {
	return func(yield func(AccountState, error) bool) {
		reader, err := s.accountReader(ctx, q)
		if err != nil {
			yield(AccountState{}, interpret(err))
			return
		}
		query, args := accountsNow, []any{q.Workspace, q.Account, q.Documents}
		if !q.At.IsZero() {
			query, args = accountsAt, append(args, q.At.UnixMilli())
		}
		for state, err := range rowsOf(ctx, s, query, args, reader.state) {
			if !yield(state, err) || err != nil {
				return
			}
		}
	}
}

// accountColumns are read from w, a, v (the version), and the columns that each
// query has its own way to.
const accountColumns = `
	w.name AS workspace,
	a.id AS id,
	a.hash AS hash,
	a.first_seen AS first_seen,
	v.username AS username,
	v.type AS type,
	v.status AS status,
	v.status_code_info AS info,
	v.status_code_description AS description,
	v.last_synchronization_time AS last_sync,
	v.locked_until AS locked_until,
	v.number AS versions,
	CASE WHEN ?3 THEN (SELECT body FROM document WHERE id = v.document_id) END AS body,`

const accountsNow = `
	SELECT` + accountColumns + `
		h.health AS health,
		h.health_after AS health_since_after,
		h.health_before AS health_since_before,
		r.received_at AS seen_at,
		missing.since AS unlisted_since,
		(SELECT group_concat(squid_id) FROM assignment WHERE account_id = a.id AND to_before IS NULL) AS squids
	FROM workspace w
	CROSS JOIN account a ON a.workspace_id = w.id
	JOIN head h ON h.account_id = a.id
	JOIN version v ON v.id = h.version_id
	JOIN seen ON seen.account_id = a.id
	JOIN response r ON r.id = max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0))
	LEFT JOIN absence missing ON missing.id = h.absence_id
	WHERE w.name = ?1 AND (?2 = '' OR a.hash = ?2)
	ORDER BY v.username COLLATE NOCASE, a.hash`

const accountsAt = `
	SELECT` + accountColumns + `
		since.health_after AS health,
		since.after AS health_since_after,
		since.before AS health_since_before,
		NULL AS seen_at,
		(
			SELECT m.since FROM absence m
			WHERE m.account_id = a.id AND m.since <= ?4 AND (m.ended IS NULL OR m.ended > ?4)
			ORDER BY m.since DESC LIMIT 1
		) AS unlisted_since,
		(
			SELECT group_concat(squid_id) FROM assignment
			WHERE account_id = a.id AND from_before <= ?4 AND (to_before IS NULL OR to_before > ?4)
		) AS squids
	FROM workspace w
	CROSS JOIN account a ON a.workspace_id = w.id AND a.first_seen <= ?4
	JOIN version v ON v.id = (
		SELECT id FROM version WHERE account_id = a.id AND valid_from <= ?4
		ORDER BY valid_from DESC, number DESC LIMIT 1
	)
	JOIN status_step since ON since.id = (
		SELECT id FROM status_step t
		WHERE t.account_id = a.id AND t.before <= ?4 AND t.health_before IS NOT t.health_after
		ORDER BY t.before DESC, t.id DESC LIMIT 1
	)
	WHERE w.name = ?1 AND (?2 = '' OR a.hash = ?2)
	ORDER BY v.username COLLATE NOCASE, a.hash`

type accountRow struct {
	Workspace     string         `db:"workspace"`
	ID            int64          `db:"id"`
	Hash          string         `db:"hash"`
	FirstSeen     sql.NullInt64  `db:"first_seen"`
	Username      string         `db:"username"`
	Type          string         `db:"type"`
	Status        sql.NullString `db:"status"`
	Info          sql.NullString `db:"info"`
	Description   sql.NullString `db:"description"`
	LastSync      sql.NullString `db:"last_sync"`
	LockedUntil   sql.NullInt64  `db:"locked_until"`
	Versions      int            `db:"versions"`
	Body          sql.NullString `db:"body"`
	Health        Health         `db:"health"`
	SinceAfter    sql.NullInt64  `db:"health_since_after"`
	SinceBefore   sql.NullInt64  `db:"health_since_before"`
	SeenAt        sql.NullInt64  `db:"seen_at"`
	UnlistedSince sql.NullInt64  `db:"unlisted_since"`
	Squids        sql.NullString `db:"squids"` // their row ids, commas between
}

// accountReader maps rows of accounts. It holds what is looked up once rather
// than for each account.
type accountReader struct {
	ctx    context.Context
	store  *Store
	query  AccountQuery
	squids map[int64]Squid
	seen   map[int64]int64 // when the account was seen last before the moment, for most
}

func (s *Store) accountReader(ctx context.Context, q AccountQuery) (*accountReader, error) {
	r := &accountReader{ctx: ctx, store: s, query: q}
	err := s.view(ctx, func(tx *sqlx.Tx) (err error) {
		if r.squids, err = squidsAt(ctx, tx, q.Workspace, q.At); err != nil || q.At.IsZero() {
			return err
		}
		r.seen, err = seenBefore(ctx, tx, q)
		return err
	})
	return r, err
}

func (r *accountReader) state(row accountRow) (AccountState, error) {
	state := AccountState{
		Workspace: row.Workspace, ID: row.Hash, Versions: row.Versions,
		Facts: Facts{
			Username: row.Username, Type: row.Type, Status: row.Status.String, Info: row.Info.String,
			Description: row.Description.String, LastSync: row.LastSync.String, Health: row.Health,
			LockedUntil: instant(row.LockedUntil),
		},
		HealthSince:   Window{After: instant(row.SinceAfter), Before: instant(row.SinceBefore)},
		FirstSeen:     instant(row.FirstSeen),
		SeenAt:        instant(row.SeenAt),
		UnlistedSince: instant(row.UnlistedSince),
		Document:      rawOrNil(row.Body),
	}
	var err error
	if state.Facts.Squids, err = r.named(row.Squids.String); err != nil {
		return state, damagedRow("assignments of account "+row.Hash, err)
	}
	if !r.query.At.IsZero() {
		state.SeenAt, err = r.lastSeen(row.ID)
	}
	return state, err
}

// named are the squids with these row ids, sorted by id.
func (r *accountReader) named(ids string) ([]Squid, error) {
	squids := []Squid{}
	if ids == "" {
		return squids, nil
	}
	for text := range strings.SplitSeq(ids, ",") {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, err
		}
		squids = append(squids, r.squids[id])
	}
	slices.SortFunc(squids, func(a, b Squid) int { return cmp.Compare(a.ID, b.ID) })
	return squids, nil
}

// lastSeen is when the account was last seen at or before the moment.
func (r *accountReader) lastSeen(account int64) (time.Time, error) {
	ms, known := r.seen[account]
	if !known {
		err := r.store.view(r.ctx, func(tx *sqlx.Tx) error {
			return tx.GetContext(r.ctx, &ms, `
				SELECT r.received_at
				FROM account a
				JOIN response r ON r.workspace_id = a.workspace_id AND r.received_at <= ?2
					AND +a.id BETWEEN r.account_min AND r.account_max
				JOIN snapshot s ON s.response_id = r.id AND s.account_id = a.id
				WHERE a.id = ?1
				ORDER BY r.received_at DESC LIMIT 1`, account, r.query.At.UnixMilli())
		})
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
	var rows []struct {
		Account  int64 `db:"account_id"`
		Received int64 `db:"received_at"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT s.account_id AS account_id, r.received_at AS received_at
		FROM response r
		CROSS JOIN snapshot s ON s.response_id = r.id
		WHERE r.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND r.received_at <= ?2
		ORDER BY r.received_at DESC
		LIMIT (
			SELECT count(*) * 5 / 4 + 200 FROM account a JOIN workspace w ON w.id = a.workspace_id WHERE w.name = ?1
		)`, q.Workspace, q.At.UnixMilli())
	seen := make(map[int64]int64, len(rows))
	for _, row := range rows {
		seen[row.Account] = max(seen[row.Account], row.Received)
	}
	return seen, err
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
