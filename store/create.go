package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jmoiron/sqlx"

	"github.com/lobstrail/lobstrail/migrations"
)

// create makes an empty store unless there is one. It is made beside its place
// and renamed, so that nobody ever sees half of it and a process killed meanwhile
// leaves nothing that looks like a store. The caller holds the writer's lock.
func create(ctx context.Context, path string) (created bool, err error) {
	if err := checkFile(path); !errors.Is(err, ErrNoStore) {
		return false, err
	}
	fresh := path + ".new"
	for _, leftover := range []string{fresh, fresh + "-journal"} { // of a process that died here
		if err := os.Remove(leftover); err != nil && !errors.Is(err, os.ErrNotExist) {
			return false, err
		}
	}
	if err := makeEmpty(ctx, fresh); err != nil {
		return false, errors.Join(interpret(err), os.Remove(fresh))
	}
	if err := os.Rename(fresh, path); err != nil {
		return false, err
	}
	return true, syncDir(filepath.Dir(path))
}

// makeEmpty makes a store without rows, readable by its owner only. SQLite gives
// its journals the mode of the database.
func makeEmpty(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	address, err := dsn(path, "rw", "synchronous(FULL)")
	if err != nil {
		return err
	}
	db, err := sqlx.ConnectContext(ctx, "sqlite", address)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", migrations.ApplicationID))
	if err == nil {
		err = migrate(ctx, db)
	}
	return errors.Join(err, db.Close())
}

// syncDir makes a rename in the folder survive power loss. Where folders cannot
// be synced (Windows), the file system sees to it.
func syncDir(dir string) error {
	d, err := os.Open(dir)
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
