// Package engines is the table of all engines that keep a store, for tests that must hold
// for each of them.
package engines

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
	"github.com/lobstrail/lobstrail/store/relational"
	"github.com/lobstrail/lobstrail/store/sqlite"
	"github.com/lobstrail/lobstrail/store/sqlite/sqlitetest"
)

// Engine keeps stores.
type Engine struct {
	Name string
	// Place is the place of an empty store for one test: a path, or a URL. It skips the test
	// where the engine cannot run; see package postgrestest.
	Place func(t testing.TB, rules store.Rules) string
	// Open and OpenWriter open the store at a place.
	Open       func(ctx context.Context, place string, o Options) (store.Store, error)
	OpenWriter func(ctx context.Context, place string, o Options) (store.Store, error)
}

// Options say how a store is opened.
type Options struct {
	Now      func() time.Time // nil: time.Now
	Rules    store.Rules
	LockWait time.Duration
	Marks    *relational.Marks // of a writer; nil: those of this process
}

// All are all engines.
var All = []Engine{
	{"sqlite", laidFile,
		func(ctx context.Context, path string, o Options) (store.Store, error) {
			return sqlite.Open(ctx, path, sqlite.Options{Now: o.Now, Rules: o.Rules})
		},
		func(ctx context.Context, path string, o Options) (store.Store, error) {
			s, _, err := sqlite.OpenWriter(ctx, path, sqlite.Options{Now: o.Now, Rules: o.Rules, LockWait: o.LockWait})
			if err == nil && o.Marks != nil {
				s.Marks = *o.Marks
			}
			return s, err
		},
	},
	{"postgres", freshDatabase,
		func(ctx context.Context, url string, o Options) (store.Store, error) {
			return postgres.Open(ctx, url, postgres.Options{Now: o.Now, Rules: o.Rules})
		},
		func(ctx context.Context, url string, o Options) (store.Store, error) {
			s, _, err := postgres.OpenWriter(ctx, url, postgres.Options{Now: o.Now, Rules: o.Rules, LockWait: o.LockWait})
			if err == nil && o.Marks != nil {
				s.Marks = *o.Marks
			}
			return s, err
		},
	},
}

// Each runs a test for each engine.
func Each(t *testing.T, test func(t *testing.T, e Engine)) {
	for _, e := range All {
		t.Run(e.Name, func(t *testing.T) { test(t, e) })
	}
}

// New is an empty store that is open for writing until the test ends.
func (e Engine) New(t testing.TB, o Options) store.Store {
	t.Helper()
	return e.Writer(t, e.Place(t, o.Rules), o)
}

// Writer opens the store at the place for writing until the test ends.
func (e Engine) Writer(t testing.TB, place string, o Options) store.Store {
	t.Helper()
	s, err := e.OpenWriter(t.Context(), place, o)
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

// laidFile is the path of a file, in memory where the system has a folder there.
func laidFile(t testing.TB, rules store.Rules) string {
	t.Helper()
	dir := ""
	if _, err := os.Stat("/dev/shm"); err == nil {
		dir = "/dev/shm"
	}
	dir, err := os.MkdirTemp(dir, "lobstrail-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "store.db")
	sqlitetest.LayEmpty(t, path, rules)
	return path
}

func freshDatabase(t testing.TB, rules store.Rules) string {
	t.Helper()
	return postgrestest.Fresh(t, func(url string) error {
		s, _, err := postgres.OpenWriter(context.Background(), url, postgres.Options{Rules: rules})
		if err != nil {
			return err
		}
		if err := s.Close(); err != nil {
			return err
		}
		db, err := sql.Open("pgx", url)
		if err != nil {
			return err
		}
		defer db.Close()            // nothing was written
		_, err = db.Exec("ANALYZE") // once, and not by each test when it closes its store
		return err
	})
}
