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

// allAssignments answers as [Store.Assignments] does for all squids and accounts:
// it looks up each of these once, and sorts by their ranks.
func (s *Store) allAssignments(ctx context.Context, q AssignmentQuery) iter.Seq2[Assignment, error] {
	return func(yield func(Assignment, error) bool) {
		var f *fleet
		err := s.views(ctx, 2, func(txs []*sqlx.Tx) (err error) {
			f, err = readFleet(ctx, txs, q)
			return err
		})
		if err != nil {
			yield(Assignment{}, err)
			return
		}
		for i := range f.spans {
			if !yield(f.assignment(&f.spans[i]), nil) {
				return
			}
		}
	}
}

// fleet is what assignments are told of: spans in their order, and the squids and
// accounts they are of, by row id.
type fleet struct {
	squids   map[int64]*ranked
	accounts map[int64]*ranked
	spans    []span
}

// ranked is a squid or an account, with its place among its like.
type ranked struct {
	id, name string
	health   Health
	rank     int
}

// span is an assignment as it is stored.
type span struct {
	id, squidID, accountID                   int64
	squid, account                           *ranked
	fromAfter, fromBefore, toAfter, toBefore sql.NullInt64
}

func readFleet(ctx context.Context, txs []*sqlx.Tx, q AssignmentQuery) (*fleet, error) {
	f := &fleet{}
	err := sideBySide(txs,
		func(tx *sqlx.Tx) (err error) { return f.readNamed(ctx, tx, q) },
		func(tx *sqlx.Tx) (err error) {
			f.spans, err = readSpans(ctx, tx, q)
			return err
		})
	if err != nil {
		return nil, err
	}
	// The others are of another workspace.
	f.spans = slices.DeleteFunc(f.spans, func(s span) bool { return f.squids[s.squidID] == nil || f.accounts[s.accountID] == nil })
	for i := range f.spans {
		one := &f.spans[i]
		one.squid, one.account = f.squids[one.squidID], f.accounts[one.accountID]
	}
	slices.SortFunc(f.spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.squid.rank, b.squid.rank), cmp.Compare(a.account.rank, b.account.rank),
			cmp.Compare(a.fromBefore.Int64, b.fromBefore.Int64), cmp.Compare(a.id, b.id))
	})
	for i := range f.spans {
		if !q.At.IsZero() { // what was received later is left out
			f.spans[i].toAfter, f.spans[i].toBefore = sql.NullInt64{}, sql.NullInt64{}
		}
	}
	return f, nil
}

// readNamed reads the squids and accounts, and ranks them.
func (f *fleet) readNamed(ctx context.Context, tx *sqlx.Tx, q AssignmentQuery) error {
	squids, err := squidsAt(ctx, tx, q.Workspace, q.At)
	if err != nil {
		return err
	}
	f.squids = make(map[int64]*ranked, len(squids))
	for id, squid := range squids {
		f.squids[id] = &ranked{id: squid.ID, name: squid.Name}
	}
	at, err := pastOrNow(ctx, tx, q.Workspace, q.At)
	if err != nil {
		return err
	}
	if f.accounts, err = healthsAt(ctx, tx, q.Workspace, at); err != nil {
		return err
	}
	rank(f.squids, cmp.Compare)
	rank(f.accounts, compareNoCase)
	return nil
}

// rank numbers all by name, then id.
func rank(all map[int64]*ranked, compare func(a, b string) int) {
	sorted := make([]*ranked, 0, len(all))
	for _, r := range all {
		sorted = append(sorted, r)
	}
	slices.SortFunc(sorted, func(a, b *ranked) int { return cmp.Or(compare(a.name, b.name), cmp.Compare(a.id, b.id)) })
	for i, r := range sorted {
		r.rank = i
	}
}

// healthsAt are the accounts of a workspace with the names and healths they had.
func healthsAt(ctx context.Context, tx *sqlx.Tx, workspace string, at time.Time) (map[int64]*ranked, error) {
	columns, query := []string{`v.username`, `h.health`}, `
		FROM workspace w
		CROSS JOIN version v INDEXED BY version_current ON v.valid_to IS NULL
		CROSS JOIN account a ON a.id = v.account_id AND a.workspace_id = w.id
		CROSS JOIN head h ON h.account_id = a.id
		WHERE w.name = ?1 AND ?2 = ?2`
	if !at.IsZero() {
		columns, query = []string{`(
			SELECT username FROM version WHERE account_id = a.id AND valid_from <= ?2
			ORDER BY valid_from DESC, number DESC LIMIT 1
		)`, `(
			SELECT health_after FROM status_step t WHERE t.account_id = a.id AND t.before <= ?2
			ORDER BY t.before DESC, t.id DESC LIMIT 1
		)`}, allAccounts+` WHERE w.name = ?1 AND a.first_seen <= ?2`
	}
	query = `SELECT ` + packed(append(columns, `a.id`, `a.hash`)...) + query
	accounts := map[int64]*ranked{}
	var row string
	err := eachOf(ctx, tx, query, []any{workspace, at.UnixMilli()}, func(scan func(...any) error) error {
		if err := scan(&row); err != nil {
			return err
		}
		f, account := unpack(row), &ranked{}
		account.name, account.health = f.text(), Health(f.text())
		id := f.number().Int64
		account.id = f.text()
		accounts[id] = account
		return f.err()
	})
	return accounts, err
}

// readSpans reads the assignments asked for: the open ones, and unless they are
// all that is wanted, those that ended late enough, by the index of the views.
func readSpans(ctx context.Context, tx *sqlx.Tx, q AssignmentQuery) (spans []span, err error) {
	const columns = `SELECT id, squid_id, account_id, from_after, from_before, to_after, to_before FROM assignment `
	at, since, until := int64(1<<63-1), int64(0), int64(1<<63-1)
	if !q.At.IsZero() {
		at, since = q.At.UnixMilli(), q.At.UnixMilli()
	}
	if !q.Since.IsZero() {
		since = max(since, q.Since.UnixMilli())
	}
	if !q.Until.IsZero() {
		until = q.Until.UnixMilli()
	}
	const begun = `from_before <= ?1 AND coalesce(from_after, from_before) <= ?3`
	queries := []string{columns + `WHERE to_before IS NULL AND ` + begun}
	switch {
	case q.Open:
	case since == 0:
		queries = append(queries, columns+`WHERE to_before IS NOT NULL AND `+begun)
	default:
		queries = append(queries, columns+`WHERE `+stamp("to_before")+` > `+stamp("?2")+` AND `+begun)
	}
	var one span
	for _, query := range queries {
		err := eachOf(ctx, tx, query, []any{at, since, until}, func(scan func(...any) error) error {
			err := scan(&one.id, &one.squidID, &one.accountID, &one.fromAfter, &one.fromBefore, &one.toAfter, &one.toBefore)
			spans = append(spans, one)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return spans, nil
}

func (f *fleet) assignment(s *span) Assignment {
	g := Assignment{
		Squid: s.squid.id, SquidName: s.squid.name, Account: s.account.id, Username: s.account.name, Health: s.account.health,
		From: Window{After: instant(s.fromAfter), Before: instant(s.fromBefore)},
	}
	if s.toBefore.Valid {
		g.To = &Window{After: instant(s.toAfter), Before: instant(s.toBefore)}
	}
	return g
}
