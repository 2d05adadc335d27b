package store

import (
	"cmp"
	"context"
	"database/sql"
	"iter"
	"math"
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
		accounts, err := s.accounts(ctx, q)
		if err != nil {
			yield(AccountState{}, err)
			return
		}
		for _, account := range accounts {
			if !yield(account.AccountState, nil) {
				return
			}
		}
	}
}

// manyAccounts are so many that reading a half of them takes longer than to open
// another connection.
var manyAccounts int64 = 2000

// accounts reads in the order of the table and sorts afterwards: SQLite takes
// several times as long over rows of this width.
func (s *Store) accounts(ctx context.Context, q AccountQuery) (accounts []*accountRow, err error) {
	var last int64
	if err := s.read.GetContext(ctx, &last, `SELECT coalesce(max(id), 0) FROM account`); err != nil {
		return nil, s.failure(err)
	}
	connections := 1
	if q.Account == "" && last > manyAccounts {
		connections = 3
	}
	err = s.views(ctx, connections, func(txs []*sqlx.Tx) error {
		r, err := newAccountReader(ctx, txs[0], q)
		if err != nil {
			return err
		}
		accounts, err = r.read(txs, last/2)
		return err
	})
	slices.SortFunc(accounts, func(a, b *accountRow) int {
		return cmp.Or(compareNoCase(a.Facts.Username, b.Facts.Username), cmp.Compare(a.ID, b.ID))
	})
	return accounts, err
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

// sql is the query for the rows of accounts.
func (q AccountQuery) sql() string {
	const document = `, CASE WHEN ?2 THEN (SELECT body FROM document WHERE id = v.document_id) END`
	own, of := columnsNow, accountsNow
	if !q.At.IsZero() {
		own, of = columnsAt, accountsAt
	}
	which := allAccounts
	if q.Account != "" {
		which = oneAccount
	}
	return `SELECT ` + packed(slices.Concat(own, columnsAlways)...) + document + which + ` AND a.id > ?5 AND a.id <= ?6` + of
}

// The columns of a row, in the order of accountReader.account: those that each query has
// its own way to, and those of a (the account) and v (its version).
var (
	columnsNow    = []string{`h.health`, `h.health_after`, `h.health_before`, `r.received_at`, `missing.since`}
	columnsAt     = []string{`since.health_after`, `since.after`, `since.before`, `''`, absentAt}
	columnsAlways = []string{
		`a.id`, `a.hash`, `a.first_seen`, `v.number`, `v.username`, `v.type`, `v.status`, `v.status_code_info`,
		`v.status_code_description`, `v.last_synchronization_time`, `v.locked_until`,
	}
)

const (
	// allAccounts are read in the order of their ids, in which all else that is known of
	// them is near; that of the index on the workspace is another one.
	allAccounts = ` FROM workspace w CROSS JOIN account a NOT INDEXED ON a.workspace_id = w.id`
	oneAccount  = ` FROM workspace w CROSS JOIN account a ON a.workspace_id = w.id AND a.hash = ?4`

	accountsNow = `
	CROSS JOIN head h ON h.account_id = a.id
	CROSS JOIN version v ON v.id = h.version_id
	CROSS JOIN seen ON seen.account_id = a.id
	CROSS JOIN response r ON r.id = max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0))
	LEFT JOIN absence missing ON missing.id = h.absence_id
	WHERE w.name = ?1`

	accountsAt = `
	CROSS JOIN version v ON v.id = (
		SELECT id FROM version WHERE account_id = a.id AND valid_from <= ?3
		ORDER BY valid_from DESC, number DESC LIMIT 1
	)
	CROSS JOIN status_step since ON since.id = (
		SELECT id FROM status_step t
		WHERE t.account_id = a.id AND t.before <= ?3 AND t.health_before IS NOT t.health_after
		ORDER BY t.before DESC, t.id DESC LIMIT 1
	)
	WHERE w.name = ?1 AND a.first_seen <= ?3`

	absentAt = `(
		SELECT m.since FROM absence m
		WHERE m.account_id = a.id AND m.since <= ?3 AND (m.ended IS NULL OR m.ended > ?3)
		ORDER BY m.since DESC LIMIT 1
	)`
)

// accountRow is an account with its row id.
type accountRow struct {
	AccountState
	id int64
}

// accountReader maps rows of accounts. It holds what is looked up once rather
// than for each account.
type accountReader struct {
	ctx    context.Context
	tx     *sqlx.Tx
	query  AccountQuery
	squids map[int64]Squid
	uses   []use           // sorted by account
	seen   map[int64]int64 // when the account was seen last before the moment, for most
}

func newAccountReader(ctx context.Context, tx *sqlx.Tx, q AccountQuery) (*accountReader, error) {
	r := &accountReader{ctx: ctx, tx: tx, query: q}
	var err error
	if r.squids, err = squidsAt(ctx, tx, q.Workspace, q.At); err != nil {
		return nil, err
	}
	r.query.At, err = pastOrNow(ctx, tx, q.Workspace, q.At)
	return r, err
}

// read reads all accounts, those with ids up to the middle and those beyond it side
// by side.
func (r *accountReader) read(txs []*sqlx.Tx, middle int64) (accounts []*accountRow, err error) {
	var first, second []*accountRow
	err = sideBySide(txs,
		func(tx *sqlx.Tx) (err error) {
			first, err = r.rows(tx, 0, middle)
			return err
		},
		func(tx *sqlx.Tx) (err error) {
			second, err = r.rows(tx, middle, math.MaxInt64)
			return err
		},
		r.readUses)
	accounts = append(first, second...)
	for _, account := range accounts {
		if err == nil {
			err = r.complete(account)
		}
	}
	return accounts, err
}

// readUses reads what is read for all accounts at once.
func (r *accountReader) readUses(tx *sqlx.Tx) (err error) {
	if r.uses, err = usesAt(r.ctx, tx, r.query); err == nil && !r.query.At.IsZero() {
		r.seen, err = seenBefore(r.ctx, tx, r.query)
	}
	return err
}

// complete adds what is no part of an account's row.
func (r *accountReader) complete(account *accountRow) (err error) {
	account.Facts.Squids = r.squidsOf(account.id)
	if !r.query.At.IsZero() {
		account.SeenAt, err = r.lastSeen(account.id)
	}
	return err
}

// rows reads the rows of accounts whose ids are beyond the first and up to the second.
func (r *accountReader) rows(tx *sqlx.Tx, beyond, upTo int64) (accounts []*accountRow, err error) {
	var row string
	var document sql.NullString
	args := append(r.query.args(), beyond, upTo)
	err = eachOf(r.ctx, tx, r.query.sql(), args, func(scan func(...any) error) error {
		if err := scan(&row, &document); err != nil {
			return err
		}
		account, err := r.account(row)
		account.Document = rawOrNil(document)
		accounts = append(accounts, account)
		return err
	})
	return accounts, err
}

// account maps a row of [AccountQuery.sql].
func (r *accountReader) account(row string) (*accountRow, error) {
	f := unpack(row)
	a := &accountRow{}
	a.Workspace = r.query.Workspace
	a.Facts.Health = Health(f.text())
	a.HealthSince.After, a.HealthSince.Before = f.instant(), f.instant()
	a.SeenAt, a.UnlistedSince = f.instant(), f.instant()
	a.id = f.number().Int64
	a.ID, a.FirstSeen, a.Versions = f.text(), f.instant(), int(f.number().Int64)
	a.Facts.Username, a.Facts.Type, a.Facts.Status = f.text(), f.text(), f.text()
	a.Facts.Info, a.Facts.Description, a.Facts.LastSync = f.text(), f.text(), f.text()
	a.Facts.LockedUntil = f.instant()
	return a, f.err()
}

// squidsOf are the squids that the account has, sorted by id, with the names in its own
// document.
func (r *accountReader) squidsOf(account int64) []Squid {
	at, _ := slices.BinarySearchFunc(r.uses, account, func(u use, account int64) int { return cmp.Compare(u.account, account) })
	squids := []Squid{}
	for ; at < len(r.uses) && r.uses[at].account == account; at++ {
		squids = append(squids, Squid{ID: r.squids[r.uses[at].squid].ID, Name: r.uses[at].name})
	}
	slices.SortFunc(squids, func(a, b Squid) int { return cmp.Compare(a.ID, b.ID) })
	return squids
}
