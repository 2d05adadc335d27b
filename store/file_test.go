package store_test

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/lobstrail/lobstrail/migrations"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func writer(now time.Time) store.Options { return store.Options{Rules: report.Rules(), Now: at(now)} }

// second is another program's connection to the database.
func second(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t testing.TB, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.Exec(query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

const ada = "d3e97f2cd33658f301bdbe807402ab30"

func accountObject(members string) store.Observed {
	return store.Observed{ID: ada, Raw: []byte(`{"id":"` + ada + `","username":"ada","status":"200"` + members + `}`)}
}

// take appends one list response in a run of its own.
func take(t testing.TB, s *store.Store, when time.Time, accounts ...store.Observed) store.Appended {
	t.Helper()
	run, err := s.Begin(t.Context(), "default", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	done, err := run.Append(t.Context(), store.Response{
		Source: store.List, Sent: when, Received: when.Add(time.Second), Accounts: accounts, Requests: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Complete, Requested: len(accounts)}); err != nil {
		t.Fatal(err)
	}
	return done
}

// closedStore is a store with a little history that nobody has open.
func closedStore(t testing.TB) string {
	t.Helper()
	path := memoryPath(t)
	s, _, err := store.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	take(t, s, start, accountObject(``))
	take(t, s, start.Add(time.Hour), accountObject(`,"f":1`))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNoStoreIsMissingOrEmpty(t *testing.T) {
	missing, empty := memoryPath(t), memoryPath(t)
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{missing, empty} {
		if _, err := store.Open(t.Context(), path, store.Options{}); !errors.Is(err, store.ErrNoStore) {
			t.Errorf("reading %s: %v", path, err)
		}
	}
	if left := files(t, filepath.Dir(missing)); len(left) > 0 {
		t.Errorf("reading a missing store left %v", left)
	}
	s, created, err := store.OpenWriter(t.Context(), empty, writer(start))
	if err != nil || !created {
		t.Fatalf("writing to an empty file: created %t, %v", created, err)
	}
	defer s.Close()
	for name, mode := range files(t, filepath.Dir(empty)) {
		if !strings.HasPrefix(mode, "-rw------- ") {
			t.Errorf("%s has the mode %s", name, mode)
		}
	}
}

// files maps the files of a directory to their modes and contents.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		body, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[entry.Name()] = fmt.Sprintf("%s %d %x", info.Mode(), len(body), sha256.Sum256(body))
	}
	return all
}

func TestForeignFilesAreLeftAsTheyAre(t *testing.T) {
	foreign := memoryPath(t)
	execute(t, second(t, foreign), `CREATE TABLE t (a); PRAGMA user_version = 7`)
	contents := map[string][]byte{"text": []byte("hello\n"), "short": []byte("SQLite format 3\x00"), "zeros": make([]byte, 8192)}
	var err error
	if contents["another program's database"], err = os.ReadFile(foreign); err != nil {
		t.Fatal(err)
	}
	for name, content := range contents {
		path := memoryPath(t)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		before := files(t, filepath.Dir(path))
		if _, err := store.Open(t.Context(), path, store.Options{}); !errors.Is(err, store.ErrForeign) {
			t.Errorf("reading %s: %v", name, err)
		}
		if _, _, err := store.OpenWriter(t.Context(), path, writer(start)); !errors.Is(err, store.ErrForeign) {
			t.Errorf("writing %s: %v", name, err)
		}
		if after := files(t, filepath.Dir(path)); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%s: %v became %v", name, before, after)
		}
	}
	if _, err := store.Open(t.Context(), t.TempDir(), store.Options{}); !errors.Is(err, store.ErrForeign) {
		t.Errorf("a directory: %v", err)
	}
}

func TestNewerStoresAreRefused(t *testing.T) {
	path := closedStore(t)
	db := second(t, path)
	execute(t, db, fmt.Sprintf(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, 1)`, migrations.Version+1))
	execute(t, db, `PRAGMA wal_checkpoint(TRUNCATE)`)
	db.Close()
	for range 2 {
		if _, err := store.Open(t.Context(), path, store.Options{}); !errors.Is(err, store.ErrNewer) {
			t.Errorf("reading: %v", err)
		}
		if _, _, err := store.OpenWriter(t.Context(), path, writer(start)); !errors.Is(err, store.ErrNewer) {
			t.Errorf("writing: %v", err)
		}
	}
}

func TestOlderStoresAreMigratedByWritersOnly(t *testing.T) {
	path := closedStore(t)
	db := second(t, path)
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := store.Open(t.Context(), path, store.Options{}); !errors.Is(err, store.ErrOlder) {
		t.Fatalf("reading: %v", err)
	}
	s := openStore(t, path, at(start))
	if n := count(t, s, `SELECT count(*) FROM changes`); n != 2 {
		t.Errorf("%d changes after migrating", n)
	}
}

// count asks for one number.
func count(t testing.TB, s *store.Store, query string) (n int64) {
	t.Helper()
	err := s.Query(t.Context(), query, func([]string) error { return nil }, func(row []any) error {
		n = row[0].(int64)
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestReadersWriteNothing(t *testing.T) {
	path := closedStore(t)
	bare := memoryPath(t)
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bare, body, 0o400); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"store": path, "bare copy": bare} {
		before := files(t, filepath.Dir(path))
		s, err := store.Open(t.Context(), path, store.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n := count(t, s, `SELECT count(*) FROM changes`); n != 2 {
			t.Errorf("%s: %d changes", name, n)
		}
		if _, err := s.Begin(t.Context(), "default", store.ScopeAll); err == nil {
			t.Errorf("%s: a reader began a run", name)
		}
		for _, query := range []string{`DELETE FROM change`, `VACUUM INTO '/dev/shm/x'`, `ATTACH '/dev/shm/x' AS x`, `CREATE TEMP TABLE x (a)`,
			`PRAGMA journal_mode = DELETE`, `SELECT 1; DROP TABLE change`, `BEGIN`, `PRAGMA user_version = 4`} {
			err := s.Query(t.Context(), query, func([]string) error { return nil }, func([]any) error { return nil })
			if !errors.Is(err, store.ErrReadOnly) && query != `PRAGMA user_version = 4` {
				t.Errorf("%s: %s: %v", name, query, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		after := files(t, filepath.Dir(path))
		for file := range before {
			if strings.HasSuffix(file, "-shm") { // locks of readers, no content
				before[file], after[file] = "", ""
			}
		}
		if fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%s: %v became %v", name, before, after)
		}
	}
}

func TestDamageIsNamed(t *testing.T) {
	path := closedStore(t)
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(body[4096:], slices.Repeat([]byte{0xff}, len(body)-4096))
	bare := memoryPath(t)
	if err := os.WriteFile(bare, body, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), bare, store.Options{}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("reading: %v", err)
	}
	if _, _, err := store.OpenWriter(t.Context(), bare, writer(start)); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("writing: %v", err)
	}
}

// TestClosingDoesNotWaitLongForReaders: there are some that never end.
func TestClosingDoesNotWaitLongForReaders(t *testing.T) {
	path := memoryPath(t)
	s, _, err := store.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := second(t, path).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Rollback() // nothing to commit
	var n int
	if err := reader.QueryRow(`SELECT count(*) FROM snapshot`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	take(t, s, start, accountObject(``))
	begun := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 6*time.Second { // it was 10, and is 1
		t.Errorf("closing took %s", took)
	}
}
