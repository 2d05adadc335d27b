package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// TestBackupsMakeRoom for the next one, the oldest goes, and no other file is moved.
func TestBackupsMakeRoom(t *testing.T) {
	s, path := openStore(t, memoryPath(t), at(start)), memoryPath(t)
	for round := range 4 {
		take(t, s, start.Add(time.Duration(round)*time.Hour), accountObject(``))
		if _, err := s.Backup(t.Context(), path, sqlite.BackupOptions{Keep: 3}); err != nil {
			t.Fatal(err)
		}
	}
	for name, snapshots := range map[string]int64{path: 4, path + ".1": 3, path + ".2": 2} {
		kept, err := sqlite.Open(t.Context(), name, sqlite.Options{Rules: report.Rules()})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, kept, `SELECT count(*) FROM snapshots`); n != snapshots {
			t.Errorf("%s has %d snapshots, want %d", name, n, snapshots)
		}
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(path + ".3"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the oldest is still there: %v", err)
	}
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
