package sqlite_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lobstrail/lobstrail/store/sqlite"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

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
		{`SELECT ';', "a;b", [c;d], ` + "`e;f`" + `, 'it''s;'; x`, []string{`SELECT ';', "a;b", [c;d], ` + "`e;f`" + `, 'it''s;';`}, " x", nil},
		{"/* ; */ SELECT /*;*/ 1; /* open ;", []string{"/* ; */ SELECT /*;*/ 1;"}, " /* open ;", nil},
		{"CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; SELECT 2; END; SELECT 3;",
			[]string{"CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; SELECT 2; END;", " SELECT 3;"}, "", nil},
		{"SELECT :a, @b1, $c, :a, ':d', x:e;", []string{"SELECT :a, @b1, $c, :a, ':d', x:e;"}, "", []string{"a", "b1", "c", "e"}},
		{"SELECT 'open; SELECT 2;", nil, "SELECT 'open; SELECT 2;", nil},
	} {
		statements, rest := sqlite.SplitSQL(test.text)
		var got, names []string
		for _, s := range statements {
			got, names = append(got, s.Text), append(names, s.Params...)
		}
		if !slices.Equal(got, test.want) || rest.Text != test.rest || !slices.Equal(names, test.names) {
			t.Errorf("%s:\n%s\nrest %q, names %q", test.text, cmp.Diff(test.want, got), rest.Text, names)
		}
	}
}

// FuzzSplitSQL: the statements, and whether the rest is blank, are those that SQLite sees.
func FuzzSplitSQL(f *testing.F) {
	for _, text := range []string{
		"SELECT 1; SELECT 2", "", " ", ";", "x';'", "a;'", "-- ;\n;", "/*;*/ ;", "/* ;", "SELECT \"a;\" [b;] `c;`;",
		"EXPLAIN CREATE TEMP TRIGGER a BEGIN x; END ; y; END; SELECT 1;", "create temporary trigger x; end; ;", "EXPLAIN :create trigger a;",
		"explain query plan create trigger a; end; b", "$create; @end;:end;",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, 0) {
			t.Skip("SQLite reads no further")
		}
		text += "\n" // which ends a last comment
		statements, rest := sqlite.SplitSQL(text)
		var got []string
		for _, s := range statements {
			got = append(got, s.Text)
		}
		want, last := splitBySQLite(text)
		if !slices.Equal(got, want) || rest.Text != last || rest.Blank != (incomplete(last) == sqlite3.SQLITE_EMPTY) {
			t.Fatalf("%q is %q and %q (blank: %v), to SQLite %q and %q", text, got, rest.Text, rest.Blank, want, last)
		}
	})
}

// splitBySQLite asks SQLite at each semicolon whether the statement ends there.
func splitBySQLite(text string) (statements []string, rest string) {
	begin := 0
	for i := range len(text) {
		if piece := text[begin : i+1]; text[i] == ';' && incomplete(piece) == 0 {
			if incomplete(piece[:len(piece)-1]) != sqlite3.SQLITE_EMPTY {
				statements = append(statements, piece)
			}
			begin = i + 1
		}
	}
	return statements, text[begin:]
}

// incomplete is what SQLite says of a text: 0 when it is complete, SQLITE_EMPTY when it is
// blank.
func incomplete(text string) int64 {
	tls := libc.NewTLS()
	defer tls.Close()
	p, err := libc.CString(text)
	if err != nil {
		panic(err)
	}
	defer libc.Xfree(tls, p)
	return int64(sqlite3.Xsqlite3_incomplete(tls, p))
}
