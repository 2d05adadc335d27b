package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lobstrail/lobstrail/store"

	"github.com/jmoiron/sqlx"

	migrations "github.com/lobstrail/lobstrail/migrations/sqlite"
)

// create makes an empty store unless there is one. It is made beside its place
// and renamed, so that nobody ever sees half of it and a process killed meanwhile
// leaves nothing that looks like a store. The caller holds the writer's lock.
func (f folders) create(ctx context.Context, path string) (created bool, err error) {
	if err := checkFile(path); !errors.Is(err, store.ErrNoStore) {
		return false, err
	}
	if err := clearJournals(path); err != nil {
		return false, err
	}
	fresh := path + ".new"
	if err := removeFresh(fresh); err != nil { // of a process that died here
		return false, err
	}
	if err := makeEmpty(ctx, fresh); err != nil {
		return false, errors.Join(interpret(err), removeFresh(fresh))
	}
	if err := f.rename(fresh, path); err != nil {
		return false, errors.Join(err, removeFresh(fresh))
	}
	return true, f.sync(filepath.Dir(path))
}

// clearJournals removes the empty journals of a store that is not there any more.
// It returns ErrJournal when one is not empty: SQLite would play it into the new
// store.
func clearJournals(path string) error {
	for _, ending := range []string{"-wal", "-journal"} {
		switch info, err := os.Stat(path + ending); {
		case err == nil && info.Size() > 0:
			return fmt.Errorf("%w: %s", store.ErrJournal, path+ending)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	return removeAll(path+"-wal", path+"-journal", path+"-shm")
}

// removeFresh removes what there is of a store in the making.
func removeFresh(fresh string) error { return removeAll(fresh, fresh+"-journal") }

// removeAll removes those of the files that are there.
func removeAll(paths ...string) error {
	var errs []error
	for _, path := range paths {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// folders is what is done to folders without SQLite, and what power loss could undo.
type folders struct {
	rename func(from, to string) error
	sync   func(dir string) error
}

// system does it.
var system = folders{os.Rename, SyncDir}

// makeEmpty makes a store without rows, readable by its owner only. SQLite gives
// its journals the mode of the database.
func makeEmpty(ctx context.Context, path string) error {
	if err := touch(path); err != nil {
		return err
	}
	// Nothing needs to last before all is there: the last transaction syncs the file.
	address, err := dsn(path, "rw", "synchronous(OFF)")
	if err != nil {
		return err
	}
	db, err := sqlx.ConnectContext(ctx, "sqlite", address)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	err = migrate(ctx, db)
	if err == nil {
		_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA synchronous = FULL; PRAGMA application_id = %d", migrations.ApplicationID))
	}
	return errors.Join(err, db.Close())
}

// mkdir makes the folder and those above it that are missing. Each is entered in
// the one above it for good: what is synced in a folder is lost with the folder.
func (f folders) mkdir(dir string) error {
	var grown []string
	for below := filepath.Clean(dir); ; below = filepath.Dir(below) {
		if _, err := os.Stat(below); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		grown = append(grown, filepath.Dir(below))
	}
	err := os.MkdirAll(dir, 0o700)
	for _, parent := range grown {
		if err == nil {
			err = f.sync(parent)
		}
	}
	return err
}

// SyncDir makes what was named in the folder survive power loss. Where folders
// cannot be synced (Windows, or one that may not be read), the file system sees
// to it.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, os.ErrInvalid) &&
		!errors.Is(err, os.ErrPermission) {
		return err
	}
	return nil
}

// touch makes an empty file that was not there and that only its owner may read.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
