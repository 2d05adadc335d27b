package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// lockRetry is the pause between two tries to take the lock.
const lockRetry = 20 * time.Millisecond

// lockPath is the file whose lock makes a process the writer. The kernel drops
// the lock when the process dies; the file stays, because removing it while
// another process waits for it would let two in.
func lockPath(path string) string { return path + ".lock" }

// takeLock waits up to wait for the writer's lock. It returns a *BusyError that
// names the holder when it could not be had.
func takeLock(ctx context.Context, path string, wait time.Duration, now time.Time) (*flock.Flock, error) {
	lock := flock.New(lockPath(path), flock.SetPermissions(0o600))
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	locked, err := lock.TryLock()
	if err == nil && !locked {
		locked, err = lock.TryLockContext(waiting, lockRetry)
	}
	switch {
	case ctx.Err() != nil:
		return nil, errors.Join(context.Cause(ctx), lock.Close())
	case errors.Is(err, context.DeadlineExceeded), err == nil && !locked:
		return nil, holder(path)
	case err != nil:
		return nil, err
	}
	if err := signLock(path, now); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// signLock writes who holds the lock, for the messages of those who wait.
func signLock(path string, now time.Time) error {
	return os.WriteFile(lockPath(path), fmt.Appendf(nil, "%d\n%d\n", os.Getpid(), now.UnixMilli()), 0o600)
}

// holder reads who holds the lock. What cannot be read is left out.
func holder(path string) *BusyError {
	f, err := os.Open(lockPath(path))
	if err != nil {
		return &BusyError{}
	}
	defer f.Close()
	var pid int
	var sinceMS int64
	if n, _ := fmt.Fscan(bufio.NewReader(f), &pid, &sinceMS); n < 2 {
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
