package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// TestABackupIsOfOneMoment: what is written between two of its steps is not in it,
// and it is no other for it.
func TestABackupIsOfOneMoment(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	take(t, s, start.Add(-time.Hour), accountObject(`,"note":"`+strings.Repeat("long ", 1<<20)+`"`)) // several steps
	snapshots(t, s, 0, 3, func(*sqlite.Store) {})
	want, err := evidence(s)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := s.Tree(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	path, written := memoryPath(t), 0
	b, err := s.Backup(t.Context(), path, sqlite.BackupOptions{Progress: func(done, total int64) {
		if done < 0 || done > total {
			t.Errorf("%d of %d", done, total)
		}
		if written == 0 {
			snapshots(t, s, 3, 3, func(*sqlite.Store) {})
		}
		written++
	}})
	if err != nil || b.Trees["default"] != tree || written < 3 {
		t.Fatalf("%+v, %v, want the tree %v", b, err, tree)
	}
	// A reader, then a writer that goes on with it, as with the store.
	copied, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := evidence(copied); err != nil || got != want {
		t.Errorf("%v: the backup has\n%s\nwant\n%s", err, got, want)
	}
	if err := copied.Close(); err != nil {
		t.Fatal(err)
	}
	restored := openStore(t, path, at(start))
	if err := sound(restored); err != nil {
		t.Error(err)
	}
	snapshots(t, restored, 7, 1, func(*sqlite.Store) {})
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestABackupThatIsStopped(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	snapshots(t, s, 0, 3, func(*sqlite.Store) {})
	path := memoryPath(t)
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := s.Backup(ctx, path, sqlite.BackupOptions{Checking: func(int64, int64) { cancel(stopped) }})
	if !errors.Is(err, stopped) && !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if names := files(t, filepath.Dir(path)); len(names) != 1 { // the lock
		t.Errorf("left behind: %v", names)
	}
	if _, err := s.Backup(t.Context(), path, sqlite.BackupOptions{}); err != nil {
		t.Error(err)
	}
}

// TestABackupWaitsForItsPlace: who writes to the store that is there is not
// disturbed.
func TestABackupWaitsForItsPlace(t *testing.T) {
	s, there := openStore(t, memoryPath(t), at(start)), memoryPath(t)
	openStore(t, there, at(start))
	_, err := s.Backup(t.Context(), there, sqlite.BackupOptions{Force: true, LockWait: time.Millisecond})
	if !errors.Is(err, store.ErrBusy) {
		t.Errorf("%v", err)
	}
}

// TestBackupsOfAnOlderLobstrail are this store's all the same.
func TestBackupsOfAnOlderLobstrail(t *testing.T) {
	s, path := openStore(t, memoryPath(t), at(start)), memoryPath(t)
	if _, err := s.Backup(t.Context(), path, sqlite.BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	db := second(t, path)
	if _, err := db.Exec(`PRAGMA journal_mode = DELETE; DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); !errors.Is(err, store.ErrOlder) {
		t.Fatalf("not an older one: %v", err)
	}
	if b, err := s.Backup(t.Context(), path, sqlite.BackupOptions{Keep: 2}); err != nil || len(b.Kept) != 1 {
		t.Errorf("%+v, %v", b, err)
	}
	if _, err := s.Backup(t.Context(), path, sqlite.BackupOptions{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v", err)
	}
}
