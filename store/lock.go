package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/gofrs/flock"
)

// pause is how long to wait between two tries to take the lock, after waiting for
// so long already. Who has waited longest tries most often and so, nearly always,
// comes first: at even pauses it would be a lottery, in which some wait many times
// as long as others.
func pause(waited time.Duration) time.Duration {
	const first, shortest, halved = 40 * time.Millisecond, time.Millisecond, 500 * time.Millisecond
	return max(shortest, time.Duration(float64(first)/(1+float64(waited)/float64(halved))))
}

// lockPath is the file whose lock makes a process the writer. The kernel drops
// the lock when the process dies; the file stays, because removing it while
// another process waits for it would let two in.
func lockPath(path string) string { return path + ".lock" }

// takeLock waits up to wait for the writer's lock. It returns a *BusyError that
// names the holder if it could not get it.
func takeLock(ctx context.Context, path string, wait time.Duration, now func() time.Time) (*flock.Flock, error) {
	lock := flock.New(lockPath(path), flock.SetPermissions(0o600))
	switch locked, err := waitFor(ctx, lock, wait); {
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

// waitFor tries to take the lock for as long as it may wait. The cause is
// returned when ctx is done.
func waitFor(ctx context.Context, lock *flock.Flock, wait time.Duration) (locked bool, err error) {
	for begun := time.Now(); ; {
		if locked, err = lock.TryLock(); locked || err != nil {
			return locked, err
		}
		waited := time.Since(begun)
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if waited >= wait {
			return false, nil
		}
		select {
		case <-time.After(min(pause(waited), wait-waited)):
		case <-ctx.Done():
		}
	}
}

// signLock writes who holds the lock since when, for the messages of those who wait.
func signLock(path string, since time.Time) error {
	return os.WriteFile(lockPath(path), fmt.Appendf(nil, "%d\n%d\n", os.Getpid(), since.UnixMilli()), 0o600)
}

// lastMS is the end of the year 9999: what is later, nobody wrote.
const lastMS = 253402300799999

// holder reads who holds the lock. What makes no sense is left out.
func holder(path string) *BusyError {
	f, err := os.Open(lockPath(path))
	if err != nil {
		return &BusyError{}
	}
	defer f.Close()
	var pid int
	var sinceMS int64
	if n, _ := fmt.Fscan(bufio.NewReader(f), &pid, &sinceMS); n < 2 || pid <= 0 || sinceMS <= 0 || sinceMS > lastMS {
		return &BusyError{}
	}
	return &BusyError{PID: pid, Since: time.UnixMilli(sinceMS).UTC()}
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

// A bare file (see untouched) is read as it is, without SQLite's locks, and so
// must not be written to meanwhile. Readers hold a shared lock on the file
// itself, which a writer waits for before it puts the file into WAL mode. From
// then on there is a journal, and everybody uses SQLite's locks. (flock(2) and
// SQLite's fcntl(2) locks do not meet. Windows has one kind of lock only: there
// a bare file is read through SQLite's locks, which leaves a journal beside it.)

// shareBare answers the lock under which a bare file is read; nil when the file
// is none, or cannot be locked.
func shareBare(path string) *flock.Flock {
	if runtime.GOOS == "windows" || !untouched(path) {
		return nil
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	if shared, err := lock.TryRLock(); err != nil || !shared || !untouched(path) {
		lock.Close() // nothing to do about it: the file is read the usual way
		return nil
	}
	return lock
}

// claimBare waits until nobody reads the file as a bare one. The release comes
// when there is a journal.
func claimBare(ctx context.Context, path string, wait time.Duration) (release func() error, err error) {
	if runtime.GOOS == "windows" || !untouched(path) {
		return func() error { return nil }, nil
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	locked, err := waitFor(ctx, lock, wait)
	switch {
	case ctx.Err() != nil:
		return nil, errors.Join(err, lock.Close())
	case err != nil: // no such locks here (a network file system): as without readers
		return func() error { return nil }, lock.Close()
	case !locked:
		return nil, errors.Join(&BusyError{}, lock.Close())
	}
	return lock.Close, nil
}
