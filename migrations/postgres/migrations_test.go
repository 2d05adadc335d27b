package postgres_test

import (
	"database/sql"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/migrations/postgres"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

var update = flag.Bool("update", false, "write testdata/schema.golden")

const golden = "testdata/schema.golden"

// schemaQueries list what the current schema holds that is not goose's, a line each:
// columns, checks, indexes and functions. Servers print the text of a view in different
// ways: only its columns are listed.
var schemaQueries = []string{
	`SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || coalesce(' ' || l.collname, '') || CASE WHEN attnotnull THEN ' not null' ELSE '' END
	FROM pg_attribute a
	JOIN pg_class c ON c.oid = a.attrelid
	LEFT JOIN pg_collation l ON l.oid = a.attcollation
	WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
		AND c.relname <> 'goose_db_version'
	ORDER BY c.relkind, c.relname COLLATE "C", a.attnum`,
	`SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
	WHERE connamespace = current_schema()::regnamespace AND contype = 'c' AND conrelid::regclass::text <> 'goose_db_version' ORDER BY conrelid::regclass::text COLLATE "C", pg_get_constraintdef(oid) COLLATE "C"`,
	`SELECT replace(indexdef, schemaname || '.', '') FROM pg_indexes
	WHERE schemaname = current_schema() AND tablename <> 'goose_db_version' ORDER BY indexname COLLATE "C"`,
	`SELECT p.oid::regprocedure::text || ' ' || provolatile::text || ' ' || prosrc FROM pg_proc p
	WHERE pronamespace = current_schema()::regnamespace ORDER BY p.oid::regprocedure::text COLLATE "C"`,
}

func schema(t testing.TB, db *sql.DB) string {
	t.Helper()
	var lines []string
	for _, query := range schemaQueries {
		lines = append(lines, askTexts(t, db, query)...)
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestEachDownTakesItsUpBack and up again makes the same.
func TestEachDownTakesItsUpBack(t *testing.T) {
	db := open(t)
	p := provider(t, db)
	was := map[int64]string{}
	was[0] = schema(t, db)
	for n := int64(1); n <= postgres.Version; n++ {
		if _, err := p.UpTo(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		was[n] = schema(t, db)
	}
	for n := int64(postgres.Version) - 1; n >= 0; n-- {
		if _, err := p.DownTo(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if is := schema(t, db); is != was[n] {
			t.Errorf("down to %d gives\n%s\ninstead of\n%s", n, is, was[n])
		}
	}
	up(t, p)
	if again := schema(t, db); again != was[postgres.Version] {
		t.Errorf("up again gives\n%s", again)
	}
}

// TestFilesCanBeRepeated, as after a migration that was interrupted before goose noted it.
func TestFilesCanBeRepeated(t *testing.T) {
	db := openSchema(t)
	want := schema(t, db)
	for _, interrupted := range []string{``, `DROP VIEW deliveries, runs`, `DROP TABLE lease, silence, said`, `DROP INDEX change_after`} {
		if _, err := db.Exec(interrupted + `; DELETE FROM goose_db_version WHERE version_id > 0`); err != nil {
			t.Fatal(err)
		}
		up(t, provider(t, db))
		if got := schema(t, db); got != want {
			t.Errorf("after %q, and again:\n%s", interrupted, got)
		}
	}
	p := provider(t, db)
	for range 2 {
		if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) SELECT n, true FROM generate_series(1, $1::integer) n`, postgres.Version); err != nil {
			t.Fatal(err)
		}
		if _, err := p.DownTo(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVersionIsTheLastFile(t *testing.T) {
	if last, err := provider(t, openSchema(t)).GetDBVersion(t.Context()); err != nil || last != postgres.Version {
		t.Errorf("the last file is number %d, Version is %d (%v)", last, postgres.Version, err)
	}
}

// TestSchemaIsGolden shows each change of the schema to who reviews it.
func TestSchemaIsGolden(t *testing.T) {
	got := schema(t, openSchema(t))
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

// TestTypes: the columns of tables and views have the types that both engines share, and
// all text is compared byte by byte.
func TestTypes(t *testing.T) {
	db := openSchema(t)
	for _, line := range askTexts(t, db, schemaQueries[0]) {
		column, kind, _ := strings.Cut(strings.TrimSuffix(line, " not null"), " ")
		if slices.Contains([]string{"bigint", "integer", "smallint", "text C", "bytea", "double precision"}, kind) {
			continue
		}
		if !strings.HasPrefix(column, "lease.") || kind != "timestamp with time zone" { // the one place for the server's clock
			t.Errorf("%s is %s", column, kind)
		}
	}
}

// TestKeysBeginWithTheWorkspace asks the server.
func TestKeysBeginWithTheWorkspace(t *testing.T) {
	db := openSchema(t)
	keys := askTexts(t, db, `
		SELECT i.indexrelid::regclass || ' ' || pg_get_indexdef(i.indexrelid, 1, true)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND i.indisunique AND c.relname NOT IN ('goose_db_version', 'workspace')`)
	if len(keys) < 25 {
		t.Errorf("only %d keys: %v", len(keys), keys)
	}
	for _, key := range keys {
		if !strings.HasSuffix(key, " ws") {
			t.Errorf("the first column of a key is not ws: %s", key)
		}
	}
}

// TestSchemaOfAnotherName: everything is in the schema that search_path names, and the
// views can be read by who has another search_path.
func TestSchemaOfAnotherName(t *testing.T) {
	url := postgrestest.Database(t)
	db := connect(t, url)
	if _, err := db.Exec(`CREATE SCHEMA other`); err != nil {
		t.Fatal(err)
	}
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	other := connect(t, url+separator+"search_path=other")
	up(t, provider(t, other))
	addHistory(t, other)
	if left := strings.TrimSpace(schema(t, db)); left != "" {
		t.Errorf("outside of the schema there is\n%s", left)
	}
	for _, view := range askTexts(t, other, `SELECT viewname::text FROM pg_views WHERE schemaname = 'other'`) {
		if _, rows := ask(t, db, `SELECT * FROM other.`+view+` LIMIT 1`); len(rows) == 0 && view != "deliveries" && view != "alerts" && view != "failures" {
			t.Errorf("%s has no rows", view)
		}
	}
}
