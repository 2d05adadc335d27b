package sqlite_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite"

	"github.com/lobstrail/lobstrail/migrations/sqlite"
)

var update = flag.Bool("update", false, "write testdata/schema.golden")

const golden = "testdata/schema.golden"

// open makes an empty database.
func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "a.db")+"?_pragma=foreign_keys(1)&_pragma=synchronous(0)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func provider(t *testing.T, db *sql.DB) *goose.Provider {
	t.Helper()
	p, err := goose.NewProvider(goose.DialectSQLite3, db, sqlite.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// schema is everything in the database that is not goose's or SQLite's own.
func schema(t *testing.T, db *sql.DB) string {
	t.Helper()
	rows, err := db.Query(`
		SELECT sql FROM sqlite_schema
		WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' AND tbl_name <> 'goose_db_version'
		ORDER BY type, name`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var text strings.Builder
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s;\n\n", one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func up(t *testing.T, p *goose.Provider) {
	t.Helper()
	if _, err := p.Up(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestEachDownTakesItsUpBack, to the text of each view.
func TestEachDownTakesItsUpBack(t *testing.T) {
	db := open(t)
	p := provider(t, db)
	was := map[int64]string{}
	for n := int64(1); n <= sqlite.Version; n++ {
		if _, err := p.UpTo(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		was[n] = schema(t, db)
	}
	for n := int64(sqlite.Version) - 1; n >= 1; n-- {
		if _, err := p.DownTo(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if is := schema(t, db); is != was[n] {
			t.Errorf("down to %d gives\n%s\ninstead of\n%s", n, is, was[n])
		}
	}
}

func TestUpDownUp(t *testing.T) {
	db := open(t)
	p := provider(t, db)
	up(t, p)
	first := schema(t, db)
	if _, err := p.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if left := schema(t, db); left != "" {
		t.Errorf("down to nothing leaves\n%s", left)
	}
	up(t, p)
	if again := schema(t, db); again != first {
		t.Errorf("up again gives\n%s\ninstead of\n%s", again, first)
	}
}

func TestVersionIsTheLastFile(t *testing.T) {
	db := open(t)
	p := provider(t, db)
	up(t, p)
	if last, err := p.GetDBVersion(t.Context()); err != nil || last != sqlite.Version {
		t.Errorf("the last file is number %d, Version is %d (%v)", last, sqlite.Version, err)
	}
}

// TestSchemaIsGolden shows each change of the schema to who reviews it.
func TestSchemaIsGolden(t *testing.T) {
	db := open(t)
	up(t, provider(t, db))
	got := schema(t, db)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the schema is not that of %s; look at the difference, then run go test -update:\n%s", golden, got)
	}
}

// documented are the columns that design.md promises, in its order.
var documented = map[string]string{
	"account_current": "workspace, account, username, type, health, status, status_code_info, status_code_description, " +
		"last_synchronization_time, squid_count, seen_at, unlisted_since, document",
	"account_versions": "workspace, account, version, valid_from, valid_to, health, status, status_code_info, username, " +
		"type, document, last_seen",
	"changes": "workspace, account, username, kind, path, old, new, after, before, run, type",
	"status_changes": "workspace, account, username, status_before, status_after, info_before, info_after, health_before, " +
		"health_after, after, before, run, type, became",
	"squid_assignments": "workspace, squid, squid_name, account, username, from_after, from_before, to_after, to_before, type",
	"health_periods": "workspace, account, username, type, health, from_after, from_before, to_after, to_before, " +
		"min_seconds, max_seconds",
	"squid_health": "workspace, squid, squid_name, healthy_accounts, accounts, from_after, from_before, to_after, to_before, " +
		"min_seconds, max_seconds",
	"limit_usage": "workspace, account, limit_name, value, max, resets_at, seen_at",
	"snapshots":   "workspace, account, taken_at, run, source, version",
	"runs": "run, workspace, started_at, finished_at, complete, requested, captured, changed, unchanged, gone, failed, " +
		"requests, warnings, failures, state",
	"failures": "account, kind, http_status, message",
	"alerts": "workspace, alert, condition, account, username, type, squid, squid_name, limit_name, after, before, run, polls, " +
		"state, fired_at, ended_at, told, silenced, reminders, detail",
	"deliveries": "workspace, message, event, condition, run, at, sink, state, attempts, next_at, ended_at, error, body",
}

func TestViewsHaveTheDocumentedColumns(t *testing.T) {
	db := open(t)
	up(t, provider(t, db))
	for view, columns := range documented {
		rows, err := db.Query("SELECT * FROM " + view)
		if err != nil {
			t.Errorf("%s: %v", view, err)
			continue
		}
		got, err := rows.Columns()
		rows.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range strings.Split(columns, ", ") {
			if !slices.Contains(got, want) {
				t.Errorf("%s has no column %s: %v", view, want, got)
			}
		}
	}
	var views int
	if err := db.QueryRow(`SELECT count(*) FROM sqlite_schema WHERE type = 'view'`).Scan(&views); err != nil {
		t.Fatal(err)
	}
	if views != len(documented)+1 { // and last_response, of which others are made
		t.Errorf("%d views of which %d are documented", views, len(documented))
	}
}

// TestTablesAreStrict: STRICT tables refuse values of another type; SQLite's own
// default would keep them.
func TestTablesAreStrict(t *testing.T) {
	db := open(t)
	up(t, provider(t, db))
	rows, err := db.Query(`
		SELECT name FROM pragma_table_list
		WHERE type = 'table' AND NOT strict AND name NOT LIKE 'sqlite%' AND name <> 'goose_db_version'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		t.Errorf("table %s is not STRICT", name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
