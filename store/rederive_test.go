package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// derived are all rows that can be made again. Their own numbers are left out,
// since those of one page may come in another order, and so are the digests of
// heads, which only make the next snapshot faster.
var derived = []string{
	`SELECT 'version', account_id, number, response_id, document_id, valid_from, health, status, status_code_info,
		status_code_description, username, type, last_synchronization_time, locked_until, squid_count, valid_to
	FROM version ORDER BY account_id, number`,
	`SELECT 'change', c.account_id, v.number, c.kind, c.path, c.old, c.new, c.health_before, c.health_after, c.after, c.before
	FROM change c JOIN version v ON v.id = c.version_id ORDER BY c.account_id, v.number, c.id`,
	`SELECT 'step', account_id, response_id, status_before, status_after, info_before, info_after, health_before,
		health_after, after, before
	FROM status_step ORDER BY account_id, id`,
	`SELECT 'squid', q.workspace_id, q.hash, n.since, n.name
	FROM squid q LEFT JOIN squid_name n ON n.squid_id = q.id ORDER BY 2, 3, 4`,
	`SELECT 'assignment', q.hash, g.account_id, g.from_after, g.from_before, g.to_after, g.to_before
	FROM assignment g JOIN squid q ON q.id = g.squid_id ORDER BY g.account_id, q.hash, g.from_before, g.id`,
	`SELECT 'absence', id, account_id, run_id, since, ended FROM absence ORDER BY id`,
	`SELECT 'seen', account_id, list_response_id, detail_response_id FROM seen ORDER BY account_id`,
	`SELECT 'head', h.account_id, v.number, s.response_id, h.gone, h.locked_until, h.absence_id, h.list_document_id,
		lv.number, h.detail_document_id, dv.number
	FROM head h
	JOIN version v ON v.id = h.version_id
	JOIN status_step s ON s.id = h.status_step_id
	LEFT JOIN version lv ON lv.id = h.list_version_id
	LEFT JOIN version dv ON dv.id = h.detail_version_id
	ORDER BY h.account_id`,
	`SELECT 'counter', account_id, pointer, response_id, body, max FROM counter ORDER BY 2, 3`,
	`SELECT 'setting', name FROM setting ORDER BY name`,
}

// everything is what is derived, and the evidence.
func everything() []string {
	all := slices.Clone(derived)
	for _, table := range append([]string{"workspace"}, keptTables...) {
		all = append(all, fmt.Sprintf("SELECT '%s', * FROM %s ORDER BY 1, 2, 3", table, table))
	}
	return all
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
	newer.Rules.Diff = func(old, new store.State) ([]store.Change, error) {
		calls++
		return report.Diff(old, new)
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
