package sqlite_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

var (
	long    = flag.Bool("long", false, "try all there is to try")
	oneSeed = flag.Uint64("seed", 0, "try what this seed gives only")
)

// seeds are those of so many random histories: of fewer in the short mode, and of many
// in the long one. The fewer are some of the first ones, at random.
func seeds(often, short int) (all []uint64) {
	if *oneSeed != 0 {
		return []uint64{*oneSeed}
	}
	n, first := fewer(often, short), 0
	if *long {
		n = 20 * often
	} else {
		first = rand.IntN(often - n + 1)
	}
	for i := range n {
		all = append(all, uint64(first+i+1))
	}
	return all
}

// verify is all that is found in a store. An error that ends the check is found
// too.
func verify(t testing.TB, path string, o store.VerifyOptions) (findings []store.Finding, done store.Verified) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Rules: report.Rules()})
	if err != nil {
		return []store.Finding{{Problem: err.Error()}}, done
	}
	defer s.Close()
	done, err = s.Verify(t.Context(), o, func(f store.Finding) { findings = append(findings, f) })
	if err != nil {
		findings = append(findings, store.Finding{Problem: err.Error()})
	}
	return findings, done
}

// healthy fails the test when anything is found.
func healthy(t testing.TB, path string) store.Verified {
	t.Helper()
	findings, done := verify(t, path, store.VerifyOptions{})
	for i, f := range findings {
		if i == 20 {
			t.Fatalf("... and %d more", len(findings)-i)
		}
		t.Errorf("found: %s %s: %s", f.Table, f.Row, f.Problem)
	}
	return done
}

// evidentTables hold what was observed, derivedTables what follows from it.
var (
	evidentTables = []string{"workspace", "run", "response", "account", "shown", "name", "value", "fact", "icon", "usage",
		"absence", "failure", "entry", "redacted"}
	derivedTables = []string{"version", "change", "status_step", "squid", "squid_name", "assignment", "state", "said", "body", "counter"}
)

// allOf are queries for all rows of tables. That said has no digest of an object says
// that it was derived again, and nothing else.
func allOf(tables []string) (queries []string) {
	for _, table := range tables {
		columns := "*"
		if table == "said" {
			columns = "ws, account, endpoint, hex(leaf), document_at"
		}
		queries = append(queries, fmt.Sprintf("SELECT '%s', %s FROM %s", table, columns, table))
	}
	return queries
}

// everything is the evidence and what is derived of it.
func everything() []string { return append(allOf(evidentTables), allOf(derivedTables)...) }

// dump is the answer to the queries, a row a line. Those of a query that asks for no
// order are sorted.
func dump(t testing.TB, path string, queries []string) string {
	t.Helper()
	db := second(t, path)
	defer db.Close()
	var lines []string
	for _, query := range queries {
		first := len(lines)
		rows, err := db.Query(query)
		if err != nil {
			t.Fatal(query, err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(targets...); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintln(values...))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
		if !strings.Contains(query, "ORDER BY") {
			slices.Sort(lines[first:])
		}
	}
	return strings.Join(lines, "")
}

// difference shows the lines that only one of two texts has.
func difference(before, after string) string {
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	var out strings.Builder
	for _, line := range was {
		if !slices.Contains(is, line) {
			fmt.Fprintln(&out, "-", line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			fmt.Fprintln(&out, "+", line)
		}
	}
	return out.String()
}

// rowsOf are the values of a query with one column.
func rowsOf(t testing.TB, path, query string) (values []string) {
	t.Helper()
	for line := range strings.Lines(dump(t, path, []string{query})) {
		values = append(values, strings.TrimSuffix(line, "\n"))
	}
	return values
}

// labFolder is an empty folder in memory, where there is such a place.
func labFolder(t testing.TB) string {
	t.Helper()
	return filepath.Dir(memoryPath(t))
}

// count asks for one number.
func count(t testing.TB, s *sqlite.Store, query string) (n int64) {
	t.Helper()
	err := s.Query(t.Context(), query, func([]string) error { return nil }, func(row []any) error {
		n = row[0].(int64)
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// files maps the files of a directory to their modes and contents.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		body, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[entry.Name()] = fmt.Sprintf("%s %d %x", info.Mode(), len(body), sha256.Sum256(body))
	}
	return all
}
