package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// TestBackupsMakeRoom for the next one: the oldest goes.
func TestBackupsMakeRoom(t *testing.T) {
	s, path := openStore(t, memoryPath(t), at(start)), memoryPath(t)
	for round := range int64(4) {
		take(t, s, start.Add(time.Duration(round)*time.Hour), accountObject(``))
		if _, err := s.Backup(t.Context(), path, sqlite.BackupOptions{Keep: 3}); err != nil {
			t.Fatal(err)
		}
		for n, name := range []string{path, path + ".1", path + ".2", path + ".3"} {
			snapshots := max(0, round+1-int64(n)) // of which the backup is
			if n == 3 {
				snapshots = 0
			}
			if got := snapshotsIn(t, name); got != snapshots {
				t.Errorf("round %d: %s has %d snapshots, want %d", round, name, got, snapshots)
			}
		}
	}
}

// snapshotsIn is how many snapshots a store has; 0: there is none.
func snapshotsIn(t *testing.T, path string) int64 {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if errors.Is(err, store.ErrNoStore) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return count(t, s, `SELECT count(*) FROM snapshots`)
}

// TestBackupsMoveNothingElse: not the store itself, no folder, and, unless forced, nothing
// that is not a backup of the store.
func TestBackupsMoveNothingElse(t *testing.T) {
	s, other, dir := openStore(t, memoryPath(t), at(start)), closedStore(t), labFolder(t)
	take(t, s, start, accountObject(``))
	folder, text := filepath.Join(dir, "folder"), filepath.Join(dir, "text")
	if err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(text, []byte("text"), 0o600)); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(filepath.Dir(s.Path()), "link.db")
	if err := os.Link(s.Path(), link); err != nil {
		t.Skip(err)
	}
	for _, place := range []struct {
		path   string
		forced bool
	}{{link, true}, {folder, true}, {text, false}, {other, false}} {
		_, err := s.Backup(t.Context(), place.path, sqlite.BackupOptions{Keep: 2, Force: place.forced})
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", place.path, err)
		}
		if _, err := os.Stat(place.path + ".1"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was moved", place.path)
		}
	}
}
