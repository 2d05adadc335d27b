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
	"github.com/lobstrail/lobstrail/store/storetest"
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

func openStore(t testing.TB) *store.Store {
	t.Helper()
	path := memoryPath(t)
	storetest.LayEmpty(t, path, report.Rules())
	s, _, err := store.OpenWriter(t.Context(), path, store.Options{Rules: report.Rules(), Now: clock})
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

func begin(t testing.TB, s *store.Store, scope store.Scope) *store.RunWriter {
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
func importInto(t testing.TB, s *store.Store, items archive.Items, o archive.Options) imported {
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
	`SELECT 'account', hash, first_seen FROM account ORDER BY 2`,
	`SELECT 'version', a.hash, v.number, r.sent_at, r.received_at, d.body, v.valid_from, v.health, v.status,
		v.status_code_info, v.status_code_description, v.username, v.type, v.last_synchronization_time, v.locked_until,
		v.squid_count
	FROM version v JOIN account a ON a.id = v.account_id JOIN response r ON r.id = v.response_id
	JOIN document d ON d.id = v.document_id ORDER BY 2, 3`,
	`SELECT 'change', a.hash, v.number, c.kind, c.path, c.old, c.new, c.health_before, c.health_after, c.after, c.before
	FROM change c JOIN version v ON v.id = c.version_id JOIN account a ON a.id = c.account_id ORDER BY a.hash, v.number, c.id`,
	`SELECT 'step', a.hash, r.received_at, s.status_before, s.status_after, s.info_before, s.info_after, s.health_before,
		s.health_after, s.after, s.before
	FROM status_step s JOIN account a ON a.id = s.account_id JOIN response r ON r.id = s.response_id ORDER BY a.hash, s.id`,
	`SELECT 'squid', q.hash, n.since, n.name FROM squid q LEFT JOIN squid_name n ON n.squid_id = q.id ORDER BY 2, 3, 4`,
	`SELECT 'assignment', q.hash, a.hash, g.from_after, g.from_before, g.to_after, g.to_before
	FROM assignment g JOIN squid q ON q.id = g.squid_id JOIN account a ON a.id = g.account_id ORDER BY 2, 3, 4, 5`,
	`SELECT 'usage', a.hash, u.pointer, r.received_at, u.body, u.max
	FROM usage u JOIN account a ON a.id = u.account_id JOIN response r ON r.id = u.response_id ORDER BY 2, 3, 4`,
	`SELECT 'snapshot', a.hash, r.sent_at, r.received_at, d.body
	FROM snapshot s JOIN account a ON a.id = s.account_id JOIN response r ON r.id = s.response_id
	JOIN document d ON d.id = s.document_id ORDER BY 2, 4`,
	`SELECT 'head', a.hash, v.number, h.health, h.health_after, h.health_before, h.gone, h.locked_until
	FROM head h JOIN account a ON a.id = h.account_id JOIN version v ON v.id = h.version_id ORDER BY 2`,
	`SELECT 'counter', a.hash, c.pointer, r.received_at, c.body, c.max
	FROM counter c JOIN account a ON a.id = c.account_id JOIN response r ON r.id = c.response_id ORDER BY 2, 3`,
}

// sources count the snapshots of each source.
const sources = `SELECT source, count(*) FROM snapshots GROUP BY 1 ORDER BY 1`

// dump is the answer to the queries, a row a line.
func dump(t testing.TB, s *store.Store, queries ...string) string {
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
func sameHistory(t testing.TB, want, got *store.Store) bool {
	t.Helper()
	diff := cmp.Diff(strings.Split(dump(t, want, natural...), "\n"), strings.Split(dump(t, got, natural...), "\n"))
	if diff != "" {
		t.Errorf("another history (-want +got):\n%.4000s", diff)
	}
	return diff == ""
}

// stored are the texts of the objects of the store, in the order of arrival.
func stored(t testing.TB, s *store.Store) string {
	t.Helper()
	return dump(t, s, `SELECT substr(a.hash, 1, 4), r.received_at / 1000 - 1767592800, json_extract(d.body, '$.x')
		FROM snapshot s JOIN account a ON a.id = s.account_id JOIN response r ON r.id = s.response_id
		JOIN document d ON d.id = s.document_id ORDER BY r.received_at, r.id, a.hash`)
}

// holdsBytes reports whether any file of the store has the bytes.
func holdsBytes(t testing.TB, s *store.Store, needle string) bool {
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
