//go:build unix

package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// pruned are the rows that a prune touches, beside those that it must not.
func pruned() []string {
	return append(untouched(), allOf([]string{"response", "entry"})...)
}

// pruneLab is a store to be pruned, in transactions of few responses, and what it
// is before and after.
type pruneLab struct {
	before        map[string][]byte
	untouched, is string
}

func newPruneLab(t *testing.T) *pruneLab {
	t.Helper()
	dir := labFolder(t)
	path := filepath.Join(dir, "store.db")
	s := openStore(t, path, at(start))
	for round := range 36 { // every sixth brings something new
		take(t, s, start.Add(time.Duration(round)*time.Hour), crowd(round/6)...)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// Free pages, so that there is space to give back.
	db := second(t, path)
	execute(t, db, `CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(400000)); DROP TABLE filler; PRAGMA wal_checkpoint(TRUNCATE)`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	lab := &pruneLab{before: watch(t, dir).contents(t), untouched: dump(t, path, untouched())}
	if err := pruneOnce(t, path); err != nil {
		t.Fatal(err)
	}
	if was, is := len(lab.before["store.db"]), len(watch(t, dir).contents(t)["store.db"]); is > was-300000 {
		t.Fatalf("the store had %d bytes and has %d", was, is)
	}
	if lab.is = dump(t, path, pruned()); strings.Count(lab.is, "\nprune ") < 4 {
		t.Fatal("too few transactions:", strings.Count(lab.is, "\nprune "))
	}
	return lab
}

// pruneOnce opens the store, prunes it and closes it.
func pruneOnce(t *testing.T, path string) (err error) {
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := s.Writer().ExecContext(t.Context(), `PRAGMA wal_autocheckpoint = 20; PRAGMA cache_size = 10`); err != nil {
		return fmt.Errorf("%s: %w: %w", path, store.ErrDisk, err) // not ours
	}
	s.DropAtOnce(4)
	_, err = s.Prune(t.Context(), "default", store.Keep{}, nil)
	return err
}

// examine looks at a store whose prune was disturbed: log and rows agree, nothing
// is lost, and when it is pruned again it is as if nothing had disturbed it.
func (lab *pruneLab) examine(t *testing.T, path string) error {
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		return err
	}
	err = sound(s)
	if after := dump(t, path, untouched()); after != lab.untouched {
		err = errors.Join(err, fmt.Errorf("what is derived has changed:\n%.2000s", difference(lab.untouched, after)))
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	healthy(t, path)
	if err := pruneOnce(t, path); err != nil {
		return fmt.Errorf("again: %w", err)
	}
	if is := dump(t, path, pruned()); is != lab.is {
		return fmt.Errorf("done again it is another:\n%.2000s", difference(lab.is, is))
	}
	return nil
}

// TestEveryDiskOperationOfAPruneMayFail lets the n-th operation of each kind fail,
// once or from then on.
func TestEveryDiskOperationOfAPruneMayFail(t *testing.T) {
	lab := newPruneLab(t)
	for _, fault := range ioFaults {
		if testing.Short() && fault.want != store.ErrFull {
			continue // the others stand for it
		}
		fault.each(t, muchLater, func(f *trouble) { lab.endure(t, f) })
	}
}

func (lab *pruneLab) endure(t *testing.T, f *trouble) {
	t.Helper()
	dir := labFolder(t)
	lay(t, dir, lab.before)
	path, d := filepath.Join(dir, "store.db"), watch(t, dir)
	d.quiet = true
	d.fault = f.strike
	err := pruneOnce(t, path)
	d.fault = func(string, string) int32 { return sqlite3.SQLITE_OK }
	where := fmt.Sprintf("%s %d (and on: %t)", f.fault.name, f.nth, f.lasts)
	if err != nil && (!errors.Is(err, f.fault.want) || !strings.Contains(err.Error(), path)) {
		t.Errorf("%s: the error is %q, want one that is %q and names the file", where, err, f.fault.want)
	}
	if err := lab.examine(t, path); err != nil {
		t.Errorf("%s: %v", where, err)
	}
	leaves(t, where, dir)
}

// TestPowerLossInAPrune cuts the power at random instants of a prune.
func TestPowerLossInAPrune(t *testing.T) {
	lab := newPruneLab(t)
	dir, cuts := labFolder(t), 40
	switch {
	case *long:
		cuts = 1000
	case brief():
		cuts = 4
	}
	lay(t, dir, lab.before)
	r := record(t, dir, func(path string, _ sqlite.Options, _ func(*sqlite.Store)) {
		if err := pruneOnce(t, path); err != nil {
			t.Fatal(err)
		}
	})
	for _, problem := range r.crashes(t, cuts, func(dir string, _ int) error {
		return lab.examine(t, filepath.Join(dir, "store.db"))
	}) {
		t.Error(problem)
	}
	t.Logf("%d cuts of %d events", cuts, len(r.log))
}

// TestAPruneThatIsRefusedLeavesNothing lets the database fail at each table that a
// prune writes to, before and after the row is written.
func TestAPruneThatIsRefusedLeavesNothing(t *testing.T) {
	lab := newPruneLab(t)
	for i, stop := range []string{"BEFORE DELETE ON response", "AFTER DELETE ON response", "BEFORE UPDATE ON entry",
		"AFTER UPDATE ON entry", "BEFORE INSERT ON entry", "AFTER INSERT ON entry", "AFTER INSERT ON setting",
		"BEFORE DELETE ON setting", "AFTER DELETE ON setting"} {
		if i%fewer(1, 4) > 0 {
			continue
		}
		t.Run(stop, func(t *testing.T) {
			dir := labFolder(t)
			lay(t, dir, lab.before)
			path := filepath.Join(dir, "store.db")
			db := second(t, path)
			before := dump(t, path, pruned())
			execute(t, db, "CREATE TRIGGER stop "+stop+" BEGIN SELECT raise(ABORT, 'stop'); END")
			if err := pruneOnce(t, path); err == nil || !strings.Contains(err.Error(), "stop") {
				t.Fatal(err)
			}
			execute(t, db, `DROP TRIGGER stop`)
			if after := dump(t, path, pruned()); after != before {
				t.Errorf("something is left behind:\n%s", difference(before, after))
			}
			if err := lab.examine(t, path); err != nil {
				t.Error(err)
			}
		})
	}
}
