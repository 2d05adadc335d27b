package sqlite_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// filters are the ways in which people narrow a view down, by view.
var filters = map[string][]string{
	"account_current":  {"account = 'x'"},
	"account_versions": {"account = 'x'", "valid_from > 'x'", "valid_from BETWEEN 'x' AND 'y'", "valid_to > 'x'", "valid_to IS NULL"},
	"changes": {"account = 'x'", "before > 'x'", "before >= 'x' AND before < 'y'", "after > 'x'", "account = 'x' AND before > 'y'",
		"before >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-7 days')", "workspace = 'x' AND before > 'y'"},
	"status_changes":    {"account = 'x'", "before > 'x'", "after > 'x'", "health_after = 'expired' AND before > 'x'"},
	"squid_assignments": {"account = 'x'", "squid = 'x'", "from_after > 'x'", "from_before > 'x'", "to_after > 'x'", "to_before > 'x'", "to_before IS NULL"},
	"health_periods":    {"account = 'x'", "from_after > 'x'", "from_before > 'x'", "to_after > 'x'", "to_before > 'x'", "to_before IS NULL"},
	"limit_usage":       {"account = 'x'", "seen_at > 'x'", "account = 'x' AND seen_at > 'y'"},
	"snapshots":         {"account = 'x'", "taken_at > 'x'", "sent_at > 'x'", "run = 3", "account = 'x' AND taken_at > 'y'"},
	"runs":              {"run = 3", "started_at > 'x'", "finished_at > 'x'"},
	"failures":          {"run = 3", "at > 'x'"},
}

// TestFiltersOfViewsUseIndexes: what a filter costs depends on what it finds. The
// only tables read from end to end are those with a row for each workspace.
func TestFiltersOfViewsUseIndexes(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	for _, accounts := range []int{0, 20} { // a store that is empty, and one that is not
		for n := range accounts {
			when := start.Add(time.Duration(n) * time.Hour)
			take(t, s, when, pageOf(accounts, func(i int) string { return fmt.Sprint(200 + (i+n)%3/2) })...)
		}
		for view, conditions := range filters {
			for _, condition := range conditions {
				scans := scansOf(t, s, `SELECT * FROM `+view+` WHERE `+condition)
				// The periods that are open are one of each account, and have no such end.
				if view == "health_periods" && strings.HasPrefix(condition, "to_") && len(scans) == 1 && strings.HasPrefix(scans[0], "SCAN a ") {
					continue
				}
				if len(scans) > 0 {
					t.Errorf("%s WHERE %s: %v", view, condition, scans)
				}
			}
		}
	}
}

// pageOf is a page of so many accounts, with a status each.
func pageOf(accounts int, status func(n int) string) (page []store.Observed) {
	for n := range accounts {
		id := fmt.Sprintf("%032x", n)
		page = append(page, store.Observed{ID: id, Raw: fmt.Appendf(nil,
			`{"id":%q,"type":"x-sync","username":"u%d","status":%q,"squids":[{"hash_value":"s%d","name":"S"}],`+
				`"params":{"user":{"p":{"value":%s,"max":900}}}}`, id, n, status(n), n%3, status(n))})
	}
	return page
}

// TestNoFilterReadsAll shows that scansOf can find something.
func TestNoFilterReadsAll(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	for _, query := range []string{`SELECT * FROM changes WHERE kind = 'x'`, `SELECT * FROM limit_usage WHERE upper(seen_at) > 'x'`,
		`SELECT * FROM changes WHERE account = 'x' ORDER BY path`} {
		if len(scansOf(t, s, query)) == 0 {
			t.Errorf("%s neither reads a table from end to end nor sorts", query)
		}
	}
}

// scansOf are the steps of a query's plan that read a whole table, or all of a workspace
// in one that grows with its accounts, or sort. Workspaces (w) may be read, the list
// that is made of a run's failures (f), the limits in one document (e), the names of
// members (n), and the members of one document (the subqueries of account_versions).
func scansOf(t *testing.T, s *sqlite.Store, query string) (scans []string) {
	t.Helper()
	err := s.Query(t.Context(), `EXPLAIN QUERY PLAN `+query, func([]string) error { return nil }, func(row []any) error {
		step := row[3].(string)
		table, scan := strings.CutPrefix(step, "SCAN ")
		all := strings.HasSuffix(step, " (ws=?)") && !strings.HasPrefix(step, "SEARCH n ")
		sorts := strings.HasPrefix(step, "USE TEMP B-TREE")
		table, _, _ = strings.Cut(table, " ")
		if scan && !slices.Contains([]string{"w", "f", "e", "(subquery-5)", "(subquery-6)"}, table) || all || sorts {
			scans = append(scans, step)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return scans
}
