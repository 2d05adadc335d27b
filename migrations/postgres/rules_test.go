package postgres_test

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/migrations/postgres"
)

// forbidden is what 00001_evidence.sql says that no file has, by what it would be.
var forbidden = map[string]*regexp.Regexp{
	"a sequence":                 regexp.MustCompile(`(?i)\b(sequence|(small|big)?serial\d?|identity|nextval)\b`),
	"a trigger":                  regexp.MustCompile(`(?i)\btrigger\b`),
	"an advisory lock":           regexp.MustCompile(`(?i)advisory`),
	"jsonb":                      regexp.MustCompile(`(?i)\bjsonb\w*`),
	"a materialized view":        regexp.MustCompile(`(?i)\bmaterialized\b`),
	"a deferrable constraint":    regexp.MustCompile(`(?i)\b(deferrable|deferred)\b`),
	"a table without a log":      regexp.MustCompile(`(?i)\b(unlogged|temp|temporary)\b`),
	"a column that is no number": regexp.MustCompile(`(?i)\b(boolean|bool|numeric|decimal|varchar)\b`),
	"the clock":                  regexp.MustCompile(`(?i)\b(now|clock_timestamp|statement_timestamp)\(|\bcurrent_(timestamp|date|time)\b`),
	"the name of a schema":       regexp.MustCompile(`(?i)\bpublic\.|\bsearch_path\b`),
	"a statement that runs once": regexp.MustCompile(`(?im)^(create (table|index|unique index)|drop \w+|alter \w+)\b(?: (?i:if (?:not )?exists))?|^create (view|function)\b`),
	"a division of integers":     regexp.MustCompile(`/(?: 1000\.0::double precision)?`),
}

// forbiddenInTables is what no table has.
var forbiddenInTables = map[string]*regexp.Regexp{
	"a JSON column":                 regexp.MustCompile(`(?im)^\s+\w+\s+json\b`),
	"a text in another order":       regexp.MustCompile(`(?m)^\s+\w+\s+text\b(?: COLLATE "C")?`),
	"a key in the line of a column": regexp.MustCompile(`(?im)^\s+\w+ \w+.*\b(primary key|unique)\b`),
}

// allowed are matches of forbidden that are not: the whole of what must stand there.
var allowed = map[string]*regexp.Regexp{
	"a text in another order":    regexp.MustCompile(`COLLATE "C"$`),
	"a statement that runs once": regexp.MustCompile(`(?i)exists$`),
	"a division of integers":     regexp.MustCompile(`double precision$`),
}

var (
	comment = regexp.MustCompile(`--.*`)
	literal = regexp.MustCompile(`'(?:[^']|'')*'`)
	table   = regexp.MustCompile(`(?is)create table if not exists (\w+) \((.*?)\n\);`)
	key     = regexp.MustCompile(`(?i)(?:primary key|unique) \(([^)]*)\)`)
	unique  = regexp.MustCompile(`(?i)create unique index if not exists \w+ on (\w+) \(([^)]*)\)`)
)

// breaches lists the rules that the text of a migration breaks.
func breaches(text string) (found []string) {
	if !strings.Contains(text, "-- +goose NO TRANSACTION\n") {
		found = append(found, "it runs in one transaction")
	}
	text = literal.ReplaceAllString(comment.ReplaceAllString(text, ""), "''")
	found = append(found, matches(forbidden, text)...)
	keys := unique.FindAllStringSubmatch(text, -1)
	for _, t := range table.FindAllStringSubmatch(text, -1) {
		found = append(found, matches(forbiddenInTables, t[2])...)
		own := key.FindAllStringSubmatch(t[2], -1)
		if len(own) == 0 {
			found = append(found, "a table without a key: "+t[1])
		}
		for _, k := range own {
			keys = append(keys, []string{"", t[1], k[1]})
		}
	}
	for _, k := range keys {
		if first, _, _ := strings.Cut(k[2], ","); first != "ws" && k[1] != "workspace" {
			found = append(found, fmt.Sprintf("a key without the workspace in front: %s (%s)", k[1], k[2]))
		}
	}
	return found
}

func matches(patterns map[string]*regexp.Regexp, text string) (found []string) {
	for what, pattern := range patterns {
		for _, match := range pattern.FindAllString(text, -1) {
			if fine := allowed[what]; fine == nil || !fine.MatchString(match) {
				found = append(found, fmt.Sprintf("%s: %s", what, strings.TrimSpace(match)))
			}
		}
	}
	return found
}

// TestMigrationsKeepTheRules by which a store works on other servers too.
func TestMigrationsKeepTheRules(t *testing.T) {
	names, err := fs.Glob(postgres.FS, "*.sql")
	if err != nil || len(names) != postgres.Version {
		t.Fatal(names, err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(postgres.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, breach := range breaches(string(raw)) {
			t.Errorf("%s has %s", name, breach)
		}
	}
}

// TestRulesFindBreaches: a statement that breaks a rule is found in a file that is fine.
func TestRulesFindBreaches(t *testing.T) {
	const fine = "-- +goose NO TRANSACTION\n-- +goose Up\n"
	if found := breaches(fine); len(found) > 0 {
		t.Fatal(found)
	}
	if len(breaches(strings.Replace(fine, " NO TRANSACTION", "", 1))) != 1 {
		t.Error("a file in one transaction breaks no rule")
	}
	column := func(line string) string {
		return "CREATE TABLE IF NOT EXISTS t (\n    ws integer NOT NULL,\n" + line + "    PRIMARY KEY (ws)\n);\n"
	}
	if found := breaches(fine + column("    a text COLLATE \"C\", -- a sequence\n") + "DROP VIEW IF EXISTS v;\nSELECT '/', 'jsonb', a / 1000.0::double precision;"); len(found) > 0 {
		t.Error(found)
	}
	for _, bad := range []string{
		"CREATE SEQUENCE s;", column("    a bigserial,\n"), column("    a bigint GENERATED ALWAYS AS IDENTITY,\n"), column("    a bigint DEFAULT nextval('s'),\n"),
		"CREATE TRIGGER x BEFORE INSERT ON t EXECUTE FUNCTION f();", "SELECT pg_advisory_xact_lock(1);",
		column("    a jsonb,\n"), column("    a json NOT NULL,\n"), "SELECT a::jsonb;",
		"CREATE MATERIALIZED VIEW v AS SELECT 1;", column("    UNIQUE (ws, a) DEFERRABLE,\n"), column("    UNIQUE (ws) INITIALLY DEFERRED,\n"),
		"CREATE UNLOGGED TABLE t (ws integer);", "CREATE TEMP TABLE t (ws integer);", column("    a boolean,\n"), column("    a numeric(3),\n"),
		column("    a timestamptz DEFAULT now(),\n"), "INSERT INTO t VALUES (1) ON CONFLICT (ws) DO UPDATE SET a = now();", "SELECT current_timestamp;",
		"SELECT * FROM public.t;", "SET search_path = x;", column("    a text,\n"), column("    a text COLLATE \"de\",\n"),
		column("    a integer PRIMARY KEY,\n"), column("    a integer UNIQUE,\n"), column("    UNIQUE (a, ws),\n"),
		"CREATE TABLE IF NOT EXISTS t (\n    a integer,\n    PRIMARY KEY (a, ws)\n);\n", "CREATE TABLE IF NOT EXISTS t (\n    ws integer\n);\n",
		"CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a, ws);",
		"CREATE TABLE t (ws integer);", "CREATE INDEX i ON t (ws);", "CREATE UNIQUE INDEX i ON t (ws);", "CREATE VIEW v AS SELECT 1;",
		"CREATE FUNCTION f() RETURNS text;", "DROP TABLE t;", "DROP VIEW v;", "ALTER TABLE t ADD COLUMN a integer;", "SELECT a / 1000;", "SELECT a / b;",
	} {
		if len(breaches(fine+bad)) == 0 {
			t.Errorf("no rule forbids: %s", bad)
		}
	}
}
