package postgres

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	migrations "github.com/lobstrail/lobstrail/migrations/postgres"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	s := open(t, postgrestest.Database(t))
	ctx := t.Context()
	if err := s.checkSchema(ctx, current); !errors.Is(err, store.ErrNoStore) {
		t.Errorf("an empty database is read: %v", err)
	}
	if _, err := s.migrate(ctx, current, true); !errors.Is(err, store.ErrNoStore) {
		t.Errorf("an empty database that must have a store: %v", err)
	}
	older := schema{files: upTo(t, 2), version: 2}
	if created, err := s.migrate(ctx, older, false); err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	if err := s.checkSchema(ctx, current); !errors.Is(err, store.ErrOlder) {
		t.Errorf("a store of before is read: %v", err)
	}
	for range 2 {
		if created, err := s.migrate(ctx, current, true); err != nil || created {
			t.Fatalf("a store of before: created %v, %v", created, err)
		}
	}
	if err := s.checkSchema(ctx, current); err != nil {
		t.Error(err)
	}
	if err := s.checkSchema(ctx, older); !errors.Is(err, store.ErrNewer) || !strings.Contains(err.Error(), s.name) {
		t.Errorf("a newer store is read: %v", err)
	}
	if _, err := s.migrate(ctx, older, false); !errors.Is(err, store.ErrNewer) {
		t.Errorf("a newer store is written: %v", err)
	}
	acquired(t, s, 1) // the table of the leases is what this package needs
}

// upTo is the first migrations only.
func upTo(t *testing.T, version int) fs.FS {
	t.Helper()
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, name := range names[:version] {
		text, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	return files
}

// TestMigrateAtOnce: of several processes that find no store, one makes it.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	address := postgrestest.Database(t)
	var all sync.WaitGroup
	for range 3 {
		s := open(t, address)
		all.Go(func() {
			if _, err := s.migrate(t.Context(), current, false); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := open(t, address).checkSchema(t.Context(), current); err != nil {
		t.Error(err)
	}
}

// TestInterruptedMigration goes on where it was, also in the middle of a file.
func TestInterruptedMigration(t *testing.T) {
	t.Parallel()
	s := open(t, postgrestest.Database(t))
	text, err := fs.ReadFile(migrations.FS, "00001_evidence.sql")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), "-- +goose Down")
	half := strings.LastIndex(head, "CREATE TABLE")
	broken := fstest.MapFS{"00001_evidence.sql": {Data: []byte(head[:half] + "SELECT wrong;\n\n-- +goose Down\n")}}
	if _, err := s.migrate(t.Context(), schema{files: broken, version: 1}, false); !errors.Is(err, store.ErrStatement) {
		t.Fatalf("the broken migration: %v", err)
	}
	if err := s.checkSchema(t.Context(), current); !errors.Is(err, store.ErrNoStore) {
		t.Errorf("half a store is read: %v", err)
	}
	if created, err := s.migrate(t.Context(), current, false); err != nil || !created {
		t.Errorf("created %v, %v", created, err)
	}
}

// TestMigrationThatIsCutAtItsEnd succeeds, or says that the connection was lost, whatever
// answer was the last one that did not arrive.
func TestMigrationThatIsCutAtItsEnd(t *testing.T) {
	t.Parallel()
	count := postgrestest.NewProxy(t, postgrestest.Database(t))
	if _, err := open(t, count.URL()).migrate(t.Context(), current, false); err != nil {
		t.Fatal(err)
	}
	for back := range 3 {
		proxy := postgrestest.NewProxy(t, postgrestest.Database(t))
		s := open(t, proxy.URL())
		proxy.CutAfter(count.Messages() - proxy.Messages() - back)
		if _, err := s.migrate(t.Context(), current, false); err != nil && !errors.Is(err, store.ErrUnreachable) {
			t.Errorf("%d messages before the end: %v", back, err)
		}
		if proxy.Planned() {
			t.Errorf("%d messages before the end: nothing was cut", back)
		}
		if err := s.checkSchema(t.Context(), current); err != nil {
			t.Errorf("%d messages before the end: %v", back, err)
		}
	}
}

// TestForeignDatabases are left as they are.
func TestForeignDatabases(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		"tables":            {`CREATE TABLE account (id integer)`},
		"a view":            {`CREATE VIEW runs AS SELECT 1 AS x`},
		"another goose":     {`CREATE TABLE goose_db_version (version_id bigint, is_applied boolean)`, `INSERT INTO goose_db_version VALUES (3, true)`},
		"the same versions": {`CREATE TABLE goose_db_version (version_id bigint, is_applied boolean)`, `INSERT INTO goose_db_version VALUES (5, true)`},
	} {
		s := open(t, postgrestest.Database(t))
		must(t, s, statements...)
		var before, after int
		const objects = `SELECT count(*) FROM pg_class`
		if err := s.Get(&before, objects); err != nil {
			t.Fatal(err)
		}
		if err := s.checkSchema(t.Context(), current); !errors.Is(err, store.ErrForeign) {
			t.Errorf("%s, and reading: %v", name, err)
		}
		_, err := s.migrate(t.Context(), current, false)
		if err2 := s.Get(&after, objects); !errors.Is(err, store.ErrForeign) || err2 != nil || before != after {
			t.Errorf("%s: %v, %d objects became %d", name, err, before, after)
		}
	}
	s := open(t, postgrestest.Database(t))
	must(t, s, `CREATE SCHEMA other`, `CREATE TABLE other.account (id integer)`)
	if _, err := s.migrate(t.Context(), current, false); err != nil {
		t.Errorf("tables in another schema: %v", err)
	}
}

// TestUnreleasedStores are refused by readers and writers, and left as they are.
func TestUnreleasedStores(t *testing.T) {
	t.Parallel()
	s := open(t, postgrestest.Database(t))
	if _, err := s.migrate(t.Context(), current, false); err != nil {
		t.Fatal(err)
	}
	must(t, s, `CREATE INDEX change_account ON change (ws, account, at)`)
	if _, err := s.migrate(t.Context(), current, false); !errors.Is(err, store.ErrUnreleased) {
		t.Errorf("a writer: %v", err)
	}
	if err := s.checkSchema(t.Context(), current); !errors.Is(err, store.ErrUnreleased) {
		t.Errorf("a reader: %v", err)
	}
}

// TestDatabasesThatCannotHoldAStore are refused before anything is made in them.
func TestDatabasesThatCannotHoldAStore(t *testing.T) {
	address := direct(t)
	admin := open(t, address)
	latin := admin.config.Database + "_latin"
	must(t, admin, "CREATE DATABASE "+latin+" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
	t.Cleanup(func() { must(t, admin, "DROP DATABASE "+latin+" WITH (FORCE)") })
	for name, c := range map[string]struct {
		address string
		kind    error
		next    string
	}{
		"another encoding": {with(t, address, func(u *url.URL, _ url.Values) { u.Path = "/" + latin }), store.ErrInvalid, "-E UTF8"},
		"no schema":        {parameter(t, address, "search_path", "no_such"), store.ErrInvalid, "CREATE SCHEMA"},
		"no right":         {role(t, admin, address, "poor", "LOGIN"), store.ErrRights, "GRANT USAGE, CREATE ON SCHEMA public TO"},
		"only for reading": {parameter(t, address, "options", "-c default_transaction_read_only=on"), store.ErrReadOnly, "target_session_attrs=read-write"},
	} {
		_, err := open(t, c.address).migrate(t.Context(), current, false)
		var problem *store.ServerError
		if !errors.As(err, &problem) || !errors.Is(err, c.kind) || !contains(problem.Next, c.next) {
			t.Errorf("%s: %v (%+v)", name, err, problem)
		}
	}
}
