package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// Name is something that has an id and a name: an account or a squid.
type Name struct {
	ID   string
	Name string
}

// AmbiguousError means that several things go by the same reference.
type AmbiguousError struct {
	Reference  string
	Candidates []Name // at least two, by name
}

// Error counts the candidates.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q could be %d things", e.Reference, len(e.Candidates))
}

// FindAccount finds an account of the workspace by its id, its username in any
// case, a unique prefix of the id, or a unique part of the username. The first of
// these that fits anything decides. Usernames are those of the moment (zero: now), and
// accounts first seen later are found by their whole id alone. It returns ErrNotFound
// when nothing fits, and an [*AmbiguousError] when one way fits several.
func (s *Store) FindAccount(ctx context.Context, workspace, reference string, at time.Time) (Name, error) {
	return s.find(ctx, workspace, reference, at, accountWay(at))
}

func accountWay(at time.Time) way {
	names := accountNames
	if !at.IsZero() {
		names = accountNamesAt
	}
	return way{
		id: `
		SELECT a.hash AS id, v.username AS name
		FROM workspace w
		CROSS JOIN account a ON a.workspace_id = w.id
		CROSS JOIN head h ON h.account_id = a.id
		CROSS JOIN version v ON v.id = h.version_id
		WHERE w.name = ?1 AND a.hash = ?2 AND ?3 = ?3`,
		name: names + ` AND v.username = ?2 COLLATE NOCASE ORDER BY 2, 1`,
		all:  names + ` AND ?2 = ?2 ORDER BY 2, 1`,
		ever: `
		SELECT DISTINCT a.hash AS id, v.username AS name
		FROM version v
		CROSS JOIN account a ON a.id = v.account_id
		WHERE a.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND ?2 = ?2 AND v.valid_from <= ?3
		ORDER BY 2, 1`,
	}
}

const (
	// accountNames reads an index alone, but for the ids.
	accountNames = `
		SELECT a.hash AS id, v.username AS name
		FROM version v INDEXED BY version_current
		CROSS JOIN account a ON a.id = v.account_id
		WHERE v.valid_to IS NULL AND a.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND ?3 = ?3`
	accountNamesAt = `
		SELECT a.hash AS id, v.username AS name
		FROM workspace w
		CROSS JOIN account a ON a.workspace_id = w.id
		CROSS JOIN version v ON v.id = (
			SELECT id FROM version WHERE account_id = a.id AND valid_from <= ?3
			ORDER BY valid_from DESC, number DESC LIMIT 1
		)
		WHERE w.name = ?1`
)

// FindSquid finds a squid of the workspace as FindAccount finds an account.
func (s *Store) FindSquid(ctx context.Context, workspace, reference string, at time.Time) (Name, error) {
	return s.find(ctx, workspace, reference, at, squidWay)
}

var squidWay = way{
	id: `
		SELECT
			q.hash AS id,
			(SELECT name FROM squid_name WHERE squid_id = q.id ORDER BY since DESC LIMIT 1) AS name
		FROM squid q
		JOIN workspace w ON w.id = q.workspace_id
		WHERE w.name = ?1 AND q.hash = ?2 AND ?3 = ?3`,
	all: squidNames + ` AND n.since = (SELECT max(since) FROM squid_name WHERE squid_id = q.id AND since <= ?3)
		ORDER BY 2, 1`,
	ever: squidNames + ` AND n.since <= ?3
		ORDER BY 2, 1`,
}

const squidNames = `
		SELECT DISTINCT q.hash AS id, n.name AS name
		FROM squid q
		JOIN workspace w ON w.id = q.workspace_id
		JOIN squid_name n ON n.squid_id = q.id
		WHERE w.name = ?1 AND ?2 = ?2`

// FindAccountEver is [Store.FindAccount] that also knows the usernames which accounts had
// before the moment. One that is called so comes first; a whole former username comes
// before a mere part of those of the moment, and parts of former ones come last. It also
// returns the former username that fits; "" when it is none.
func (s *Store) FindAccountEver(ctx context.Context, workspace, reference string, at time.Time) (found Name, former string, err error) {
	return s.findEver(ctx, workspace, reference, at, accountWay(at))
}

// FindSquidEver finds a squid as FindAccountEver finds an account.
func (s *Store) FindSquidEver(ctx context.Context, workspace, reference string, at time.Time) (found Name, former string, err error) {
	return s.findEver(ctx, workspace, reference, at, squidWay)
}

// way is how to find something: by its whole id, by its whole name in any case
// ("" where there are never many), among all, and among all names there ever were.
type way struct{ id, name, all, ever string }

func (s *Store) find(ctx context.Context, workspace, reference string, at time.Time, by way) (found Name, err error) {
	if reference == "" {
		return Name{}, ErrNotFound
	}
	var all []Name
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		read := func(query, reference string) error {
			return tx.SelectContext(ctx, &all, query, workspace, reference, momentOf(at))
		}
		if id := strings.ToLower(reference); IsAccountID(id) { // by far the fastest way
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
		return Name{}, err
	}
	return choose(all, reference, nowWays(reference))
}

// momentOf is the moment in Unix milliseconds; the end of time for the zero time.
func momentOf(at time.Time) int64 {
	if at.IsZero() {
		return 1<<63 - 1
	}
	return at.UnixMilli()
}

func (s *Store) findEver(ctx context.Context, workspace, reference string, at time.Time, by way) (found Name, former string, err error) {
	found, err = s.find(ctx, workspace, reference, at, by)
	ways := []naming{wholeName(reference)}
	switch ambiguous := (*AmbiguousError)(nil); {
	case reference == "" || err == nil && namedWhole(found, reference):
		return found, "", err
	case errors.Is(err, ErrNotFound):
		ways = append(ways, partOfName(reference))
	case errors.As(err, &ambiguous):
		if namedWhole(ambiguous.Candidates[0], reference) {
			return found, "", err
		}
	case err != nil:
		return found, "", err
	}
	var all []Name
	readErr := s.view(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &all, by.ever, workspace, reference, momentOf(at))
	})
	if readErr != nil {
		return Name{}, "", readErr
	}
	once, chooseErr := choose(all, reference, ways)
	switch {
	case chooseErr == nil:
		found, err = s.find(ctx, workspace, once.ID, at, by)
		return found, once.Name, err
	case errors.Is(err, ErrNotFound):
		return found, "", chooseErr
	}
	return found, "", err
}

// namedWhole reports whether something is named by the whole of its name, or by its id.
func namedWhole(n Name, reference string) bool {
	return wholeName(reference)(n) || strings.HasPrefix(strings.ToLower(n.ID), strings.ToLower(reference))
}

// naming reports whether something is named by a reference.
type naming = func(Name) bool

func wholeName(reference string) naming {
	return func(n Name) bool { return strings.EqualFold(n.Name, reference) }
}

func partOfName(reference string) naming {
	low := strings.ToLower(reference)
	return func(n Name) bool { return strings.Contains(strings.ToLower(n.Name), low) }
}

// nowWays are all ways of naming something by what it is called, the most exact first.
func nowWays(reference string) []naming {
	low := strings.ToLower(reference)
	return []naming{
		func(n Name) bool { return n.ID == low || n.ID == reference },
		wholeName(reference),
		func(n Name) bool { return strings.HasPrefix(strings.ToLower(n.ID), low) },
		partOfName(reference),
	}
}

// choose tries the ways, the most exact first. What has several names that fit is one
// candidate.
func choose(all []Name, reference string, ways []naming) (Name, error) {
	for _, fits := range ways {
		var candidates []Name
		for _, n := range all {
			sameID := func(c Name) bool { return c.ID == n.ID }
			if fits(n) && !slices.ContainsFunc(candidates, sameID) {
				candidates = append(candidates, n)
			}
		}
		switch len(candidates) {
		case 0:
			continue
		case 1:
			return candidates[0], nil
		}
		return Name{}, &AmbiguousError{Reference: reference, Candidates: candidates}
	}
	return Name{}, ErrNotFound
}

// AccountNames lists the accounts of the workspace whose id or username begins
// with the prefix in any case, by username; at most n of them. It is made for
// completion.
func (s *Store) AccountNames(ctx context.Context, workspace, prefix string, n int) ([]Name, error) {
	return s.names(ctx, n, `
		SELECT a.hash AS id, v.username AS name
		FROM account a
		JOIN workspace w ON w.id = a.workspace_id
		JOIN head h ON h.account_id = a.id
		JOIN version v ON v.id = h.version_id
		WHERE w.name = ?1 AND (a.hash LIKE ?2 ESCAPE '\' OR v.username LIKE ?2 ESCAPE '\')
		ORDER BY v.username, a.hash
		LIMIT ?3`, workspace, prefix)
}

// SquidNames lists the squids of the workspace as AccountNames lists accounts.
func (s *Store) SquidNames(ctx context.Context, workspace, prefix string, n int) ([]Name, error) {
	return s.names(ctx, n, `
		SELECT q.hash AS id, n.name AS name
		FROM squid q
		JOIN workspace w ON w.id = q.workspace_id
		JOIN squid_name n ON n.squid_id = q.id
		WHERE w.name = ?1 AND (q.hash LIKE ?2 ESCAPE '\' OR n.name LIKE ?2 ESCAPE '\')
			AND n.since = (SELECT max(since) FROM squid_name WHERE squid_id = q.id)
		ORDER BY n.name, q.hash
		LIMIT ?3`, workspace, prefix)
}

func (s *Store) names(ctx context.Context, n int, query, workspace, prefix string) (found []Name, err error) {
	pattern := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(prefix) + "%"
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &found, query, workspace, pattern, n)
	})
	return found, err
}
