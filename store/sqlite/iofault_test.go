//go:build unix

package sqlite_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// ioFault is a way in which the disk fails, and the error that must come of it;
// nil: any that names the store.
type ioFault struct {
	name string
	op   string
	code int32
	want error
}

var ioFaults = []ioFault{
	{"the disk is full", "write", sqlite3.SQLITE_FULL, store.ErrFull},
	{"writing fails", "write", sqlite3.SQLITE_IOERR_WRITE, store.ErrDisk},
	{"reading fails", "read", sqlite3.SQLITE_IOERR_READ, store.ErrDisk},
	{"syncing fails", "sync", sqlite3.SQLITE_IOERR_FSYNC, store.ErrDisk},
	{"shortening fails", "truncate", sqlite3.SQLITE_IOERR_TRUNCATE, store.ErrDisk},
	{"opening fails", "open", sqlite3.SQLITE_CANTOPEN, store.ErrDisk},
	{"deleting fails", "delete", sqlite3.SQLITE_IOERR_DELETE, store.ErrDisk},
}

// trouble is one batch on a disk that fails.
type trouble struct {
	fault ioFault
	nth   int  // which operation of its kind fails
	lasts bool // and all after it

	mu     sync.Mutex // who verifies reads side by side
	met    int        // how many there were
	struck bool
}

func (f *trouble) strike(op, _ string) int32 {
	if op != f.fault.op {
		return sqlite3.SQLITE_OK
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.met++
	if f.met == f.nth || f.lasts && f.met > f.nth {
		f.struck = true
		return f.fault.code
	}
	return sqlite3.SQLITE_OK
}

// TestEveryDiskOperationMayFail lets the n-th operation of each kind fail, for
// every n, while a store is written to. The error is what it should be and names
// the file; what was stored before is there; nothing is left behind; and the same
// work done again gives what an undisturbed disk gives.
func TestEveryDiskOperationMayFail(t *testing.T) {
	dir := labFolder(t)
	openStore(t, filepath.Join(dir, "store.db"), at(start)).Close()
	made := watch(t, dir).contents(t)
	if acked, err := toil(t, filepath.Join(dir, "store.db")); err != nil || acked == "" {
		t.Fatal(err)
	}
	want := retold(t, filepath.Join(dir, "store.db"))
	for _, fault := range ioFaults {
		t.Run(fault.name, func(t *testing.T) {
			if testing.Short() && fault.want != store.ErrFull && fault.op != "read" {
				t.Skip("the others stand for it")
			}
			struck := fault.each(t, later, func(f *trouble) { f.endure(t, made, want) })
			t.Logf("%d failures", struck)
		})
	}
}

// each lets an operation of the fault's kind fail, the first and then a later one each time,
// until there are no more. Either it alone fails, or all after it too, at random; with
// -long, both. It returns how many failed.
func (fault ioFault) each(t *testing.T, next func(n int) int, endure func(*trouble)) (struck int) {
	t.Helper()
	for n := 1; ; n = next(n) {
		ways := []bool{false, true}
		if !*long {
			ways = ways[rand.IntN(2):][:1]
		}
		for _, lasts := range ways {
			f := &trouble{fault: fault, nth: n, lasts: lasts}
			if endure(f); !f.struck || t.Failed() {
				return struck
			}
			struck++
		}
	}
}

// later is the next operation that is to fail: some of the later ones are left
// out, but in the long mode.
func later(n int) int {
	switch {
	case *long:
		return n + 1
	case testing.Short():
		return 8 * n
	}
	return n + 1 + n/3
}

// muchLater leaves out more of them, where each takes longer.
func muchLater(n int) int { return later(later(n)) }

// TestTheDiskFailsWhileAStoreIsMade is the same for the making of a store. There
// are fewer tries: the migrations try again for seconds.
func TestTheDiskFailsWhileAStoreIsMade(t *testing.T) {
	dir := labFolder(t)
	if _, err := toil(t, filepath.Join(dir, "store.db")); err != nil {
		t.Fatal(err)
	}
	want := retold(t, filepath.Join(dir, "store.db"))
	instants := []int{1, 15, 40}
	if *long {
		for n := 2; n < 250; n++ {
			instants = append(instants, n)
		}
	}
	faults := ioFaults
	if brief() {
		faults = faults[:1]
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			for _, n := range instants {
				f := &trouble{fault: fault, nth: n, lasts: n%2 == 1}
				if f.endure(t, nil, want); !f.struck {
					break
				}
			}
		})
	}
}

// endure does the work on the failing disk, looks at what is there, and does it
// again on a sound one.
func (f *trouble) endure(t *testing.T, before map[string][]byte, want string) {
	t.Helper()
	dir := labFolder(t)
	lay(t, dir, before)
	path, d := filepath.Join(dir, "store.db"), watch(t, dir)
	d.quiet = true
	d.fault = f.strike
	acked, err := toil(t, path)
	d.fault = func(string, string) int32 { return sqlite3.SQLITE_OK }
	where := fmt.Sprintf("%s %d (and on: %t)", f.fault.op, f.nth, f.lasts)
	if err != nil && (!errors.Is(err, f.fault.want) || !strings.Contains(err.Error(), path)) {
		t.Errorf("%s: the error is %q, want one that is %q and names the file", where, err, f.fault.want)
	}
	// SQLite may need a journal to undo what it could not finish: that is no litter.
	leaves(t, where, dir, "store.db-journal")
	if err := kept(t, path, acked); err != nil {
		t.Errorf("%s: %v", where, err)
	}
	if _, err := toil(t, path); err != nil {
		t.Errorf("%s: again: %v", where, err)
	}
	if got := retold(t, path); got != want {
		t.Errorf("%s: done again it tells\n%s\ninstead of\n%s", where, got, want)
	}
	leaves(t, where+" and a sound disk", dir)
}

// leaves checks that nothing is in the folder but the store, what belongs beside it,
// and perhaps the others.
func leaves(t *testing.T, where, dir string, others ...string) {
	t.Helper()
	for name := range files(t, dir) {
		if !slices.Contains(append(others, "store.db", "store.db-wal", "store.db-shm", "store.db.lock"), name) {
			t.Errorf("%s: %s is left behind", where, name)
		}
	}
}

// toil makes a store, or goes on with it, and writes a few batches. It answers the
// evidence that was reported as stored.
func toil(t *testing.T, path string) (acked string, err error) {
	t.Helper()
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := s.Writer().ExecContext(t.Context(), `PRAGMA wal_autocheckpoint = 20; PRAGMA cache_size = 10`); err != nil {
		return "", fmt.Errorf("%s: %w: %w", path, store.ErrDisk, err) // not ours
	}
	for round := range 3 {
		when := start.Add(time.Duration(round) * time.Hour)
		run, err := s.Begin(t.Context(), "default", store.ScopeAll)
		if err != nil {
			return acked, err
		}
		all := crowd(round)
		for page := range 2 {
			_, err := run.Append(t.Context(), store.Response{
				Source: store.List, Page: page + 1, Sent: when, Received: when.Add(time.Duration(page+1) * time.Second),
				Accounts: all[page*6 : page*6+6],
			})
			if err != nil {
				return acked, err
			}
			acked += fmt.Sprintln(run.ID(), when.Add(time.Duration(page+1)*time.Second).UnixMilli())
		}
		if err := run.Finish(t.Context(), store.Outcome{State: store.Complete, Requested: len(all)}); err != nil {
			return acked, err
		}
	}
	return acked, nil
}

// kept checks that the responses that were reported as stored are there.
func kept(t *testing.T, path, acked string) error {
	t.Helper()
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		return err
	}
	defer s.Close()
	var found []struct {
		Run      int64 `db:"run"`
		Received int64 `db:"at"`
	}
	if err := s.Writer().SelectContext(t.Context(), &found, `SELECT run, at FROM response ORDER BY at`); err != nil {
		return err
	}
	there := ""
	for _, r := range found {
		there += fmt.Sprintln(r.Run, r.Received)
	}
	if !strings.HasPrefix(there, acked) {
		return fmt.Errorf("reported as stored:\n%sthere is\n%s", acked, there)
	}
	return sound(s)
}

// retold is what a store says of its accounts: their last states, and each
// difference between neighbouring ones once.
func retold(t *testing.T, path string) string {
	t.Helper()
	s := openStore(t, path, at(start))
	text, err := rows(s, `SELECT account, username, health, status, squid_count, document FROM account_current ORDER BY account`)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAStoreThatVanishes: nothing more is reported as stored once the file is
// gone, or another one stands in its place.
func TestAStoreThatVanishes(t *testing.T) {
	for name, vanish := range map[string]func(path string) error{
		"removed":  os.Remove,
		"replaced": func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, []byte("x"), 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := memoryPath(t)
			s := openStore(t, path, at(start))
			take(t, s, start, accountObject(``))
			if err := vanish(path); err != nil {
				t.Fatal(err)
			}
			_, err := s.Begin(t.Context(), "default", store.ScopeAll)
			if !errors.Is(err, store.ErrMoved) || !strings.Contains(err.Error(), path) {
				t.Errorf("written to all the same: %v", err)
			}
		})
	}
}
