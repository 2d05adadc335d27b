package postgres_test

import (
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
	"github.com/lobstrail/lobstrail/store/sqlite/sqlitetest"
	"github.com/lobstrail/lobstrail/store/storetest"
)

// A failed property prints its seed; files of failures are not kept.
func init() {
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.checks": "5"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
}

// histories are laws of a store: they make histories of all kinds, with hostile names and
// values.
var histories = []func(*testing.T, storetest.Opener){
	storetest.Fidelity, storetest.Volatile, storetest.VolatileShapes, storetest.Readers, storetest.Periods, storetest.CurrentDocuments,
	storetest.LatestWord, storetest.Presence, storetest.Unlisted, storetest.LongUnseen, storetest.SquidsComeBack, storetest.OwnNames,
	storetest.Workspaces, storetest.Failures, storetest.Alerting,
}

// TestViewsAnswerAsThoseOfSQLite: each view gives the same rows of a history on both
// engines.
func TestViewsAnswerAsThoseOfSQLite(t *testing.T) {
	db, files := openSchema(t), map[string]string{}
	dir := memoryDir(t)
	openStore := func(t testing.TB, now func() time.Time) store.Store {
		path := filepath.Join(dir, fmt.Sprintf("%d.db", len(files)))
		files[path] = t.Name()
		sqlitetest.LayEmpty(t, path, report.Rules())
		s, _, err := sqlite.OpenWriter(t.Context(), path, sqlite.Options{Rules: report.Rules(), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	for i, law := range histories {
		t.Run(fmt.Sprint("history ", i), func(t *testing.T) { law(t, openStore) })
	}
	rows := map[string]int{}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		file := openSQLite(t, path)
		empty(t, file, db)
		copyStore(t, file, db)
		compareViews(t, files[path], file, db, rows)
	}
	for _, path := range slices.Sorted(maps.Keys(files))[:4] {
		erase(t, path)
		file := openSQLite(t, path)
		empty(t, file, db)
		copyStore(t, file, db)
		compareViews(t, files[path]+", of which much was erased", file, db, rows)
	}
	for view, n := range rows {
		if n == 0 {
			t.Errorf("no history has a row in %s", view)
		}
	}
}

// erase redacts an account and prunes each workspace.
func erase(t testing.TB, path string) {
	t.Helper()
	s, _, err := sqlite.OpenWriter(t.Context(), path, sqlite.Options{Rules: report.Rules()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	workspaces, err := s.Workspaces(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, workspace := range workspaces {
		if _, err := s.Prune(t.Context(), workspace, store.Keep{}, nil); err != nil {
			t.Fatal(err)
		}
		accounts, err := store.Collect(s.Accounts(t.Context(), store.AccountQuery{Workspace: workspace}))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 && len(accounts) > 0 {
			if _, err := s.Redact(t.Context(), workspace, accounts[0].ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// memoryDir is a folder in memory where the machine has such a place.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "lobstrail-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// empty deletes all rows of the tables of a store.
func empty(t testing.TB, file, db *sql.DB) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), `TRUNCATE `+strings.Join(tablesOf(t, file), ", ")); err != nil {
		t.Fatal(err)
	}
}

// compareViews compares all rows of each view, and those that a condition on an instant
// finds. It counts the rows of each.
func compareViews(t *testing.T, name string, file, db *sql.DB, rows map[string]int) {
	t.Helper()
	for _, view := range askTexts(t, file, `SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name`) {
		columns, want := answer(t, file, view, "")
		rows[view] += len(want)
		sameColumns, got := answer(t, db, view, "")
		if !slices.Equal(columns, sameColumns) {
			t.Fatalf("%s has the columns %v instead of %v", view, sameColumns, columns)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s:\n%s", name, view, diff)
			continue
		}
		for i, column := range columns {
			compareFiltered(t, name, file, db, view, column, instants(want, i))
		}
	}
}

func compareFiltered(t *testing.T, name string, file, db *sql.DB, view, column string, values []string) {
	t.Helper()
	if len(values) == 0 {
		return
	}
	middle := values[len(values)/2]
	conditions := []string{column + ` > '` + middle + `'`, column + ` BETWEEN '` + values[0] + `' AND '` + middle + `'`, column + ` IS NULL`}
	if !*long {
		conditions = conditions[:1]
	}
	for _, condition := range conditions {
		_, want := answer(t, file, view, condition)
		_, got := answer(t, db, view, condition)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s WHERE %s:\n%s", name, view, condition, diff)
		}
	}
}

var instant = regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$`)

// instants are the values of a column that are instants, in order.
func instants(rows [][]string, column int) (values []string) {
	for _, row := range rows {
		if text := row[column]; instant.MatchString(text) {
			values = append(values, strings.Trim(text, `"`))
		}
	}
	slices.Sort(values)
	return values
}

// answer returns the rows of a view in an order of their own, as JSON.
func answer(t testing.TB, db *sql.DB, view, condition string) (columns []string, texts [][]string) {
	t.Helper()
	query := `SELECT * FROM ` + view
	if condition != "" {
		query += ` WHERE ` + condition
	}
	columns, rows := ask(t, db, query)
	for _, row := range rows {
		texts = append(texts, text(t, view, columns, row))
	}
	slices.SortFunc(texts, slices.Compare)
	return columns, texts
}

// text is a row as JSON.
func text(t testing.TB, view string, columns []string, row []any) (texts []string) {
	t.Helper()
	for i, value := range row {
		raw, err := json.Marshal(common(view+"."+columns[i], value))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(raw))
	}
	return texts
}

var long = flag.Bool("long", false, "compare with every filter")

// common is a value as both engines have it. 00004_views.sql says where they differ.
func common(column string, value any) any {
	switch v := value.(type) {
	case string:
		switch column {
		case "limit_usage.value", "limit_usage.max": // no number
			return nil
		case "changes.old", "changes.new":
			return strings.ReplaceAll(v, "\x00", "\ufffd")
		case "account_current.document":
			return patched(json.NewDecoder(strings.NewReader(v)))
		case "account_versions.document": // SQLite ends a name at this character
			return strings.ReplaceAll(v, `\u0000":`, `":`)
		}
		v = fromStored.Replace(v)
		if column == "limit_usage.limit_name" { // here too
			v, _, _ = strings.Cut(v, "\x00")
		}
		return v
	case int64:
		if strings.HasPrefix(column, "limit_usage.") {
			return float64(v)
		}
	case float64:
		if math.Abs(v) > 1e290 {
			return nil
		}
		return v + 0 // -0 is 0 in one engine, where it is read as an integer
	}
	return value
}
