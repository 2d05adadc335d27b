package postgres

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// asked is what Query answers: the columns of each statement and its rows, as lines.
func asked(t *testing.T, s *Store, script string, params ...sql.NamedArg) (string, error) {
	t.Helper()
	var lines []string
	err := s.Query(t.Context(), script,
		func(columns []string) error {
			lines = append(lines, strings.Join(columns, " ")+":")
			return nil
		},
		func(row []any) error {
			line := ""
			for _, value := range row {
				line += fmt.Sprintf(" %T %v", value, value)
			}
			lines = append(lines, line)
			return nil
		}, params...)
	return strings.Join(lines, "\n"), err
}

func newQueried(t *testing.T) *Store {
	t.Helper()
	s, _, err := OpenWriter(t.Context(), postgrestest.Database(t), Options{Rules: report.Rules()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestQueryAnswersAsSQLiteDoes(t *testing.T) {
	s := newQueried(t)
	got, err := asked(t, s, `SELECT 1 AS a, 2.5::float8 AS b, 'x' AS c, NULL AS d, true AS e, '\x00ff'::bytea AS f;
		SELECT sum(n) AS s, avg(n) AS m FROM (VALUES (1), (2)) v(n); -- numeric
		SELECT :who || '' AS w, @n::int + 1 AS n, 'a:b' AS t, $$;$$ AS u`, sql.Named("who", "mé\x00x"), sql.Named("n", int64(41)))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"a b c d e f:", " int64 1 float64 2.5 string x <nil> <nil> int64 1 []uint8 [0 255]",
		"s m:", " int64 3 float64 1.5",
		"w n t u:", " string mé\x00x int64 42 string a:b string ;",
	}, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestQueryOnlyReads(t *testing.T) {
	s := newQueried(t)
	for _, script := range []string{
		"DELETE FROM run", "COMMIT; DELETE FROM run", "SELECT 1; COMMIT; DELETE FROM run", "/* x */ END; SELECT 1", "SET transaction_read_only = off",
		"WITH gone AS (DELETE FROM workspace RETURNING 1) SELECT * FROM gone", "EXPLAIN ANALYZE DELETE FROM run", "COPY run TO PROGRAM 'true'",
		"CREATE TEMP TABLE x (a int)", "BEGIN", "ROLLBACK", "PREPARE x AS SELECT 1", "DO $$ BEGIN DELETE FROM run; END $$", "VACUUM", "LOCK run",
		"SELECT set_config('transaction_read_only', 'off', false)", "SELECT * INTO y FROM run", "SELECT 1 FROM run FOR UPDATE",
	} {
		if got, err := asked(t, s, script); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("%s: %q, %v; want ErrReadOnly", script, got, err)
		}
	}
}

func TestNoStatementRunsUnlessAllCompile(t *testing.T) {
	s := newQueried(t)
	for _, script := range []string{"SELECT 1; SELECT x", "SELECT 1; SELECT * FROM nothing", "SELECT 1; SELECT 'open"} {
		if got, err := asked(t, s, script); err == nil || got != "" {
			t.Errorf("%s: %q, %v", script, got, err)
		}
	}
}

func TestQueriesLeaveNothingBehind(t *testing.T) {
	s := newQueried(t)
	if _, err := asked(t, s, "SELECT set_config('search_path', 'pg_catalog', false), pg_advisory_lock_shared(1)"); err != nil {
		t.Fatal(err)
	}
	for range 2 * defaultMaxConns {
		if got, err := asked(t, s, "SELECT count(*) AS n FROM run"); err != nil || got != "n:\n int64 0" {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

func TestSplitSQL(t *testing.T) {
	for _, test := range []struct {
		text  string
		want  []string
		rest  string
		names []string
	}{
		{"SELECT 1; SELECT 2", []string{"SELECT 1;"}, " SELECT 2", nil},
		{";;  ;", nil, "", nil},
		{"-- a; b\nSELECT 1;\n-- over", []string{"-- a; b\nSELECT 1;"}, "\n-- over", nil},
		{`SELECT ';', "a;b", 'it''s;', E'\';', $$;$$, $a$ $$; $a$; x`, []string{`SELECT ';', "a;b", 'it''s;', E'\';', $$;$$, $a$ $$; $a$;`}, " x", nil},
		{"/* ; /* ; */ ; */ SELECT 1; /* open ;", []string{"/* ; /* ; */ ; */ SELECT 1;"}, " /* open ;", nil},
		{"SELECT :a, @b1, :a, ':d', x::int, a[1:2], @ -5, b@>c, :é;", []string{"SELECT :a, @b1, :a, ':d', x::int, a[1:2], @ -5, b@>c, :é;"}, "", []string{"a", "b1", "é"}},
		{"SELECT 1--;\n;", []string{"SELECT 1--;\n;"}, "", nil},
		{"SELECT 1*/*;*/2;", []string{"SELECT 1*/*;*/2;"}, "", nil},
	} {
		statements, rest := SplitSQL(test.text)
		var got, names []string
		for _, s := range statements {
			got, names = append(got, s.Text), append(names, s.Params...)
		}
		if !slices.Equal(got, test.want) || rest.Text != test.rest || !slices.Equal(names, test.names) {
			t.Errorf("%s:\n%s\nrest %q, names %q", test.text, cmp.Diff(test.want, got), rest.Text, names)
		}
	}
}

// TestAStoreThatWasFilledIsAnalyzed: the planner knows the tables when the writer is done,
// also those that it looked at while they were empty, and if the server looked at the large
// ones by itself meanwhile.
func TestAStoreThatWasFilledIsAnalyzed(t *testing.T) {
	place := postgrestest.Database(t)
	s, _, err := OpenWriter(t.Context(), place, Options{Rules: report.Rules()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.ExecContext(t.Context(), "ANALYZE run"); err != nil {
		t.Fatal(err)
	}
	run, err := s.Begin(t.Context(), "acme", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Failed}); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"response", "version"} {
		if _, err := open(t, place).ExecContext(t.Context(), "ANALYZE "+table); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var never int
	err = open(t, place).GetContext(t.Context(), &never, `
		SELECT count(*) FROM pg_class
		WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname NOT LIKE 'goose%' AND reltuples < 0`)
	if err != nil || never > 0 {
		t.Errorf("%d tables were never looked at: %v", never, err)
	}
	var empty bool
	err = open(t, place).GetContext(t.Context(), &empty, `
		SELECT reltuples = 0 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = 'run'`)
	if err != nil || empty {
		t.Errorf("the table of runs was not looked at since it was empty: %v", err)
	}
}

// TestAWrongStatementIsWrong: what the server does not understand is no attempt to write.
func TestAWrongStatementIsWrong(t *testing.T) {
	if _, err := asked(t, newQueried(t), "SELEC 1"); err == nil || errors.Is(err, store.ErrReadOnly) {
		t.Errorf("%v, want a syntax error", err)
	}
}
