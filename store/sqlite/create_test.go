package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// TestAStoreThatCannotBeNamedLeavesNothing: it is made under another name first.
func TestAStoreThatCannotBeNamedLeavesNothing(t *testing.T) {
	dir := labFolder(t)
	refused := errors.New("refused")
	options := writer(start).WatchFolders(func(string, string) error { return refused }, sqlite.SyncDir)
	if _, _, err := sqlite.OpenWriter(t.Context(), filepath.Join(dir, "store.db"), options); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	for name := range files(t, dir) {
		if name != "store.db.lock" {
			t.Errorf("%s is left behind", name)
		}
	}
}

// TestAJournalWithoutItsStore is kept, and no store is made beside it: SQLite would play
// it into that. An empty one means nothing.
func TestAJournalWithoutItsStore(t *testing.T) {
	for _, ending := range []string{"-wal", "-journal"} {
		path := memoryPath(t)
		if err := os.WriteFile(path+ending, []byte("pages"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
		if !errors.Is(err, store.ErrJournal) || !strings.Contains(err.Error(), path+ending) {
			t.Errorf("%s: %v", ending, err)
		}
		if body, err := os.ReadFile(path + ending); err != nil || string(body) != "pages" {
			t.Errorf("%s became %q, %v", ending, body, err)
		}
		if err := os.Truncate(path+ending, 0); err != nil {
			t.Fatal(err)
		}
		s, created, err := sqlite.OpenWriter(t.Context(), path, writer(start))
		if err != nil || !created {
			t.Fatalf("an empty %s: created %t, %v", ending, created, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
