package store

import (
	"cmp"
	"context"
	"database/sql"
	"iter"
	"slices"
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

// args are what the queries below are given, each by its number.
func (q AccountQuery) args() []any {
	at := int64(1<<63 - 1)
	if !q.At.IsZero() {
		at = q.At.UnixMilli()
	}
	return []any{q.Workspace, q.Documents, at, q.Account}
}

// Accounts reads the accounts of a workspace as they were at a moment, gone ones
// included, by username and id. Those first seen later are left out.
func (s *Store) Accounts(ctx context.Context, q AccountQuery) iter.Seq2[AccountState, error] {
	return func(yield func(AccountState, error) bool) {
		var states []*AccountState
		err := s.view(ctx, func(tx *sqlx.Tx) (err error) {
			states, err = accounts(ctx, tx, q)
			return err
		})
		if err != nil {
			yield(AccountState{}, err)
			return
		}
		for _, state := range states {
			if !yield(*state, nil) {
				return
			}
		}
	}
}

// accounts reads in the order of the table and sorts afterwards: SQLite takes
// several times as long over rows of this width.
func accounts(ctx context.Context, tx *sqlx.Tx, q AccountQuery) ([]*AccountState, error) {
	r, err := newAccountReader(ctx, tx, q)
	if err != nil {
		return nil, err
	}
	query := accountsNow
	if !r.query.At.IsZero() {
		query = accountsAt
	}
	if q.Account != "" {
		query += ` AND a.hash = ?4`
	}
	var states []*AccountState
	err = eachOf(ctx, tx, query, r.query.args(), func(scan func(...any) error) error {
		var row accountRow
		if err := scan(row.targets()...); err != nil {
			return err
		}
		state, err := r.state(&row)
		states = append(states, &state)
		return err
	})
	slices.SortFunc(states, func(a, b *AccountState) int {
		return cmp.Or(compareNoCase(a.Facts.Username, b.Facts.Username), cmp.Compare(a.ID, b.ID))
	})
	return states, err
}

// compareNoCase orders texts as SQLite's NOCASE does: upper and lower case of
// ASCII are one, and all else is bytes.
func compareNoCase(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c := cmp.Compare(lower(a[i]), lower(b[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// accountColumns are read from a, v (the version), and the columns that each query
// has its own way to; in the order of accountRow.targets.
const accountColumns = `
	a.id,
	a.hash,
	a.first_seen,
	v.username,
	v.type,
	v.status,
	v.status_code_info,
	v.status_code_description,
	v.last_synchronization_time,
	v.locked_until,
	v.number,
	CASE WHEN ?2 THEN (SELECT body FROM document WHERE id = v.document_id) END,`

const accountsNow = `
	SELECT` + accountColumns + `
		h.health,
		h.health_after,
		h.health_before,
		r.received_at,
		missing.since
	FROM workspace w
	CROSS JOIN account a ON a.workspace_id = w.id
	CROSS JOIN head h ON h.account_id = a.id
	CROSS JOIN version v ON v.id = h.version_id
	CROSS JOIN seen ON seen.account_id = a.id
	CROSS JOIN response r ON r.id = max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0))
	LEFT JOIN absence missing ON missing.id = h.absence_id
	WHERE w.name = ?1`

const accountsAt = `
	SELECT` + accountColumns + `
		since.health_after,
		since.after,
		since.before,
		NULL,
		(
			SELECT m.since FROM absence m
			WHERE m.account_id = a.id AND m.since <= ?3 AND (m.ended IS NULL OR m.ended > ?3)
			ORDER BY m.since DESC LIMIT 1
		)
	FROM workspace w
	CROSS JOIN account a ON a.workspace_id = w.id AND a.first_seen <= ?3
	CROSS JOIN version v ON v.id = (
		SELECT id FROM version WHERE account_id = a.id AND valid_from <= ?3
		ORDER BY valid_from DESC, id DESC LIMIT 1
	)
	CROSS JOIN status_step since ON since.id = (
		SELECT id FROM status_step t
		WHERE t.account_id = a.id AND t.before <= ?3 AND t.health_before IS NOT t.health_after
		ORDER BY t.before DESC, t.id DESC LIMIT 1
	)
	WHERE w.name = ?1`

type accountRow struct {
	ID                                  int64
	Hash                                string
	FirstSeen                           sql.NullInt64
	Username, Type                      string
	Status, Info, Description, LastSync sql.NullString
	LockedUntil                         sql.NullInt64
	Versions                            int
	Body                                sql.NullString
	Health                              string
	SinceAfter, SinceBefore             sql.NullInt64
	SeenAt, UnlistedSince               sql.NullInt64
}

func (r *accountRow) targets() []any {
	return []any{
		&r.ID, &r.Hash, &r.FirstSeen, &r.Username, &r.Type, &r.Status, &r.Info, &r.Description, &r.LastSync,
		&r.LockedUntil, &r.Versions, &r.Body, &r.Health, &r.SinceAfter, &r.SinceBefore, &r.SeenAt, &r.UnlistedSince,
	}
}

// accountReader maps rows of accounts. It holds what is looked up once rather
// than for each account.
type accountReader struct {
	ctx    context.Context
	tx     *sqlx.Tx
	query  AccountQuery
	squids map[int64]Squid
	uses   map[int64][]int64 // the squids that each account has
	seen   map[int64]int64   // when the account was seen last before the moment, for most
}

func newAccountReader(ctx context.Context, tx *sqlx.Tx, q AccountQuery) (*accountReader, error) {
	r := &accountReader{ctx: ctx, tx: tx, query: q}
	var err error
	if r.squids, err = squidsAt(ctx, tx, q.Workspace, q.At); err != nil {
		return nil, err
	}
	if r.query.At, err = pastOrNow(ctx, tx, q.Workspace, q.At); err != nil {
		return nil, err
	}
	if r.uses, err = usesAt(ctx, tx, r.query); err != nil || r.query.At.IsZero() {
		return r, err
	}
	r.seen, err = seenBefore(ctx, tx, r.query)
	return r, err
}

func (r *accountReader) state(row *accountRow) (AccountState, error) {
	state := AccountState{
		Workspace: r.query.Workspace, ID: row.Hash, Versions: row.Versions,
		Facts: Facts{
			Username: row.Username, Type: row.Type, Status: row.Status.String, Info: row.Info.String,
			Description: row.Description.String, LastSync: row.LastSync.String, Health: Health(row.Health),
			LockedUntil: instant(row.LockedUntil),
		},
		HealthSince:   Window{After: instant(row.SinceAfter), Before: instant(row.SinceBefore)},
		FirstSeen:     instant(row.FirstSeen),
		SeenAt:        instant(row.SeenAt),
		UnlistedSince: instant(row.UnlistedSince),
		Document:      rawOrNil(row.Body),
	}
	state.Facts.Squids = r.named(r.uses[row.ID])
	var err error
	if !r.query.At.IsZero() {
		state.SeenAt, err = r.lastSeen(row.ID)
	}
	return state, err
}

// named are the squids with these row ids, sorted by id.
func (r *accountReader) named(ids []int64) []Squid {
	squids := make([]Squid, 0, len(ids))
	for _, id := range ids {
		squids = append(squids, r.squids[id])
	}
	slices.SortFunc(squids, func(a, b Squid) int { return cmp.Compare(a.ID, b.ID) })
	return squids
}
