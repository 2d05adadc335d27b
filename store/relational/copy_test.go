package relational_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
	"github.com/lobstrail/lobstrail/store/sqlite"
	"github.com/lobstrail/lobstrail/store/storetest"
)

func init() {
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "5s"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
}

// engine is a kind of store: place is where a new one goes, a path or an address.
type engine struct {
	place func(t testing.TB) string
	read  func(t testing.TB, place string) (store.Store, error)
	write func(t testing.TB, place string, now func() time.Time) (store.Store, error)
}

// engines are all kinds of stores. Those for which there is no server skip the test.
var engines = map[string]engine{
	"file": {
		place: filePlace,
		read: func(t testing.TB, place string) (store.Store, error) {
			return sqlite.Open(t.Context(), place, sqlite.Options{Rules: report.Rules()})
		},
		write: func(t testing.TB, place string, now func() time.Time) (store.Store, error) {
			s, _, err := sqlite.OpenWriter(t.Context(), place, sqlite.Options{Rules: report.Rules(), Now: now, Mirror: true})
			return s, err
		},
	},
	"postgres": {
		place: func(t testing.TB) string { return postgrestest.Database(t) },
		read: func(t testing.TB, place string) (store.Store, error) {
			return postgres.Open(t.Context(), place, postgres.Options{Rules: report.Rules()})
		},
		write: func(t testing.TB, place string, now func() time.Time) (store.Store, error) {
			s, _, err := postgres.OpenWriter(t.Context(), place, postgres.Options{Rules: report.Rules(), Now: now, Mirror: true})
			return s, err
		},
	},
}

// filePlace is in memory where the machine has such a place: these tests are not about the
// disk.
func filePlace(t testing.TB) string {
	t.Helper()
	if _, err := os.Stat("/dev/shm"); err != nil {
		return filepath.Join(t.TempDir(), "store.db")
	}
	dir, err := os.MkdirTemp("/dev/shm", "lobstrail-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "store.db")
}

// open opens a store for writing until the test ends.
func (e engine) open(t testing.TB, now func() time.Time) store.Store {
	t.Helper()
	s, err := e.write(t, e.place(t), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// pairs runs a test for each source and each target.
func pairs(t *testing.T, fn func(t *testing.T, from, to engine)) {
	for fromName, from := range engines {
		for toName, to := range engines {
			t.Run(fromName+" to "+toName, func(t *testing.T) { fn(t, from, to) })
		}
	}
}

var long = flag.Bool("long", false, "copy many more random histories, and kill more often")

// TestCopiesAreTheirSources: between every two engines, and from one to the same.
func TestCopiesAreTheirSources(t *testing.T) {
	checks := "2"
	switch {
	case *long:
		checks = "25"
	case testing.Short():
		checks = "10" // of which rapid tries a fifth
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		t.Fatal(err)
	}
	pairs(t, func(t *testing.T, from, to engine) { storetest.CopiesBetween(t, from.open, to.open) })
}

// TestSameStore: a store is not copied onto itself, however it is reached.
func TestSameStore(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			place := e.filled(t, 1)
			if _, err := copyOf(t, e, e, place, place, store.CopyOptions{}); !errors.Is(err, store.ErrSame) {
				t.Error(err)
			}
			other := e.filled(t, 1)
			if _, err := copyOf(t, e, e, place, other, store.CopyOptions{}); !errors.Is(err, store.ErrDiverged) {
				t.Errorf("another store: %v", err)
			}
		})
	}
}
