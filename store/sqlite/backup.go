package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"
)

// BackupOptions say what happens to files that have the name of the backup.
type BackupOptions struct {
	// Keep is how many backups there are to be with the new one: what is there
	// becomes FILE.1, that one FILE.2, and so on, and the oldest goes. Each must be a
	// backup of this store. 0: none, the place must be free.
	Keep int
	// Force lets the backup take the place of any file.
	Force bool
	// LockWait is how long to wait for another backup to the same place, and for
	// whoever uses what is there as a store.
	LockWait time.Duration
	// Progress, unless nil, is called with the bytes copied so far and those there
	// are.
	Progress func(done, total int64)
	// Checking, unless nil, is called with how much of the copy has been checked, in
	// responses.
	Checking func(done, total int64)
}

// Backup makes a copy of the store as it is at one moment, whoever writes to it
// meanwhile. It is made beside its place, verified, and renamed: what has the name
// of a backup is a whole one, whenever the process dies or the power fails. What a
// dead process left behind is removed by the next backup to the same place. The
// store must have been opened with rules: see [Store.Verify].
//
// A symbolic link at the place is followed: the backup, and the older ones, are where
// it leads to.
//
// It returns an error that matches fs.ErrExist when there is something at the
// place that may not be touched, ErrDamaged when the copy is not what was stored,
// ErrFull, and ErrBusy.
func (s *Store) Backup(ctx context.Context, path string, o BackupOptions) (b store.Backup, err error) {
	to, err := resolve(path)
	if err != nil {
		return b, relational.Place(path, err)
	}
	lock, err := takeLock(ctx, to, o.LockWait, s.db.now) // as a writer of the store that may be there
	if err != nil {
		return b, relational.Place(path, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	rotation, err := s.planRotation(ctx, to, o)
	if err != nil {
		return b, err
	}
	fresh := to + ".new"
	if err := removeCopy(fresh); err != nil { // of a process that died here
		return b, err
	}
	b = store.Backup{Path: path, Kept: rotation.kept, Removed: len(rotation.surplus)}
	if b.Trees, b.Bytes, err = s.copyAndCheck(ctx, fresh, o); err == nil {
		err = rotation.put(s.db.folders, fresh, to)
	}
	if err != nil {
		return store.Backup{}, errors.Join(fmt.Errorf("backup %s: %w", path, err), removeCopy(fresh))
	}
	return b, nil
}

// removeCopy removes what there is of a backup in the making.
func removeCopy(fresh string) error {
	return removeAll(fresh, fresh+"-journal", fresh+"-wal", fresh+"-shm")
}
