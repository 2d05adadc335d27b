package relational

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// FindAccount finds an account of the workspace: see [store.Choose]. Usernames are those
// of the moment (zero: now), and accounts first seen later are found by their whole id
// alone.
func (s *Store) FindAccount(ctx context.Context, workspace, reference string, at time.Time) (store.Name, error) {
	return s.find(ctx, workspace, reference, at, accountLookup(at))
}

// FindAccountEver is [Store.FindAccount] that also knows the usernames which accounts had
// before the moment: see [store.FindEver].
func (s *Store) FindAccountEver(ctx context.Context, workspace, reference string, at time.Time) (store.Name, string, error) {
	return s.findEver(ctx, workspace, reference, at, accountLookup(at))
}

// FindSquid finds a squid of the workspace as FindAccount finds an account.
func (s *Store) FindSquid(ctx context.Context, workspace, reference string, at time.Time) (store.Name, error) {
	return s.find(ctx, workspace, reference, at, squidLookup)
}

// FindSquidEver finds a squid as FindAccountEver finds an account.
func (s *Store) FindSquidEver(ctx context.Context, workspace, reference string, at time.Time) (store.Name, string, error) {
	return s.findEver(ctx, workspace, reference, at, squidLookup)
}

// lookup is how to find something: by its whole id, by its whole name in any case
// ("" where there are never many), among all, and among all names there ever were.
type lookup struct {
	id, name, all string
	ever          func(ctx context.Context, tx Tx, workspace string, at int64) ([]store.Name, error)
}

func accountLookup(at time.Time) lookup {
	names := accountNames
	if !at.IsZero() {
		names = accountNamesAt
	}
	return lookup{
		id: `
		SELECT a.hash AS id, v.username AS name
		FROM workspace w
		ORDERED JOIN account a ON a.ws = w.id
		ORDERED JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL
		WHERE w.name = ?1 AND a.hash = ?2 AND CAST(?3 AS BIGINT) IS NOT NULL`,
		name: names + ` AND nocase(v.username) = nocase(?2) ORDER BY 2, 1`,
		all:  names + ` AND CAST(?2 AS TEXT) IS NOT NULL ORDER BY 2, 1`,
		ever: accountNamesEver,
	}
}

const (
	// accountNames reads an index alone, but for the ids.
	accountNames = `
		SELECT a.hash AS id, v.username AS name
		FROM version v
		ORDERED JOIN account a ON a.ws = v.ws AND a.id = v.account
		WHERE v.until IS NULL AND v.ws = (SELECT id FROM workspace WHERE name = ?1) AND CAST(?3 AS BIGINT) IS NOT NULL`
	accountNamesAt = `
		SELECT a.hash AS id, v.username AS name
		FROM workspace w
		ORDERED JOIN account a ON a.ws = w.id
		ORDERED JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.at = (
			SELECT max(at) FROM version WHERE ws = a.ws AND account = a.id AND at <= ?3
		)
		WHERE w.name = ?1`
	// squidNow is the name of squid q that was told last.
	squidNow = `coalesce((SELECT name FROM squid_name WHERE ws = q.ws AND squid = q.id ORDER BY at DESC, account DESC LIMIT 1), '')`
	squids   = `
		SELECT q.hash AS id, ` + squidNow + ` AS name
		FROM squid q
		JOIN workspace w ON w.id = q.ws
		WHERE w.name = ?1`
	squidsNamed = `
		SELECT DISTINCT q.hash AS id, n.name AS name
		FROM squid q
		JOIN workspace w ON w.id = q.ws
		JOIN squid_name n ON n.ws = q.ws AND n.squid = q.id
		WHERE w.name = ?1 AND CAST(?2 AS TEXT) IS NOT NULL`
)

var squidLookup = lookup{
	id: squids + ` AND q.hash = ?2 AND CAST(?3 AS BIGINT) IS NOT NULL`,
	all: squidsNamed + ` AND (n.at, n.account) = (
			SELECT at, account FROM squid_name WHERE ws = q.ws AND squid = q.id AND at <= ?3 ORDER BY at DESC, account DESC LIMIT 1
		)
		ORDER BY 2, 1`,
	ever: func(ctx context.Context, tx Tx, workspace string, at int64) (all []store.Name, err error) {
		return all, tx.SelectContext(ctx, &all, squidsNamed+` AND n.at <= ?3
		ORDER BY 2, 1`, workspace, "", at)
	},
}

// accountNamesEver lists all names that accounts had until a moment, by name and id. The
// versions are read in their own order, in which one name mostly follows itself: to have
// them sorted by SQLite would take three times as long.
func accountNamesEver(ctx context.Context, tx Tx, workspace string, at int64) ([]store.Name, error) {
	ws, err := WorkspaceID(ctx, tx, workspace)
	if err != nil {
		return nil, err
	}
	ids, err := accountIDs(ctx, tx, ws, nil)
	if err != nil {
		return nil, err
	}
	seen, newest := map[store.Name]bool{}, store.Name{}
	// The plus keeps SQLite from an index on at, by which it would search each row.
	err = Each(ctx, tx, `SELECT account, username FROM version WHERE ws = ?1 AND +at <= ?2`, []any{ws, at}, func(scan func(...any) error) error {
		var account int64
		var n store.Name
		err := scan(&account, &n.Name)
		if n.ID = ids[account]; n != newest {
			seen[n], newest = true, n
		}
		return err
	})
	return slices.SortedFunc(maps.Keys(seen), func(a, b store.Name) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	}), err
}

func (s *Store) find(ctx context.Context, workspace, reference string, at time.Time, by lookup) (found store.Name, err error) {
	if reference == "" {
		return store.Name{}, store.ErrNotFound
	}
	var all []store.Name
	err = s.db.Read(ctx, func(tx Tx) error {
		read := func(query, reference string) error {
			return tx.SelectContext(ctx, &all, query, workspace, reference, moment(at))
		}
		if id := strings.ToLower(reference); store.IsAccountID(id) { // by far the fastest way
			if err := read(by.id, id); err != nil || len(all) > 0 {
				return err
			}
		}
		if by.name != "" {
			if err := read(by.name, reference); err != nil || len(all) > 0 {
				return err
			}
		}
		return read(by.all, reference)
	})
	if err != nil {
		return store.Name{}, err
	}
	return store.Choose(all, reference)
}

func (s *Store) findEver(ctx context.Context, workspace, reference string, at time.Time, by lookup) (store.Name, string, error) {
	return store.FindEver(reference, func(reference string) (store.Name, error) {
		return s.find(ctx, workspace, reference, at, by)
	}, func() (all []store.Name, err error) {
		err = s.db.Read(ctx, func(tx Tx) (err error) {
			all, err = by.ever(ctx, tx, workspace, moment(at))
			return err
		})
		return all, err
	})
}

// AccountNames lists the accounts of the workspace whose id or username begins with
// the prefix in any case, by username; at most n of them. It is made for completion.
func (s *Store) AccountNames(ctx context.Context, workspace, prefix string, n int) ([]store.Name, error) {
	return s.names(ctx, n, `
		SELECT a.hash AS id, v.username AS name
		FROM account a
		JOIN workspace w ON w.id = a.ws
		JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL
		WHERE w.name = ?1 AND (nocase(a.hash) LIKE nocase(?2) ESCAPE '\' OR nocase(v.username) LIKE nocase(?2) ESCAPE '\')
		ORDER BY v.username, a.hash
		LIMIT ?3`, workspace, prefix)
}

// SquidNames lists the squids of the workspace as AccountNames lists accounts.
func (s *Store) SquidNames(ctx context.Context, workspace, prefix string, n int) ([]store.Name, error) {
	return s.names(ctx, n, `
		SELECT id, name
		FROM (SELECT q.hash AS id, `+squidNow+` AS name FROM squid q JOIN workspace w ON w.id = q.ws WHERE w.name = ?1) named
		WHERE nocase(id) LIKE nocase(?2) ESCAPE '\' OR nocase(name) LIKE nocase(?2) ESCAPE '\'
		ORDER BY name, id
		LIMIT ?3`, workspace, prefix)
}

func (s *Store) names(ctx context.Context, n int, query, workspace, prefix string) (found []store.Name, err error) {
	pattern := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(prefix) + "%"
	err = s.db.Read(ctx, func(tx Tx) error {
		return tx.SelectContext(ctx, &found, query, workspace, pattern, n)
	})
	return found, err
}
