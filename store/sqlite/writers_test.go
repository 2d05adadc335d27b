package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

func TestASecondWriterWaitsOrNamesTheFirst(t *testing.T) {
	path := memoryPath(t)
	first, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = sqlite.OpenWriter(t.Context(), path, writer(start.Add(time.Hour)))
	var busy *store.BusyError
	if !errors.As(err, &busy) || !errors.Is(err, store.ErrBusy) || busy.PID != os.Getpid() || !busy.Since.Equal(start) {
		t.Fatalf("busy: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	patient := writer(start)
	patient.LockWait = time.Minute
	if _, _, err := sqlite.OpenWriter(cancelled, path, patient); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() { first.Close() })
	next, created, err := sqlite.OpenWriter(t.Context(), path, patient)
	if err != nil || created {
		t.Fatalf("after waiting: created %t, %v", created, err)
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
}

// TestBusySinceTheLockWasTaken, not since the writer began to wait for it.
func TestBusySinceTheLockWasTaken(t *testing.T) {
	path := memoryPath(t)
	var clock atomic.Int64
	now := func() time.Time { return start.Add(time.Duration(clock.Load())) }
	first, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() {
		clock.Store(int64(time.Hour))
		first.Close()
	})
	patient := writer(start)
	patient.Now, patient.LockWait = now, time.Minute
	second, _, err := sqlite.OpenWriter(t.Context(), path, patient)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	_, _, err = sqlite.OpenWriter(t.Context(), path, writer(start))
	if busy, ok := errors.AsType[*store.BusyError](err); !ok || !busy.Since.Equal(start.Add(time.Hour)) {
		t.Errorf("the lock was taken an hour later, and the error says: %v", err)
	}
}

// TestManyStartAtOnce: of writers that start at once on no store at all, each
// comes to its turn, and one has made the store.
func TestManyStartAtOnce(t *testing.T) {
	path := memoryPath(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 6 {
		all.Go(func() {
			patient := writer(start)
			patient.LockWait = time.Minute
			s, created, err := sqlite.OpenWriter(t.Context(), path, patient)
			if err != nil {
				t.Error(err)
				return
			}
			take(t, s, start, accountObject(``))
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if created {
				made++
			}
		})
	}
	all.Wait()
	if s := openStore(t, path, at(start)); made != 1 || count(t, s, `SELECT count(*) FROM snapshots`) != 6 {
		t.Errorf("%d writers made the store", made)
	}
}

// TestReadersSeeWhatIsCommitted while a writer writes: each response whole.
func TestReadersSeeWhatIsCommitted(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	take(t, s, start, accountObject(``))
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			r, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			for last := int64(0); ; {
				n := count(t, r, `SELECT count(*) FROM snapshots`)
				if m := count(t, r, `SELECT (SELECT count(*) FROM runs WHERE state <> 'running') - (SELECT count(*) FROM snapshots)`); n < last || m > 0 || m < -1 {
					t.Errorf("%d snapshots after %d, %d runs more", n, last, m)
				}
				last = n
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range 50 {
		take(t, s, start.Add(time.Duration(i)*time.Hour), accountObject(``))
	}
	close(done)
	readers.Wait()
}

// TestInterruptedRuns: a run whose writer is gone shows as interrupted at once,
// and is written so by the next writer.
func TestInterruptedRuns(t *testing.T) {
	path := memoryPath(t)
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	run, err := s.Begin(t.Context(), "default", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	state := func(s *sqlite.Store) store.RunState {
		t.Helper()
		one, err := s.Run(t.Context(), "default", run.ID())
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range s.Runs(t.Context(), "default") {
			if err != nil || r.State != one.State {
				t.Errorf("Runs says %s, Run %s (%v)", r.State, one.State, err)
			}
		}
		return one.State
	}
	if got := state(reader); got != store.Running {
		t.Errorf("under way it is %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := state(reader); got != store.Interrupted {
		t.Errorf("when its writer is gone it is %s", got)
	}
	next := openStore(t, path, at(start))
	if n := count(t, next, `SELECT count(*) FROM runs WHERE state = 'interrupted'`); n != 1 {
		t.Errorf("%d runs are written as interrupted", n)
	}
	if got := state(next); got != store.Interrupted {
		t.Errorf("for the next writer it is %s", got)
	}
}

func TestACopyMadeWhileItIsWrittenIsRefusedOrRight(t *testing.T) {
	path := closedStore(t)
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{50, 4096, len(body) / 2, len(body) - 4096} {
		part := filepath.Join(t.TempDir(), "part.db")
		if err := os.WriteFile(part, body[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), part, sqlite.Options{})
		if err == nil {
			err = s.Query(t.Context(), `SELECT count(*) FROM changes`, func([]string) error { return nil }, func([]any) error { return nil })
			s.Close()
		}
		if !errors.Is(err, store.ErrDamaged) && !errors.Is(err, store.ErrForeign) && !errors.Is(err, store.ErrNoStore) && err != nil {
			t.Errorf("the first %d bytes: %v", size, err)
		}
	}
}
