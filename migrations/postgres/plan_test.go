package postgres_test

import (
	"database/sql"
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"testing"
)

//go:embed testdata/history.sql
var history string

// addHistory fills a store.
func addHistory(t testing.TB, db *sql.DB) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), history); err != nil {
		t.Fatal(err)
	}
}

// late is before the last run of the history, and later before its last page.
const late, later = "'2026-02-07T13:30:00.000Z'", "'2026-02-07T14:00:04.000Z'"

// filters are the ways in which people narrow a view down, by view.
var filters = map[string][]string{
	"account_current":  {"account = md5('71 1')"},
	"account_versions": {"account = md5('71 1')", "valid_from > " + late, "valid_from BETWEEN " + late + " AND " + later, "valid_to > " + late},
	"changes": {"account = md5('71 1')", "before > " + late, "before >= " + late + " AND before < " + later, "after > " + late,
		"account = md5('71 1') AND before > " + late, "workspace = 'first' AND before > " + late},
	"status_changes":    {"account = md5('71 1')", "before > " + late, "after > " + late, "health_after = 'expired' AND before > " + late},
	"squid_assignments": {"account = md5('71 1')", "squid = 'squid 7'", "from_after > " + late, "from_before > " + late, "to_after > " + late, "to_before > " + late},
	"health_periods":    {"account = md5('71 1')", "from_after > " + late, "from_before > " + late},
	"squid_health":      {"squid = 'squid 7'"},
	"limit_usage":       {"account = md5('71 1')", "seen_at > " + late, "account = md5('71 1') AND seen_at > " + late},
	"snapshots":         {"account = md5('71 1')", "taken_at > " + later, "account = md5('71 1') AND taken_at > " + later},
	"runs":              {"started_at > " + late, "finished_at > " + late},
	"failures":          {"at > " + late},
}

// TestFiltersOfViewsUseIndexes: what a filter costs depends on what it finds. The only
// tables read from end to end are those with few rows in each workspace.
func TestFiltersOfViewsUseIndexes(t *testing.T) {
	db := openSchema(t)
	addHistory(t, db)
	for view, conditions := range filters {
		for _, condition := range conditions {
			query := `SELECT * FROM ` + view + ` WHERE ` + condition
			if scans, plan := scansOf(t, db, query); len(scans) > 0 {
				t.Errorf("%s reads all of %v:\n%s", query, scans, plan)
			}
		}
	}
}

// TestChangesAreFoundByTheirNews, not among all responses of a period.
func TestChangesAreFoundByTheirNews(t *testing.T) {
	db := openSchema(t)
	addHistory(t, db)
	for view, column := range map[string]string{"changes": "before", "account_versions": "valid_from", "limit_usage": "seen_at"} {
		if _, plan := scansOf(t, db, `SELECT * FROM `+view+` WHERE `+column+` > `+late); !strings.Contains(plan, "response_news") {
			t.Errorf("%s:\n%s", view, plan)
		}
	}
}

// TestNoFilterReadsAll shows that scansOf can find something.
func TestNoFilterReadsAll(t *testing.T) {
	db := openSchema(t)
	addHistory(t, db)
	for query, table := range map[string]string{
		`SELECT * FROM changes WHERE kind = 'status'`:                        "change",
		`SELECT * FROM limit_usage WHERE upper(seen_at) > ` + late:           "usage",
		`SELECT * FROM snapshots WHERE taken_at COLLATE "POSIX" > ` + late:   "shown",
		`SELECT * FROM status_changes WHERE health_after = 'expired'`:        "status_step",
		`SELECT account, run FROM snapshots WHERE taken_at || '' > ` + later: "shown",
	} {
		if scans, plan := scansOf(t, db, query); !slices.Contains(scans, table) {
			t.Errorf("%s does not read all of %s:\n%s", query, table, plan)
		}
	}
}

// small are the tables with few rows in each workspace. The accounts are among them: a
// filter on their id alone may read them.
var small = []string{"workspace", "run", "account", "squid", "name"}

var scan = regexp.MustCompile(`Seq Scan on (\w+)`)

// scansOf are the tables that a query reads from end to end, and its plan.
func scansOf(t testing.TB, db *sql.DB, query string) (tables []string, plan string) {
	t.Helper()
	plan = strings.Join(askTexts(t, db, `EXPLAIN `+query), "\n")
	for _, match := range scan.FindAllStringSubmatch(plan, -1) {
		if !slices.Contains(small, match[1]) {
			tables = append(tables, match[1])
		}
	}
	return tables, plan
}
