package relational

import (
	"cmp"
	"context"
	"database/sql"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Assignments reads assignments by squid name and id, then by username, then in the
// order of time. Names are those of the moment asked for, or of now. They are read
// before the first one is handed on.
func (s *Store) Assignments(ctx context.Context, q store.AssignmentQuery) iter.Seq2[store.Assignment, error] {
	return readFirst(ctx, s, func(tx Tx) ([]store.Assignment, error) { return readAssignments(ctx, tx, q) })
}

func readAssignments(ctx context.Context, tx Tx, q store.AssignmentQuery) ([]store.Assignment, error) {
	ws, err := WorkspaceID(ctx, tx, q.Workspace)
	if err != nil || ws == 0 {
		return nil, err
	}
	found, err := findAssignments(ctx, tx, ws, q)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	squids, err := readSquids(ctx, tx, ws, q.At)
	if err != nil {
		return nil, err
	}
	accounts, err := readNamed(ctx, tx, ws, q.At, accountsOf(found, q))
	all := make([]store.Assignment, len(found))
	for i, g := range found {
		all[i] = g.named(squids[g.squid], accounts[g.account], q)
	}
	slices.SortStableFunc(all, func(a, b store.Assignment) int {
		return cmp.Or(cmp.Compare(a.SquidName, b.SquidName), cmp.Compare(a.Squid, b.Squid), store.CompareNames(a.Username, b.Username),
			cmp.Compare(a.Account, b.Account), a.From.Before.Compare(b.From.Before))
	})
	return all, err
}

// assigned is a row of table assignment.
type assigned struct {
	squid, account, fromBefore   int64
	fromAfter, toAfter, toBefore sql.NullInt64
}

func findAssignments(ctx context.Context, tx Tx, ws int64, q store.AssignmentQuery) (found []assigned, err error) {
	at, since, until := int64(math.MaxInt64), int64(0), int64(math.MaxInt64)
	if !q.At.IsZero() {
		at = q.At.UnixMilli()
	}
	if !q.Since.IsZero() {
		since = q.Since.UnixMilli()
	}
	if !q.Until.IsZero() {
		until = q.Until.UnixMilli()
	}
	return found, Each(ctx, tx, `
		SELECT g.squid, g.account, g.from_after, g.from_before, g.to_after, g.to_before
		FROM assignment g
		WHERE g.ws = ?1
			AND (?2 = '' OR g.squid = (SELECT id FROM squid WHERE ws = ?1 AND hash = ?2))
			AND (?3 = '' OR g.account = (SELECT id FROM account WHERE ws = ?1 AND hash = ?3))
			AND (?4 = 9223372036854775807 OR g.from_before <= ?4 AND (g.to_before IS NULL OR g.to_before > ?4))
			AND (g.to_before IS NULL OR g.to_before > ?5) AND coalesce(g.from_after, g.from_before) <= ?6
			AND (?7 = 0 OR g.to_before IS NULL)
			AND (?8 = 0 OR g.to_before BETWEEN ?5 AND ?6 OR g.from_after IS NOT NULL AND g.from_before BETWEEN ?5 AND ?6)`,
		[]any{ws, q.Squid, q.Account, at, since, until, flag(q.Open), flag(q.Moved)}, func(scan func(...any) error) error {
			var g assigned
			err := scan(&g.squid, &g.account, &g.fromAfter, &g.fromBefore, &g.toAfter, &g.toBefore)
			found = append(found, g)
			return err
		})
}

// named is the assignment with the names of its squid and its account.
func (g *assigned) named(squid store.Name, account named, q store.AssignmentQuery) store.Assignment {
	a := store.Assignment{
		Squid: squid.ID, SquidName: squid.Name, Account: account.id, Username: account.username, Health: account.health,
		From: store.Window{After: instant(g.fromAfter), Before: time.UnixMilli(g.fromBefore).UTC()},
	}
	if g.toBefore.Valid && q.At.IsZero() { // that it ended was received after the moment
		a.To = &store.Window{After: instant(g.toAfter), Before: instant(g.toBefore)}
	}
	return a
}

// accountsOf lists the accounts of assignments, for among; nil where the query is about
// nearly all accounts.
func accountsOf(found []assigned, q store.AssignmentQuery) any {
	if q.Squid == "" && q.Account == "" && !q.Moved {
		return nil
	}
	var accounts []int64
	for _, g := range found {
		accounts = append(accounts, g.account)
	}
	return jsonList(accounts)
}

// named is an account as assignments name it.
type named struct {
	id, username string
	health       store.Health
}

// readNamed reads accounts with the names and healths that they had; see among.
func readNamed(ctx context.Context, tx Tx, ws int64, at time.Time, list any) (map[int64]named, error) {
	if at.IsZero() {
		return readNamedNow(ctx, tx, ws, list)
	}
	accounts := map[int64]named{}
	query, args := among(list, `
		SELECT a.id, a.hash, v.username, t.health_after
		FROM account a
		ORDERED JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.at = (
			SELECT at FROM version WHERE ws = a.ws AND account = a.id AND at <= greatest(?2, a.first_at) ORDER BY at DESC LIMIT 1
		)
		ORDERED JOIN status_step t ON t.ws = a.ws AND t.account = a.id AND t.at = (
			SELECT at FROM status_step WHERE ws = a.ws AND account = a.id AND at <= greatest(?2, a.first_at) ORDER BY at DESC LIMIT 1
		)
		WHERE a.ws = ?1`, "a.id", ws, moment(at))
	return accounts, Each(ctx, tx, query, args, func(scan func(...any) error) error {
		var number int64
		var n named
		err := scan(&number, &n.id, &n.username, &n.health)
		accounts[number] = n
		return err
	})
}

func readNamedNow(ctx context.Context, tx Tx, ws int64, list any) (map[int64]named, error) {
	ids, err := accountIDs(ctx, tx, ws, list)
	if err != nil {
		return nil, err
	}
	names, err := usernames(ctx, tx, ws, list)
	if err != nil {
		return nil, err
	}
	healths, err := healths(ctx, tx, ws, list)
	accounts := make(map[int64]named, len(ids))
	for number, id := range ids {
		accounts[number] = named{id, names[number], store.Health(healths[number])}
	}
	return accounts, err
}

// readSquids reads the squids of a workspace, by number, with the names that were
// told last before the moment. Those that were named later have none.
func readSquids(ctx context.Context, tx Tx, ws int64, at time.Time) (map[int64]store.Name, error) {
	squids := map[int64]store.Name{}
	return squids, Each(ctx, tx, `
		SELECT q.id, q.hash, coalesce((
			SELECT name FROM squid_name WHERE ws = q.ws AND squid = q.id AND at <= ?2 ORDER BY at DESC, account DESC LIMIT 1
		), '')
		FROM squid q
		WHERE q.ws = ?1`, []any{ws, moment(at)}, func(scan func(...any) error) error {
		var number int64
		var n store.Name
		err := scan(&number, &n.ID, &n.Name)
		squids[number] = n
		return err
	})
}

// Squids lists the squids of the workspace that any account has ever named, by name.
// At, unless zero, leaves out those first named later.
func (s *Store) Squids(ctx context.Context, workspace string, at time.Time) iter.Seq2[store.Name, error] {
	return rowsOf(ctx, s, `
		SELECT id, name
		FROM (
			SELECT q.hash AS id, (
				SELECT name FROM squid_name WHERE ws = q.ws AND squid = q.id AND at <= ?2 ORDER BY at DESC, account DESC LIMIT 1
			) AS name
			FROM squid q
			JOIN workspace w ON w.id = q.ws
			WHERE w.name = ?1
		) named
		WHERE name IS NOT NULL
		ORDER BY name, id`, []any{workspace, moment(at)}, func(n store.Name) (store.Name, error) { return n, nil })
}
