package sqlite_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

// forger changes rows of a store as if nothing forbade it.
type forger struct {
	t        testing.TB
	base     []byte // the store without its triggers
	triggers string // puts them back
	path     string
}

// newForger takes a store that is closed.
func newForger(t testing.TB, path string) *forger {
	t.Helper()
	f := &forger{t: t, path: path}
	db := f.open()
	triggers := f.strings(db, `
		SELECT '(' || quote(type) || ', ' || quote(name) || ', ' || quote(tbl_name) || ', 0, ' || quote(sql) || ')'
		FROM sqlite_schema
		WHERE type = 'trigger'`)
	f.triggers = "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES " + strings.Join(triggers, ", ")
	execute(t, db, `DELETE FROM sqlite_schema WHERE type = 'trigger'`)
	f.close(db)
	var err error
	if f.base, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if !f.forge("UPDATE setting SET value = value") || len(f.found()) > 0 {
		t.Fatalf("before anything is changed: %v", f.found())
	}
	return f
}

func (f *forger) open() *sql.DB {
	f.t.Helper()
	db, err := sql.Open("sqlite", "file:"+f.path+"?_pragma=foreign_keys(0)&_pragma=ignore_check_constraints(1)"+
		"&_pragma=synchronous(0)&_pragma=writable_schema(1)")
	if err != nil {
		f.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// close leaves a file without a journal.
func (f *forger) close(db *sql.DB) {
	f.t.Helper()
	if err := db.Close(); err != nil {
		f.t.Fatal(err)
	}
	for _, ending := range []string{"-wal", "-shm"} {
		if err := os.Remove(f.path + ending); err != nil && !os.IsNotExist(err) {
			f.t.Fatal(err)
		}
	}
}

// forge runs statements on the store as it was made, and puts the triggers back. It
// reports whether that changed a row.
func (f *forger) forge(statements ...string) bool {
	f.t.Helper()
	if err := os.WriteFile(f.path, f.base, 0o600); err != nil {
		f.t.Fatal(err)
	}
	db := f.open()
	defer f.close(db)
	changed := int64(0)
	for _, statement := range statements {
		done, err := db.Exec(statement)
		if err != nil {
			return false // a key that is taken, or NULL where none can be
		}
		n, err := done.RowsAffected()
		if err != nil {
			f.t.Fatal(err)
		}
		changed += n
	}
	execute(f.t, db, f.triggers)
	return changed > 0
}

// found is what verify finds after that.
func (f *forger) found() []store.Finding {
	findings, _ := verify(f.t, f.path, store.VerifyOptions{})
	return findings
}

// cell is one value of a store.
type cell struct {
	table, where, column string
	key                  map[string]string // the values of the key, by column
	isKey                bool
}

// sample is all values of all tables, in random order, so that the first ones of each kind
// are others each time; with -long, in theirs.
func (f *forger) sample() []cell {
	if *long {
		return f.cells()
	}
	return shuffled(f.cells())
}

// shuffled is a copy in random order.
func shuffled[T any](all []T) []T {
	all = slices.Clone(all)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// cells are all values of all tables.
func (f *forger) cells() (all []cell) {
	f.t.Helper()
	f.forge("SELECT 1")
	db := f.open()
	defer f.close(db)
	for _, table := range f.strings(db, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`) {
		key := f.strings(db, `SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`, table)
		if len(key) == 0 {
			key = []string{"rowid"}
		}
		var where, name []string
		for _, column := range key {
			where = append(where, fmt.Sprintf("'%s = ' || quote(%[1]s)", column))
			name = append(name, "quote("+column+")")
		}
		rows := f.strings(db, fmt.Sprintf(`SELECT %s || x'00' || %s FROM %s`,
			strings.Join(where, " || ' AND ' || "), strings.Join(name, " || x'00' || "), table))
		columns := f.strings(db, `SELECT name FROM pragma_table_info(?)`, table)
		for _, row := range rows {
			where, values, _ := strings.Cut(row, "\x00")
			c := cell{table: table, where: where, key: map[string]string{}}
			for i, value := range strings.Split(values, "\x00") {
				c.key[key[i]] = strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(value, "X"), "'", ""))
			}
			for _, column := range columns {
				c.column, c.isKey = column, slices.Contains(key, column)
				all = append(all, c)
			}
		}
	}
	return all
}

func (f *forger) strings(db *sql.DB, query string, args ...any) (all []string) {
	f.t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		f.t.Fatal(query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			f.t.Fatal(query, err)
		}
		all = append(all, one)
	}
	return all
}

// forgeries are the values that are put in the place of one: the next number, one a
// thousand above (the next may be taken), a text with another last letter, a blob
// with another last bit, NULL for a value and a value of any type for NULL.
func (c cell) forgeries() []string {
	const other = `CASE typeof(%[1]s)
		WHEN 'integer' THEN %[1]s + %[2]d
		WHEN 'text' THEN substr(%[1]s, 1, length(%[1]s) - 1) || char(unicode(substr('x' || %[1]s, -1)) + %[2]d)
		WHEN 'blob' THEN CAST(substr(%[1]s, 1, length(%[1]s) - 1) ||
			CASE substr(%[1]s, -1) WHEN x'01' THEN x'03' ELSE x'01' END AS BLOB)
		ELSE %[3]s END`
	return []string{
		fmt.Sprintf(other, c.column, 1, "1"), fmt.Sprintf(other, c.column, -1000, "'x'"), fmt.Sprintf(other, c.column, 1, "x'01'"), "NULL",
	}
}

// namedIn are the tables whose rows also tell of a change to a row of another one: what a
// response showed is under its hash, and "" is about the whole store.
var namedIn = map[string][]string{
	"fact":      {"response"},
	"usage":     {"response"},
	"name":      {"response", "fact", "usage"},
	"shown":     {"response", "account"},
	"account":   {"response", "absence", "redacted"},
	"workspace": {"entry"},
	"setting":   {""},
	"state":     {"said"},
	"entry":     {"response", "run"}, // no entry names it
	"value":     {"fact"},
	// The store is of another version.
	"goose_db_version": {""},
}

// rowKeys are the columns of a key that a finding about a row must name. Where there are
// none, it need not name the row.
var rowKeys = map[string][]string{
	"workspace": {"id"}, "run": {"id"}, "response": {"at"}, "account": {"id"}, "shown": {"account", "first"}, "name": {"id"},
	"value": {"id"}, "fact": {"account", "at"}, "icon": {"digest"}, "usage": {"account", "at"}, "absence": {"account", "since"},
	"failure": {"run", "n"}, "entry": {"id"}, "version": {"account", "at"}, "change": {"account", "at", "n"},
	"status_step": {"account", "at"}, "squid": {"id"}, "squid_name": {"squid", "account", "at"},
	"assignment": {"squid", "account", "from_before"}, "state": {"account"}, "said": {"account", "endpoint"},
	"body": {"account", "endpoint"}, "counter": {"account"}, "redacted": {"account"},
	"alert": {"id"}, "message": {"n"}, "delivery": {"message", "sink"}, "silence": {"id"}, "cursor": {"consumer"},
}

var word = regexp.MustCompile(`[0-9a-z]+`)

// named reports whether the row of the cell is named by one of the findings.
func (c cell) named(findings []store.Finding) bool {
	return slices.ContainsFunc(findings, func(f store.Finding) bool {
		words := word.FindAllString(f.Row, -1)
		switch {
		case slices.Contains(namedIn[c.table], f.Table):
			return f.Table == "" || f.Row != ""
		case f.Table == "redacted": // of an account that was redacted, only what is left is compared
			return f.Row != ""
		case f.Table != c.table:
			return false
		case c.isKey:
			return f.Row != "" || rowKeys[c.table] == nil
		}
		return !slices.ContainsFunc(rowKeys[c.table], func(column string) bool { return !slices.Contains(words, c.key[column]) })
	})
}

// changedAt is a copy of the file with other bytes from the offset on.
func changedAt(t testing.TB, path string, offset int, bytes []byte) (copied string) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(file[offset:], bytes)
	copied = memoryPath(t)
	if err := os.WriteFile(copied, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}
