package postgres_test

import (
	"database/sql"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/lobstrail/lobstrail/migrations/postgres"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// open opens a new, empty database.
func open(t testing.TB) *sql.DB {
	t.Helper()
	return connect(t, postgrestest.Database(t))
}

func connect(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := postgrestest.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func provider(t testing.TB, db *sql.DB) *goose.Provider {
	t.Helper()
	p, err := goose.NewProvider(goose.DialectPostgres, db, postgres.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// openSchema opens a new database with the schema of a store.
func openSchema(t testing.TB) *sql.DB {
	t.Helper()
	db := open(t)
	up(t, provider(t, db))
	return db
}

func up(t testing.TB, p *goose.Provider) {
	t.Helper()
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// ask returns the rows of a query, each with its values.
func ask(t testing.TB, db *sql.DB, query string, args ...any) (columns []string, all [][]any) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err = rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return columns, all
}

// askTexts returns the first column of a query.
func askTexts(t testing.TB, db *sql.DB, query string, args ...any) (texts []string) {
	t.Helper()
	_, all := ask(t, db, query, args...)
	for _, row := range all {
		texts = append(texts, row[0].(string))
	}
	return texts
}
