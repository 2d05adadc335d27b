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

func readAssignments(ctx context.Context, tx Tx, q store.AssignmentQuery) (all []store.Assignment, err error) {
	ws, err := WorkspaceID(ctx, tx, q.Workspace)
	if err != nil || ws == 0 {
		return nil, err
	}
	squids, err := readSquids(ctx, tx, ws, q.At)
	if err != nil {
		return nil, err
	}
	accounts, err := readNamed(ctx, tx, ws, q.At)
	if err != nil {
		return nil, err
	}
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
	err = Each(ctx, tx, `
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
			var squid, account int64
			var fromAfter, fromBefore, toAfter, toBefore sql.NullInt64
			if err := scan(&squid, &account, &fromAfter, &fromBefore, &toAfter, &toBefore); err != nil {
				return err
			}
			s, a := squids[squid], accounts[account]
			g := store.Assignment{
				Squid: s.ID, SquidName: s.Name, Account: a.id, Username: a.username, Health: a.health,
				From: store.Window{After: instant(fromAfter), Before: instant(fromBefore)},
			}
			if toBefore.Valid && q.At.IsZero() { // that it ended was received after the moment
				g.To = &store.Window{After: instant(toAfter), Before: instant(toBefore)}
			}
			all = append(all, g)
			return nil
		})
	slices.SortStableFunc(all, func(a, b store.Assignment) int {
		return cmp.Or(cmp.Compare(a.SquidName, b.SquidName), cmp.Compare(a.Squid, b.Squid), store.CompareNames(a.Username, b.Username),
			cmp.Compare(a.Account, b.Account), a.From.Before.Compare(b.From.Before))
	})
	return all, err
}

// named is an account as assignments name it.
type named struct {
	id, username string
	health       store.Health
}

// readNamed reads the accounts with the names and healths that they had.
func readNamed(ctx context.Context, tx Tx, ws int64, at time.Time) (map[int64]named, error) {
	accounts := map[int64]named{}
	return accounts, Each(ctx, tx, `
		SELECT a.id, a.hash, v.username, t.health_after
		FROM account a
		ORDERED JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.at = (
			SELECT at FROM version WHERE ws = a.ws AND account = a.id AND at <= greatest(?2, a.first_at) ORDER BY at DESC LIMIT 1
		)
		ORDERED JOIN status_step t ON t.ws = a.ws AND t.account = a.id AND t.at = (
			SELECT at FROM status_step WHERE ws = a.ws AND account = a.id AND at <= greatest(?2, a.first_at) ORDER BY at DESC LIMIT 1
		)
		WHERE a.ws = ?1`, []any{ws, moment(at)}, func(scan func(...any) error) error {
		var number int64
		var n named
		err := scan(&number, &n.id, &n.username, &n.health)
		accounts[number] = n
		return err
	})
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
