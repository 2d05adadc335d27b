package store

import (
	"context"
	"fmt"
	"strings"

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
// these that fits anything decides. It returns ErrNotFound when none does, and an
// [*AmbiguousError] when one fits several.
func (s *Store) FindAccount(ctx context.Context, workspace, reference string) (Name, error) {
	return s.find(ctx, workspace, reference, way{
		id: `
		SELECT a.hash AS id, v.username AS name
		FROM workspace w
		CROSS JOIN account a ON a.workspace_id = w.id
		CROSS JOIN head h ON h.account_id = a.id
		CROSS JOIN version v ON v.id = h.version_id
		WHERE w.name = ?1 AND a.hash = ?2`,
		name: accountNames + ` AND v.username = ?2 COLLATE NOCASE ORDER BY 2, 1`,
		all:  accountNames + ` AND ?2 = ?2 ORDER BY 2, 1`,
	})
}

// accountNames reads an index alone, but for the ids.
const accountNames = `
		SELECT a.hash AS id, v.username AS name
		FROM version v INDEXED BY version_current
		CROSS JOIN account a ON a.id = v.account_id
		WHERE v.valid_to IS NULL AND a.workspace_id = (SELECT id FROM workspace WHERE name = ?1)`

// FindSquid finds a squid of the workspace as FindAccount finds an account.
func (s *Store) FindSquid(ctx context.Context, workspace, reference string) (Name, error) {
	const squids = `
		SELECT
			q.hash AS id,
			(SELECT name FROM squid_name WHERE squid_id = q.id ORDER BY since DESC LIMIT 1) AS name
		FROM squid q
		JOIN workspace w ON w.id = q.workspace_id
		WHERE w.name = ?1`
	return s.find(ctx, workspace, reference, way{id: squids + ` AND q.hash = ?2`, all: squids + ` AND ?2 = ?2 ORDER BY 2, 1`})
}

// way is how to find something: by its whole id, by its whole name in any case
// ("" where there are never many), and among all.
type way struct{ id, name, all string }

func (s *Store) find(ctx context.Context, workspace, reference string, by way) (found Name, err error) {
	if reference == "" {
		return Name{}, ErrNotFound
	}
	var all []Name
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		if id := strings.ToLower(reference); IsAccountID(id) { // by far the fastest way
			if err := tx.SelectContext(ctx, &all, by.id, workspace, id); err != nil || len(all) > 0 {
				return err
			}
		}
		if by.name != "" {
			if err := tx.SelectContext(ctx, &all, by.name, workspace, reference); err != nil || len(all) > 0 {
				return err
			}
		}
		return tx.SelectContext(ctx, &all, by.all, workspace, reference)
	})
	if err != nil {
		return Name{}, err
	}
	return choose(all, reference)
}

// choose tries the ways of naming something, the most exact first.
func choose(all []Name, reference string) (Name, error) {
	low := strings.ToLower(reference)
	ways := []func(Name) bool{
		func(n Name) bool { return n.ID == low || n.ID == reference },
		func(n Name) bool { return strings.EqualFold(n.Name, reference) },
		func(n Name) bool { return strings.HasPrefix(strings.ToLower(n.ID), low) },
		func(n Name) bool { return strings.Contains(strings.ToLower(n.Name), low) },
	}
	for _, fits := range ways {
		var candidates []Name
		for _, n := range all {
			if fits(n) {
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
