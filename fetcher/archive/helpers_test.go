package archive_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
	"github.com/lobstrail/lobstrail/store/sqlite/sqlitetest"
)

var (
	start = time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	today = start.AddDate(1, 0, 0) // what the clocks of these tests show
)

func clock() time.Time { return today }

// memoryPath is a place for a store that is held in memory where the machine has
// such a place: these tests are not about the disk.
func memoryPath(t testing.TB) string {
	t.Helper()
	const shm = "/dev/shm"
	if _, err := os.Stat(shm); err != nil {
		return filepath.Join(t.TempDir(), "store.db")
	}
	dir, err := os.MkdirTemp(shm, "lobstrail-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "store.db")
}

func openStore(t testing.TB) store.Store {
	t.Helper()
	path := memoryPath(t)
	sqlitetest.LayEmpty(t, path, report.Rules())
	s, _, err := sqlite.OpenWriter(t.Context(), path, sqlite.Options{Rules: report.Rules(), Now: clock})
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

func begin(t testing.TB, s store.Store, scope store.Scope) store.RunWriter {
	t.Helper()
	run, err := s.Begin(t.Context(), "default", scope)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// imported is what became of an import.
type imported struct {
	archive.Result
	outcome  store.Outcome
	run      store.Run
	messages []string // of the failures
}

// importInto imports the items in a run of its own.
func importInto(t testing.TB, s store.Store, items archive.Items, o archive.Options) imported {
	t.Helper()
	if o.Now == nil {
		o.Now = clock
	}
	writer := begin(t, s, store.ScopeImport)
	outcome, result, err := archive.Import(t.Context(), writer, items, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Finish(t.Context(), outcome); err != nil {
		t.Fatal(err)
	}
	run, err := s.Run(t.Context(), "default", writer.ID())
	if err != nil {
		t.Fatal(err)
	}
	done := imported{Result: result, outcome: outcome, run: run}
	for _, f := range run.Failures {
		done.messages = append(done.messages, f.Message)
	}
	return done
}

// text is an item that holds just this, saved at the instant.
func text(name string, at time.Time, body string) archive.Item {
	return opened(name, at, func() io.Reader { return strings.NewReader(body) })
}

func opened(name string, at time.Time, open func() io.Reader) archive.Item {
	return archive.Item{Name: name, At: at, Origin: archive.Given, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(open()), nil
	}}
}

func sequence(items ...archive.Item) archive.Items {
	return func(yield func(archive.Item, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// natural are all rows that a history consists of, by their natural keys: without
// the numbers of rows, the runs, and where the snapshots came from.
var natural = []string{
	`SELECT 'account', a.hash, a.first_at FROM account a ORDER BY 2`,
	`SELECT 'version', v.* FROM account_versions v ORDER BY account, version`,
	`SELECT 'change', account, username, kind, path, old, new, after, before, health_before, health_after
	FROM changes ORDER BY account, before, kind, path, old, new`,
	`SELECT 'step', account, status_before, status_after, info_before, info_after, health_before, health_after, after, before
	FROM status_changes ORDER BY account, before`,
	`SELECT 'squid', q.hash, a.hash, n.at, n.name FROM squid q
	JOIN squid_name n ON n.ws = q.ws AND n.squid = q.id JOIN account a ON a.ws = n.ws AND a.id = n.account ORDER BY 2, 3, 4`,
	`SELECT 'assignment', squid, account, from_after, from_before, to_after, to_before FROM squid_assignments ORDER BY 2, 3, 4, 5`,
	`SELECT 'usage', a.hash, n.top, n.sub, u.at, u.body, u.max FROM usage u
	JOIN account a ON a.ws = u.ws AND a.id = u.account JOIN name n ON n.ws = u.ws AND n.id = u.name ORDER BY 2, 3, 4, 5`,
	`SELECT 'snapshot', account, sent_at, taken_at, version FROM snapshots ORDER BY 2, 4`,
	`SELECT 'fact', a.hash, f.endpoint, n.top, n.sub, f.at, coalesce(f.value, v.body) FROM fact f
	JOIN account a ON a.ws = f.ws AND a.id = f.account JOIN name n ON n.ws = f.ws AND n.id = f.name
	LEFT JOIN value v ON v.ws = f.ws AND v.id = f.value_id ORDER BY 2, 3, 4, 5, 6`,
	`SELECT 'now', account, health, seen_at, unlisted_since, document FROM account_current ORDER BY 2`,
	`SELECT 'state', a.hash, s.health, s.health_after, s.health_before, s.gone, s.locked_until, s.known, s.dropped
	FROM state s JOIN account a ON a.ws = s.ws AND a.id = s.account ORDER BY 2`,
}

// sources count the snapshots of each source.
const sources = `SELECT source, count(*) FROM snapshots GROUP BY 1 ORDER BY 1`

// dump is the answer to the queries, a row a line.
func dump(t testing.TB, s store.Store, queries ...string) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.Path()+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var out strings.Builder
	for _, query := range queries {
		if err := dumpQuery(&out, db, query); err != nil {
			t.Fatal(query, err)
		}
	}
	return out.String()
}

func dumpQuery(out io.Writer, db *sql.DB, query string) error {
	rows, err := db.Query(query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		fmt.Fprintln(out, values...)
	}
	return rows.Err()
}

// sameHistory compares two stores row by row.
func sameHistory(t testing.TB, want, got store.Store) bool {
	t.Helper()
	diff := cmp.Diff(strings.Split(dump(t, want, natural...), "\n"), strings.Split(dump(t, got, natural...), "\n"))
	if diff != "" {
		t.Errorf("another history (-want +got):\n%.4000s", diff)
	}
	return diff == ""
}

// stored are the texts of the objects of the store, in the order of arrival.
func stored(t testing.TB, s store.Store) string {
	t.Helper()
	return dump(t, s, `SELECT substr(account, 1, 4), unixepoch(taken_at) - 1767592800, json_extract(v.document, '$.x')
		FROM snapshots s JOIN account_versions v USING (account, version) ORDER BY taken_at, account`)
}

// holdsBytes reports whether any file of the store has the bytes.
func holdsBytes(t testing.TB, s store.Store, needle string) bool {
	t.Helper()
	files, err := filepath.Glob(s.Path() + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(needle)) {
			return true
		}
	}
	return false
}

// object is an account object with a member x.
func object(n int, x string) string { return fmt.Sprintf(`{"id":%q,"x":%s}`, idOf(n), x) }

func idOf(n int) string { return fmt.Sprintf("%04x%028x", 0xa000+n&0xfff, n) }
