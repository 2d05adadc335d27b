package sqlite_test

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	migrations "github.com/lobstrail/lobstrail/migrations/sqlite"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func writer(now time.Time) sqlite.Options { return sqlite.Options{Rules: report.Rules(), Now: at(now)} }

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
func take(t testing.TB, s *sqlite.Store, when time.Time, accounts ...store.Observed) store.Appended {
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
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
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
		if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); !errors.Is(err, store.ErrNoStore) {
			t.Errorf("reading %s: %v", path, err)
		}
	}
	if left := files(t, filepath.Dir(missing)); len(left) > 0 {
		t.Errorf("reading a missing store left %v", left)
	}
	s, created, err := sqlite.OpenWriter(t.Context(), empty, writer(start))
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

func TestForeignFilesAreLeftAsTheyAre(t *testing.T) {
	foreign := memoryPath(t)
	execute(t, second(t, foreign), `CREATE TABLE t (a); PRAGMA user_version = 7`)
	database, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	with := func(id uint32) []byte {
		return append(binary.BigEndian.AppendUint32(slices.Clone(database[:68]), id), database[72:]...)
	}
	for name, file := range map[string]struct {
		content []byte
		want    error
	}{
		"text":                                {[]byte("hello\n"), store.ErrForeign},
		"short":                               {[]byte("SQLite format 3\x00"), store.ErrForeign},
		"zeros":                               {make([]byte, 8192), store.ErrForeign},
		"another program's database":          {database, store.ErrForeign},
		"that of an id before all of ours":    {with(migrations.UnreleasedID - 1), store.ErrForeign},
		"a store of before the first release": {with(migrations.UnreleasedID), store.ErrUnreleased},
		"the last of those":                   {with(migrations.ApplicationID - 1), store.ErrUnreleased},
		"a store of an id yet to come":        {with(migrations.ApplicationID + 1), store.ErrForeign},
	} {
		path := memoryPath(t)
		if err := os.WriteFile(path, file.content, 0o644); err != nil {
			t.Fatal(err)
		}
		before := files(t, filepath.Dir(path))
		if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); !errors.Is(err, file.want) {
			t.Errorf("reading %s: %v", name, err)
		}
		if _, _, err := sqlite.OpenWriter(t.Context(), path, writer(start)); !errors.Is(err, file.want) {
			t.Errorf("writing %s: %v", name, err)
		}
		if after := files(t, filepath.Dir(path)); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%s: %v became %v", name, before, after)
		}
	}
	if _, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{}); !errors.Is(err, store.ErrForeign) {
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
		if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); !errors.Is(err, store.ErrNewer) {
			t.Errorf("reading: %v", err)
		}
		if _, _, err := sqlite.OpenWriter(t.Context(), path, writer(start)); !errors.Is(err, store.ErrNewer) {
			t.Errorf("writing: %v", err)
		}
	}
}

func TestOlderStoresAreMigratedByWritersOnly(t *testing.T) {
	path := closedStore(t)
	takeBack(t, path, migrations.Version-1)
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); !errors.Is(err, store.ErrOlder) {
		t.Fatalf("reading: %v", err)
	}
	s := openStore(t, path, at(start))
	if n := count(t, s, `SELECT count(*) FROM changes`); n != 2 {
		t.Errorf("%d changes after migrating", n)
	}
}

// takeBack undoes the migrations that came after that one.
func takeBack(t testing.TB, path string, version int64) {
	t.Helper()
	db := second(t, path)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	// The numbers of later migrations were never given.
	execute(t, db, `UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM goose_db_version) WHERE name = 'goose_db_version'`)
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
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
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
	if _, err := sqlite.Open(t.Context(), bare, sqlite.Options{}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("reading: %v", err)
	}
	if _, _, err := sqlite.OpenWriter(t.Context(), bare, writer(start)); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("writing: %v", err)
	}
}

// TestClosingDoesNotWaitLongForReaders: there are some that never end.
func TestClosingDoesNotWaitLongForReaders(t *testing.T) {
	path := memoryPath(t)
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := second(t, path).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Rollback() // nothing to commit
	var n int
	if err := reader.QueryRow(`SELECT count(*) FROM response`).Scan(&n); err != nil {
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
