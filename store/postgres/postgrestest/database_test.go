package postgrestest

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"
)

func open(t TB, address string) *sql.DB {
	t.Helper()
	db, err := Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func must(t TB, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// ask returns the only value of a query, as text.
func ask(t TB, db *sql.DB, query string, args ...any) (value string) {
	t.Helper()
	if err := db.QueryRow(query, args...).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

const countRelations = `SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`

func TestDatabaseIsEmptyAndDropped(t *testing.T) {
	s := connect(t)
	var names []string
	t.Run("test", func(t *testing.T) {
		for range 2 {
			db := open(t, Database(t))
			if n := ask(t, db, countRelations); n != "0" {
				t.Errorf("a new database has %s tables and views", n)
			}
			must(t, db, "CREATE TABLE t (a int)")
			names = append(names, ask(t, db, "SELECT current_database()"))
		}
	})
	if len(names) != 2 || names[0] == names[1] {
		t.Fatalf("got the databases %v, want two", names)
	}
	for _, name := range names {
		if n := ask(t, s.admin, "SELECT count(*) FROM pg_database WHERE datname = $1", name); n != "0" {
			t.Errorf("database %s was not dropped", name)
		}
	}
}

// An open transaction does not keep a database from being dropped.
func TestDatabaseIsDroppedWhileInUse(t *testing.T) {
	s := connect(t)
	var db *sql.DB
	var name string
	t.Run("test", func(inner *testing.T) {
		db = open(t, Database(inner))
		tx, err := db.Begin()
		if err != nil {
			inner.Fatal(err)
		}
		if err := tx.QueryRow("SELECT current_database()").Scan(&name); err != nil {
			inner.Fatal(err)
		}
	})
	if n := ask(t, s.admin, "SELECT count(*) FROM pg_database WHERE datname = $1", name); n != "0" {
		t.Errorf("database %s was not dropped", name)
	}
}

func TestIsolation(t *testing.T) {
	for _, level := range []string{"serializable", "read committed"} {
		t.Setenv("LOBSTRAIL_TEST_ISOLATION", level)
		if got := ask(t, open(t, another(t).database(t)), "SHOW transaction_isolation"); got != level {
			t.Errorf("isolation level %s, want %s", got, level)
		}
	}
}

// another reads the environment again, as another process would.
func another(t TB) *server {
	t.Helper()
	connect(t)
	s, err := fromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.admin.Close() })
	return s
}

func TestWrongEnvironment(t *testing.T) {
	t.Setenv("LOBSTRAIL_TEST_POSTGRES", "postgres://u:secret@127.0.0.1:1/postgres")
	t.Setenv("LOBSTRAIL_TEST_PGBOUNCER", "")
	t.Setenv("LOBSTRAIL_TEST_VIA", "")
	for variable, value := range map[string]string{
		"LOBSTRAIL_TEST_POSTGRES":  "host=localhost",
		"LOBSTRAIL_TEST_VIA":       "odyssey",
		"LOBSTRAIL_TEST_ISOLATION": "snapshot",
		"LOBSTRAIL_TEST_PGBOUNCER": "",
	} {
		t.Run(variable, func(t *testing.T) {
			if variable == "LOBSTRAIL_TEST_PGBOUNCER" {
				t.Setenv("LOBSTRAIL_TEST_VIA", "pgbouncer")
			}
			t.Setenv(variable, value)
			_, err := fromEnvironment()
			if err == nil || !strings.Contains(err.Error(), variable) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error is %v: it must name %s, and no password", err, variable)
			}
		})
	}
}

// The databases of a process that has ended are dropped. Those of a process that runs,
// and databases of other names, are not.
func TestLeftovers(t *testing.T) {
	s := connect(t)
	ctx := context.Background()
	running, ended := another(t), another(t)
	kept, err := running.create(ctx, "template0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.drop(ctx, kept)
	left, err := ended.create(ctx, "template0")
	if err != nil {
		t.Fatal(err)
	}
	stranger := ended.process + "_mine"
	must(t, s.admin, "CREATE DATABASE "+stranger)
	defer s.drop(ctx, stranger)

	ended.admin.Close()
	eventually(t, func() bool {
		if err := s.dropLeftovers(ctx); err != nil {
			t.Fatal(err)
		}
		return ask(t, s.admin, "SELECT count(*) FROM pg_database WHERE datname = $1", left) == "0"
	})
	for _, name := range []string{kept, stranger} {
		if n := ask(t, s.admin, "SELECT count(*) FROM pg_database WHERE datname = $1", name); n != "1" {
			t.Errorf("database %s was dropped, but its process runs, or it has another name", name)
		}
	}
}

// eventually waits until a condition holds.
func eventually(t TB, condition func() bool) {
	t.Helper()
	for start := time.Now(); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatal("what must happen soon did not happen in 10 seconds")
		}
	}
}
