package sqlite_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	migrations "github.com/lobstrail/lobstrail/migrations/sqlite"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// TestWrongStatementsAreNoDamage: a statement that SQLite refuses is this program's
// mistake, or the user's, as long as the schema is as it was made. If it was changed,
// or a row has a value that SQLite cannot work with, the store is damaged.
func TestWrongStatementsAreNoDamage(t *testing.T) {
	t.Parallel()
	ignore := func([]string) error { return nil }
	for name, c := range map[string]struct {
		change, query string
		want, user    error // nil: neither damage nor a wrong statement of this program
	}{
		"no such table":         {"", "SELECT x FROM versions", store.ErrStatement, nil},
		"no such column":        {"", "SELECT no_such FROM version", store.ErrStatement, nil},
		"syntax":                {"", "SELECT FROM", store.ErrStatement, nil},
		"no such function":      {"", "SELECT no_such(1)", store.ErrStatement, nil},
		"a table is missing":    {"DROP TABLE change", "SELECT kind FROM change", store.ErrDamaged, store.ErrDamaged},
		"a column is missing":   {"ALTER TABLE counter DROP COLUMN max", "SELECT max FROM counter", store.ErrDamaged, store.ErrDamaged},
		"a view is missing":     {"DROP VIEW runs", "SELECT run FROM runs", store.ErrDamaged, store.ErrDamaged},
		"a view cannot be read": {"DROP TABLE failure", "SELECT message FROM failures", store.ErrDamaged, store.ErrDamaged},
		"JSON that is none":     {"UPDATE change SET new = 'x'", "SELECT json_extract(new, '$') FROM change", store.ErrDamaged, nil},
		"more is in it":         {"CREATE TABLE more (x)", "SELECT y FROM more", store.ErrStatement, nil},
	} {
		path := closedStore(t)
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		db := second(t, path)
		execute(t, db, "PRAGMA foreign_keys = OFF; "+c.change)
		err = s.Statement(t.Context(), c.query)
		if !errors.Is(err, c.want) || errors.Is(err, store.ErrDamaged) && errors.Is(err, store.ErrStatement) {
			t.Errorf("%s: %v", name, err)
		}
		err = s.Query(context.Background(), c.query, ignore, func([]any) error { return nil })
		if err == nil || errors.Is(err, store.ErrDamaged) != (c.user == store.ErrDamaged) || errors.Is(err, store.ErrStatement) {
			t.Errorf("%s, asked by a user: %v", name, err)
		}
		if err := errors.Join(s.Close(), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnOlderStoreThatIsDamaged is told from one that can be migrated.
func TestAnOlderStoreThatIsDamaged(t *testing.T) {
	t.Parallel()
	for _, change := range []string{"DROP TABLE response", "ALTER TABLE goose_db_version RENAME COLUMN is_applied TO x"} {
		path := closedStore(t)
		db := second(t, path)
		db.SetMaxOpenConns(1)
		provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.FS, goose.WithDisableGlobalRegistry(true))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provider.DownTo(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		execute(t, db, "PRAGMA legacy_alter_table = ON; "+change)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := sqlite.OpenWriter(t.Context(), path, writer(start)); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v", change, err)
		}
	}
}

// TestADamagedDocumentIsNotComparedWith: what a writer reads of a document is checked
// once, and nothing that is read later relies on text that is no JSON.
func TestADamagedDocumentIsNotComparedWith(t *testing.T) {
	for _, change := range []string{
		`UPDATE body SET body = replace(body, '"f":1', '"f":tru')`,
		`UPDATE body SET body = substr(body, 1, length(body) - 1)`,
		`UPDATE body SET body = '["f"]'`,
		`UPDATE state SET known = '{"f":tru}'`,
	} {
		path := closedStore(t)
		db := second(t, path)
		execute(t, db, change)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		s := openStore(t, path, at(start.Add(2*time.Hour)))
		run, err := s.Begin(t.Context(), "default", store.ScopeAll)
		if err != nil {
			t.Fatal(err)
		}
		_, err = run.Append(t.Context(), store.Response{
			Source: store.List, Sent: start.Add(2 * time.Hour), Received: start.Add(2 * time.Hour),
			Accounts: []store.Observed{accountObject(`,"f":2`)},
		})
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v", change, err)
		}
	}
}
