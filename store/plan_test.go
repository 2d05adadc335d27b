package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

// filters are the ways in which people narrow a view down, by view.
var filters = map[string][]string{
	"account_current":  {"account = 'x'"},
	"account_versions": {"account = 'x'", "valid_from > 'x'", "valid_from BETWEEN 'x' AND 'y'", "valid_to > 'x'", "valid_to IS NULL"},
	"changes": {"account = 'x'", "before > 'x'", "before >= 'x' AND before < 'y'", "after > 'x'", "account = 'x' AND before > 'y'",
		"before >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-7 days')"},
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
	for view, conditions := range filters {
		for _, condition := range conditions {
			if scans := scansOf(t, s, `SELECT * FROM `+view+` WHERE `+condition); len(scans) > 0 {
				t.Errorf("%s WHERE %s: %v", view, condition, scans)
			}
		}
	}
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

// scansOf are the steps of a query's plan that read a whole table, or all accounts (a)
// of a workspace, or sort. Workspaces (w) may be read, and the list that is made of a run's
// failures (f), the limits in one document (e), and where each account stands now (seen).
func scansOf(t *testing.T, s *store.Store, query string) (scans []string) {
	t.Helper()
	err := s.Query(t.Context(), `EXPLAIN QUERY PLAN `+query, func([]string) error { return nil }, func(row []any) error {
		step := row[3].(string)
		table, scan := strings.CutPrefix(step, "SCAN ")
		all := strings.HasPrefix(step, "SEARCH a ") && strings.HasSuffix(step, " (workspace_id=?)")
		sorts := strings.HasPrefix(step, "USE TEMP B-TREE")
		table, _, _ = strings.Cut(table, " ")
		if scan && !slices.Contains([]string{"w", "f", "e", "seen"}, table) || all || sorts {
			scans = append(scans, step)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return scans
}
