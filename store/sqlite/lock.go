package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"

	"github.com/gofrs/flock"
)

// lockPath is the file whose lock makes a process the writer. The kernel drops
// the lock when the process dies; the file stays, because removing it while
// another process waits for it would let two in.
func lockPath(path string) string { return path + ".lock" }

// takeLock waits up to wait for the writer's lock. It returns a *store.BusyError that
// names the holder if it could not get it. now is asked once the lock is taken.
func takeLock(ctx context.Context, path string, wait time.Duration, now func() time.Time) (*flock.Flock, error) {
	lock := flock.New(lockPath(path), flock.SetPermissions(0o600))
	switch locked, err := waitForLock(ctx, lock.TryLock, wait); {
	case err != nil:
		return nil, errors.Join(err, lock.Close())
	case !locked:
		return nil, holder(path)
	}
	if err := signLock(path, now()); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

func waitForLock(ctx context.Context, try func() (bool, error), wait time.Duration) (bool, error) {
	return relational.WaitFor(ctx, wait, 40*time.Millisecond, time.Millisecond, try)
}

// signLock writes who holds the lock since when, for the messages of those who wait.
func signLock(path string, since time.Time) error {
	return os.WriteFile(lockPath(path), fmt.Appendf(nil, "%d\n%d\n", os.Getpid(), since.UnixMilli()), 0o600)
}

// lastMS is the end of the year 9999. A later instant is not one that we wrote.
const lastMS = 253402300799999

// holder reads who holds the lock. If the file does not say it, the error has no
// process.
func holder(path string) *store.BusyError {
	f, err := os.Open(lockPath(path))
	if err != nil {
		return &store.BusyError{}
	}
	defer f.Close()
	var pid int
	var sinceMS int64
	if n, _ := fmt.Fscan(bufio.NewReader(f), &pid, &sinceMS); n < 2 || pid <= 0 || sinceMS <= 0 || sinceMS > lastMS {
		return &store.BusyError{}
	}
	return &store.BusyError{PID: pid, Since: time.UnixMilli(sinceMS).UTC()}
}

// writerLives reports whether some process holds the writer's lock. A run that
// is marked as running without one was interrupted.
func writerLives(path string) (bool, error) {
	if _, err := os.Stat(lockPath(path)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	lock := flock.New(lockPath(path), flock.SetFlag(os.O_RDONLY))
	defer lock.Close()
	free, err := lock.TryRLock()
	return !free, err
}

// A file without a journal (see hasNoJournal) is read as it is, without SQLite's
// locks, so nobody may write to it meanwhile. Readers hold a shared lock on the file
// itself. A writer waits for that lock before it puts the file into WAL mode; from
// then on there is a journal, and everybody uses SQLite's locks. (flock(2) and
// SQLite's fcntl(2) locks do not exclude each other. Windows has one kind of lock
// only: there the file is read through SQLite's locks, which leaves a journal.)

// shareFile takes the lock under which a file without a journal is read. It returns
// nil if there is a journal, or the file cannot be locked.
func shareFile(path string) *flock.Flock {
	if runtime.GOOS == "windows" || !hasNoJournal(path) {
		return nil
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	if shared, err := lock.TryRLock(); err != nil || !shared || !hasNoJournal(path) {
		lock.Close() // nothing to do about it: the file is read the usual way
		return nil
	}
	return lock
}

// claimFile waits until nobody reads the file without its journal. The caller releases
// it when there is a journal.
func claimFile(ctx context.Context, path string, wait time.Duration) (release func() error, err error) {
	if runtime.GOOS == "windows" || !hasNoJournal(path) {
		return func() error { return nil }, nil
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	locked, err := waitForLock(ctx, lock.TryLock, wait)
	switch {
	case ctx.Err() != nil:
		return nil, errors.Join(err, lock.Close())
	case err != nil: // no such locks here (a network file system): as without readers
		return func() error { return nil }, lock.Close()
	case !locked:
		return nil, errors.Join(&store.BusyError{}, lock.Close())
	}
	return lock.Close, nil
}
