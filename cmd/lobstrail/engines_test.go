package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"

	postgresmigrations "github.com/lobstrail/lobstrail/migrations/postgres"
	sqlitemigrations "github.com/lobstrail/lobstrail/migrations/sqlite"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// testEngine keeps the stores of tests that run on all engines. A store is named by its
// location, as in --db.
type testEngine struct {
	name string
	// fresh returns the location of a store that is not there yet. path is a file that only
	// this store may have.
	fresh func(t postgrestest.TB, path string) string
	// demo and clone return the location of a copy: of the store of the demo, or of any
	// store that no process uses.
	demo  func(t postgrestest.TB, path string) string
	clone func(t postgrestest.TB, from, path string) string
	// edit runs statements on a store, whatever its guards say.
	edit func(location, statements string) error
	// older undoes the last migration of a store.
	older func(location string) error
	// exists reports whether there is a store. holds reports whether it holds a text.
	exists func(location string) (bool, error)
	holds  func(location, text string) (bool, error)
	// writer is the process that writes to the default workspace; 0 if there is none.
	writer func(location string) int
}

// testEngines are the engines. The one on a server is skipped where there is no server.
var testEngines = []testEngine{
	{
		name:   "sqlite",
		fresh:  func(_ postgrestest.TB, path string) string { return path },
		demo:   copyDemoFile,
		clone:  cloneFile,
		edit:   editFile,
		older:  olderFile,
		exists: fileExists,
		holds:  fileHolds,
		writer: lockHolder,
	},
	{
		name:   "postgres",
		fresh:  func(t postgrestest.TB, _ string) string { return postgrestest.Database(t) },
		demo:   func(t postgrestest.TB, _ string) string { return postgrestest.Fresh(t, fillWithDemo) },
		clone:  func(t postgrestest.TB, from, _ string) string { return postgrestest.Copy(t, from) },
		edit:   editDatabase,
		older:  olderDatabase,
		exists: databaseHasTables,
		holds:  databaseHolds,
		writer: leaseHolder,
	},
}

func copyDemoFile(t postgrestest.TB, path string) string {
	t.Helper()
	raw, err := demoBytes()
	if err == nil {
		err = os.WriteFile(path, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func cloneFile(t postgrestest.TB, from, path string) string {
	t.Helper()
	raw, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(path, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// editFile leaves the file alone on the disk, without a journal beside it that was not
// there.
func editFile(path, statements string) error {
	db, err := sql.Open("sqlite", path)
	return runStatements(db, err, statements)
}

func editDatabase(url, statements string) error {
	db, err := postgrestest.Open(url)
	return runStatements(db, err, statements)
}

// runStatements runs statements on a database that was opened with err.
func runStatements(db *sql.DB, err error, statements string) error {
	if err != nil {
		return err
	}
	_, err = db.Exec(statements)
	return errors.Join(err, db.Close())
}

func olderFile(path string) error {
	db, err := sql.Open("sqlite", path)
	if err := undoMigration(db, err, goose.DialectSQLite3, sqlitemigrations.FS); err != nil {
		return err
	}
	// The number of the migration's row was never given.
	return editFile(path, `UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM goose_db_version) WHERE name = 'goose_db_version'`)
}

func olderDatabase(url string) error {
	db, err := postgrestest.Open(url)
	return undoMigration(db, err, goose.DialectPostgres, postgresmigrations.FS)
}

// undoMigration undoes the last migration of a database that was opened with err.
func undoMigration(db *sql.DB, err error, dialect goose.Dialect, files fs.FS) error {
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err == nil {
		_, err = provider.Down(context.Background())
	}
	return errors.Join(err, db.Close())
}

func fileExists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func fileHolds(path, text string) (bool, error) {
	raw, err := os.ReadFile(path)
	return strings.Contains(string(raw), text), err
}

// lockHolder is the process that the file of the lock names.
func lockHolder(path string) (pid int) {
	raw, err := os.ReadFile(path + ".lock")
	if err != nil {
		return 0
	}
	fmt.Sscan(string(raw), &pid) // 0 where there is no number
	return pid
}

// fillWithDemo lives through the demo in a database.
func fillWithDemo(url string) error {
	if code, _, stderr := inProcess(map[string]string{"HOME": os.TempDir()}, "demo", "--db", url); code != exitDone {
		return fmt.Errorf("demo: exit %d: %s", code, stderr)
	}
	return nil
}

// listDatabase returns the only column of a query.
func listDatabase(url, query string, args ...any) (values []string, err error) {
	db, err := postgrestest.Open(url)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return values, sqlx.NewDb(db, "pgx").SelectContext(ctx, &values, query, args...)
}

const tablesOfDatabase = `SELECT tablename::text FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`

func databaseHasTables(url string) (bool, error) {
	tables, err := listDatabase(url, tablesOfDatabase)
	return len(tables) > 0, err
}

// rowsOfDatabase are the rows of each table as text, with what says where each is and who
// wrote it.
func rowsOfDatabase(url string) (map[string]string, error) {
	tables, err := listDatabase(url, tablesOfDatabase)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, table := range tables {
		rows, err := listDatabase(url, "SELECT concat_ws(' ', ctid, xmin, r::text) FROM "+table+" r")
		if err != nil {
			return nil, err
		}
		all[table] = strings.Join(rows, "\n") + "\n"
	}
	return all, nil
}

// databaseHolds looks at each row as text, and at bytes in it as text too.
func databaseHolds(url, text string) (bool, error) {
	tables, err := rowsOfDatabase(url)
	for _, rows := range tables {
		if strings.Contains(rows, text) || strings.Contains(rows, fmt.Sprintf("%x", text)) {
			return true, nil
		}
	}
	return false, err
}

func leaseHolder(url string) (pid int) {
	holders, err := listDatabase(url, `SELECT pid::text FROM lease WHERE ws = 1 AND pid <> 0`)
	if err != nil || len(holders) == 0 {
		return 0
	}
	fmt.Sscan(holders[0], &pid) // a number, in a column of numbers
	return pid
}
