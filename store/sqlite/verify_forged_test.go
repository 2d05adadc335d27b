package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// fullStore is a closed store that has a row in each table: one that was pruned,
// from which an account was redacted, and that Litestream replicates.
func fullStore(t testing.TB, path string) {
	t.Helper()
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	h := &smallHistory{t, s, start}
	h.write()
	same := smallObject(4, `,"status":"200","icon":"aWNvbg==","params":{"user":{"posts":{"max":5,"value":1}}}`)
	for range 4 {
		h.finish(h.begin("default", h.page(store.List, 3, same, smallObject(5, ``))))
	}
	if _, err := s.Redact(t.Context(), "default", fmt.Sprintf("%032x", 1)); err != nil {
		t.Fatal(err)
	}
	watched(t, s)
	if done, err := s.Prune(t.Context(), "default", store.Keep{}, nil); err != nil || done.Thinned == 0 {
		t.Fatal(done, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := second(t, path)
	execute(t, db, litestreamTables)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	healthy(t, path)
}

// watched leaves a row in each table of alerts. Nothing of it holds or waits any more.
func watched(t testing.TB, s store.Store) {
	t.Helper()
	account, over := fmt.Sprintf("%032x", 4), start.Add(time.Hour)
	object := []byte(`{"big": 12345678901234567890}`)
	alert := store.Alert{
		Condition: store.AccountExpired, Account: account, Window: store.Window{After: start, Before: over}, Run: 1, Polls: 1,
		FiredAt: over, Told: true, Reminders: 1, EndedAt: over, Detail: object,
	}
	squid := store.Alert{Condition: store.SquidWithoutAccount, Squid: "s1", Run: 2, FiredAt: over, EndedAt: over, Detail: object}
	message := store.Message{
		ID: "m", Workspace: "default", Event: "fired", Condition: store.AccountExpired, Run: 1, At: over, Accounts: []string{account},
		Sinks: []string{"ops"}, Body: object,
	}
	delta := store.AlertDelta{
		To: store.AlertPlace{Run: 2, At: over, Digest: over}, Begin: []store.Alert{alert, squid}, Messages: []store.Message{message},
	}
	_, err := s.AddSilence(t.Context(), "default", store.Silence{Account: account, Reason: "known", From: start, Until: over})
	err = errors.Join(err,
		s.SaveAlerts(t.Context(), "default", delta),
		s.SaveDelivery(t.Context(), store.Delivery{Message: message, Sink: "ops", State: store.Delivered, Attempts: 2, EndedAt: over}),
		s.SaveCursor(t.Context(), "default", "script", 2))
	if err != nil {
		t.Fatal(err)
	}
}

// litestreamTables are as Litestream 0.5 makes them.
const litestreamTables = `
	CREATE TABLE IF NOT EXISTS _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER);
	CREATE TABLE IF NOT EXISTS _litestream_lock (id INTEGER);
	INSERT INTO _litestream_seq (id, seq) VALUES (1, 7)`

// TestForgedRowsAreFound copies rows of each table under numbers that no row has,
// in each column of the key. verify finds each, in a time that does not depend on
// the number.
func TestForgedRowsAreFound(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	fullStore(t, path)
	f := newForger(t, path)
	f.forge("SELECT 1")
	db := f.open()
	tables := f.strings(db, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
	forgeries := map[string][]string{}
	for _, table := range tables {
		forgeries[table] = f.forgeriesOf(db, table)
	}
	f.close(db)
	slowest, done := time.Duration(0), 0
	for table, statements := range forgeries {
		if len(statements) == 0 {
			t.Errorf("table %s: no row was copied", table)
		}
		for _, statement := range statements {
			switch {
			case f.forge(statement):
			case strings.Contains(statement, "/* or taken */"):
				continue
			default:
				t.Errorf("not put in: %s", statement)
				continue
			}
			done++
			begun := time.Now()
			if c := (cell{table: table, isKey: true}); !c.named(f.found()) {
				t.Errorf("%s\nfound: %v", statement, f.found())
			}
			took := time.Since(begun)
			if slowest = max(slowest, took); took > 10*time.Second {
				t.Errorf("took %s: %s", took, statement)
			}
		}
	}
	t.Logf("%d rows in %d tables, the slowest check took %s", done, len(forgeries), slowest)
}

// forgedNumbers are what rows are copied under: two of them, at random, without -long. Other rows may have the small ones,
// which are free in some keys of several columns.
var forgedNumbers = []string{
	"-9223372036854775808", "-7", "0 /* or taken */", "1 /* or taken */", "2 /* or taken */", "3 /* or taken */",
	"1 << 31", "(1 << 40) + 1", "1767592861001", "1 << 62", "9223372036854775807",
}

// forgeriesOf are statements that copy rows of the table: the first, one between and
// the last. A table without rows gets one of ones.
func (f *forger) forgeriesOf(db *sql.DB, table string) (statements []string) {
	f.t.Helper()
	columns := f.strings(db, `SELECT name FROM pragma_table_info(?)`, table)
	keys := f.strings(db, `SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`, table)
	if len(keys) == 0 {
		columns, keys = append(columns, "rowid"), []string{"rowid"}
	}
	count, _ := strconv.Atoi(f.strings(db, `SELECT count(*) FROM `+table)[0])
	rows := slices.Compact([]int{0, count / 2, max(count-1, 0)})
	if !*long {
		rows = rows[len(rows)-1:]
	}
	numbers := forgedNumbers
	if !*long {
		numbers = shuffled(forgedNumbers)[:2]
	}
	for _, key := range keys {
		for _, number := range numbers {
			values := f.valuesOf(db, table, columns, key, number)
			if count == 0 {
				ones := strings.Repeat("1, ", len(columns)-1)
				statements = append(statements, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s%s)", table, strings.Join(columns, ", "), ones, number))
				continue
			}
			for _, row := range rows {
				statements = append(statements, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %[1]s ORDER BY %[4]s LIMIT 1 OFFSET %[5]d",
					table, strings.Join(columns, ", "), strings.Join(values, ", "), strings.Join(keys, ", "), row))
			}
		}
	}
	return statements
}

// valuesOf are the columns, but for the key, which is the number, and for what must be
// unique, which is something else.
func (f *forger) valuesOf(db *sql.DB, table string, columns []string, key, number string) []string {
	f.t.Helper()
	unique := f.strings(db, `
		SELECT (SELECT name FROM pragma_index_info(list.name) ORDER BY seqno DESC LIMIT 1)
		FROM pragma_index_list(?) list
		WHERE list."unique" AND list.origin <> 'pk' AND NOT list.partial`, table)
	values := slices.Clone(columns)
	for i, column := range columns {
		switch {
		case column == key:
			values[i] = fmt.Sprintf(`CASE typeof(%s) WHEN 'integer' THEN %s
				WHEN 'blob' THEN CAST(substr(%[1]s, 2) || x'01' AS BLOB) ELSE %[1]s || (%[2]s) END`, column, number)
		case table == "version" && column == "until": // an account has one version without an end
			values[i] = "1767592861001"
		case slices.Contains(unique, column) && key != "ws":
			values[i] = fmt.Sprintf(`CASE typeof(%s) WHEN 'integer' THEN %[1]s + 1000
				WHEN 'blob' THEN CAST(substr(%[1]s, 2) || x'01' AS BLOB) ELSE substr(%[1]s, 2) || 'x' END`, column)
		}
	}
	return values
}

// TestForgedGooseTableIsFound edits goose's table, and all that goes with it.
func TestForgedGooseTableIsFound(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	fullStore(t, path)
	f := newForger(t, path)
	for _, edit := range []string{
		`UPDATE goose_db_version SET tstamp = datetime(tstamp, '+1 day')`,
		`UPDATE goose_db_version SET tstamp = NULL WHERE id = 3`,
		`UPDATE goose_db_version SET version_id = 1 WHERE version_id = 2`,
		`UPDATE goose_db_version SET is_applied = 0 WHERE version_id = 2`,
		`UPDATE goose_db_version SET is_applied = 2 WHERE version_id = 2`,
		`UPDATE goose_db_version SET id = id + 100 WHERE id = (SELECT max(id) FROM goose_db_version)`,
		`DELETE FROM goose_db_version WHERE version_id = 3; UPDATE goose_db_version SET id = id - 1 WHERE id > 3`,
		`DELETE FROM goose_db_version WHERE version_id = 0`,
		`INSERT INTO goose_db_version (version_id, is_applied, tstamp) SELECT version_id, is_applied, tstamp FROM goose_db_version WHERE id = 3`,
		`INSERT INTO goose_db_version (version_id, is_applied, tstamp) VALUES (99, 0, '1970-01-01 00:00:00')`,
	} {
		consistent := `; UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM goose_db_version) WHERE name = 'goose_db_version'`
		if !f.forge(edit + consistent) {
			t.Errorf("nothing changed: %s", edit)
		}
		if !slices.ContainsFunc(f.found(), func(found store.Finding) bool { return found.Table == "goose_db_version" }) {
			t.Errorf("not found: %s", edit)
		}
	}
}

// TestLitestreamsTables: verify knows what they are and what is in them.
func TestLitestreamsTables(t *testing.T) {
	const lock, seq = `CREATE TABLE _litestream_lock (id INTEGER);`, `CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER);`
	for script, found := range map[string]int{
		"":         0,
		seq + lock: 0,
		seq + lock + `INSERT INTO _litestream_seq VALUES (1, 1)`:                    0,
		seq + lock + `INSERT INTO _litestream_seq VALUES (1, 80000)`:                0,
		seq + lock + `INSERT INTO _litestream_seq VALUES (1, 0)`:                    1,
		seq + lock + `INSERT INTO _litestream_seq VALUES (1, 1 << 62)`:              1,
		seq + lock + `INSERT INTO _litestream_seq VALUES (1, 'text')`:               1,
		seq + lock + `INSERT INTO _litestream_seq VALUES (1, NULL)`:                 1,
		seq + lock + `INSERT INTO _litestream_seq VALUES (1, 1), (2, 1)`:            1,
		seq + lock + `INSERT INTO _litestream_lock VALUES (1)`:                      1,
		seq + lock + `CREATE INDEX another ON _litestream_lock (id)`:                1,
		`CREATE TABLE _litestream_lock (id INTEGER, more TEXT)`:                     2, // and that rows are not checked
		`CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER) STRICT`: 2,
		`CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq TEXT)`:           2,
		`CREATE VIEW _litestream_seq AS SELECT 1 AS id, 1 AS seq`:                   2,
		`CREATE TABLE _litestream_other (id INTEGER)`:                               2,
		`CREATE TABLE _LITESTREAM_LOCK (id INTEGER)`:                                2,
	} {
		path := closedStore(t)
		db := second(t, path)
		execute(t, db, script)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if findings, _ := verify(t, path, store.VerifyOptions{}); len(findings) != found {
			t.Errorf("%s: found %v", script, findings)
		}
	}
}
