//go:build unix

package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// TestTheDiskOfABackupFails at every operation in turn: the backups that were there
// stay as they are, nothing is left behind, and the error names the backup.
func TestTheDiskOfABackupFails(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	snapshots(t, s, 0, 2, func(*sqlite.Store) {})
	dir := labFolder(t)
	d, path := watch(t, dir), filepath.Join(dir, "store.db")
	d.quiet = true
	if _, err := s.Backup(t.Context(), path, sqlite.BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	before := d.contents(t)
	snapshots(t, s, 2, 2, func(*sqlite.Store) {})
	for _, fault := range ioFaults {
		struck := 0
		for n := 1; ; n = later(n) {
			f := &trouble{fault: fault, nth: n, lasts: n%2 == 0}
			d.fault = f.strike
			_, err := s.Backup(t.Context(), path, sqlite.BackupOptions{Force: true})
			d.fault = func(string, string) int32 { return sqlite3.SQLITE_OK }
			where := fmt.Sprintf("%s %d", fault.op, n)
			if err == nil {
				break
			}
			// SQLite's check of the copy takes a page that cannot be read for a damaged one.
			expected := errors.Is(err, fault.want) || fault.op == "read" && errors.Is(err, store.ErrDamaged)
			if !f.struck || !expected || !strings.Contains(err.Error(), path) {
				t.Fatalf("%s: %v", where, err)
			}
			leaves(t, where, dir)
			if after := d.contents(t); !bytes.Equal(after["store.db"], before["store.db"]) {
				t.Fatalf("%s: the backup that was there is another", where)
			}
			struck++
		}
		t.Logf("%s: %d failures", fault.name, struck)
		lay(t, dir, before)
	}
}

// TestPowerLossAtABackup: what has the name of a backup is a whole one, and the last
// that was reported as made.
func TestPowerLossAtABackup(t *testing.T) {
	source := memoryPath(t)
	openStore(t, source, at(start)).Close()
	r := record(t, labFolder(t), func(path string, options sqlite.Options, tell func(*sqlite.Store)) {
		s, _, err := sqlite.OpenWriter(t.Context(), source, options)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for round := range 4 {
			snapshots(t, s, round*2, 2, func(*sqlite.Store) {})
			if _, err := s.Backup(t.Context(), path, sqlite.BackupOptions{Force: true}); err != nil {
				t.Fatal(err)
			}
			made, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			tell(made)
			if err := made.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
	for _, problem := range r.crashes(t, fewer(40, 8), r.survives(t)) {
		t.Error(problem)
	}
}
