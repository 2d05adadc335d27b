package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store/sqlite"
	"github.com/lobstrail/lobstrail/store/sqlite/sqlitetest"
)

// start is when the histories of these tests begin.
var start = time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)

// memoryPath is a place for a store that is held in memory where the machine has
// such a place: these tests are not about the disk, whose syncs would be nearly
// all of their time.
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

// openStore opens a store for writing until the test ends. One that is missing in a
// folder that is there is not made, but laid.
func openStore(t testing.TB, path string, now func() time.Time) *sqlite.Store {
	t.Helper()
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		sqlitetest.LayEmpty(t, path, report.Rules())
	}
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

func ceilMS(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// fewer is how often something is repeated: less often in the short mode, which is
// for the race detector, to which repetition brings nothing.
func fewer(often, short int) int {
	if brief() {
		return short
	}
	return often
}

// rows is the answer to a query as text.
func rows(s *sqlite.Store, query string) (string, error) {
	var text strings.Builder
	err := s.Query(context.Background(), query, func([]string) error { return nil }, func(row []any) error {
		_, err := fmt.Fprintln(&text, row...)
		return err
	})
	return text.String(), err
}

// brief reports whether what only repeats is done less often: all of it is with -long.
func brief() bool { return testing.Short() || !*long }
