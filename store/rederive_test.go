package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// derivedTables can be made again, and come out the same to the numbers of their
// rows.
var derivedTables = []string{"version", "change", "status_step", "squid", "squid_name", "assignment", "assignment_name", "absence", "seen",
	"head", "counter"}

// derived are all their rows.
var derived = append(allOf(derivedTables), `SELECT 'setting', name FROM setting ORDER BY name`)

func allOf(tables []string) (queries []string) {
	for _, table := range tables {
		queries = append(queries, fmt.Sprintf("SELECT '%s', * FROM %s ORDER BY 2, 3", table, table))
	}
	return queries
}

// everything is what is derived, and the evidence.
func everything() []string {
	return slices.Concat(derived, allOf([]string{"workspace"}), allOf(keptTables))
}

// dump is the answer to the queries, a row a line.
func dump(t testing.TB, path string, queries []string) string {
	t.Helper()
	db := second(t, path)
	defer db.Close()
	var text strings.Builder
	for _, query := range queries {
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
			fmt.Fprintln(&text, values...)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	return text.String()
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

// TestDerivedAgainRowForRow derives random histories again, by asking for it and
// by opening the store with newer rules.
func TestDerivedAgainRowForRow(t *testing.T) {
	t.Parallel()
	arena := newArena(t)
	path := arena.store.Path()
	for seed := range uint64(fewer(10, 4)) {
		p := newPlay(t, arena, 5000+seed)
		err := p.run(t.Context())
		p.close()
		if err != nil {
			t.Fatal(err)
		}
	}
	before := dump(t, path, derived)
	execute(t, second(t, path), `DELETE FROM counter`)
	if err := arena.store.Rederive(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if after := dump(t, path, derived); after != before {
		t.Errorf("asked for:\n%.3000s", difference(before, after))
	}
	if err := arena.store.Close(); err != nil {
		t.Fatal(err)
	}
	newer := writer(start)
	newer.Rules.Version++
	calls := 0
	newer.Rules.Compare = func(old, new store.State) (store.Facts, []store.Change, error) {
		calls++
		return report.Compare(old, new)
	}
	for range 2 {
		s, _, err := store.OpenWriter(t.Context(), path, newer)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if calls == 0 {
		t.Error("newer rules derived nothing")
	}
	if after := dump(t, path, derived); after != before {
		t.Errorf("by newer rules:\n%.3000s", difference(before, after))
	}
}
