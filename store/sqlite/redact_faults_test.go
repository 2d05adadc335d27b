//go:build unix

package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// redactOnce opens the store, redacts the person and closes it.
func redactOnce(t *testing.T, path string) (err error) {
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	_, err = s.Redact(t.Context(), "default", person)
	return err
}

// TestEveryDiskOperationOfARedactionMayFail lets the n-th operation of each kind
// fail, once or from then on. Afterwards the account is as it was, or redacted; and
// when it is redacted again, nothing of it is in any file.
func TestEveryDiskOperationOfARedactionMayFail(t *testing.T) {
	dir := labFolder(t)
	if err := redactLab(t, filepath.Join(dir, "store.db")).Close(); err != nil {
		t.Fatal(err)
	}
	before := watch(t, dir).contents(t)
	for _, fault := range ioFaults {
		if testing.Short() && fault.want != store.ErrFull {
			continue // the others stand for it
		}
		fault.each(t, muchLater, func(f *trouble) { f.redact(t, before) })
	}
}

func (f *trouble) redact(t *testing.T, before map[string][]byte) {
	t.Helper()
	dir := labFolder(t)
	lay(t, dir, before)
	path, d := filepath.Join(dir, "store.db"), watch(t, dir)
	d.quiet = true
	d.fault = f.strike
	err := redactOnce(t, path)
	d.fault = func(string, string) int32 { return sqlite3.SQLITE_OK }
	where := fmt.Sprintf("%s %d (and on: %t)", f.fault.name, f.nth, f.lasts)
	if err != nil && (!errors.Is(err, f.fault.want) || !strings.Contains(err.Error(), path)) {
		t.Errorf("%s: the error is %q, want one that is %q and names the file", where, err, f.fault.want)
	}
	healthy(t, path)
	if err := redactOnce(t, path); err != nil {
		t.Errorf("%s: again: %v", where, err)
	}
	healthy(t, path)
	nothingLeft(t, path, where)
	leaves(t, where, dir)
}

// TestAJournalThatIsReadKeepsWhatWasErased: while another program reads, the journal
// cannot be emptied, and it is said so.
func TestAJournalThatIsReadKeepsWhatWasErased(t *testing.T) {
	path := filepath.Join(labFolder(t), "store.db")
	s := redactLab(t, path)
	if _, err := s.Writer().ExecContext(t.Context(), `PRAGMA busy_timeout = 50`); err != nil {
		t.Fatal(err)
	}
	reader, err := second(t, path).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Rollback()
	var n int
	if err := reader.QueryRow(`SELECT count(*) FROM account`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	_, err = s.Redact(t.Context(), "default", person)
	if !errors.Is(err, store.ErrBusy) || !strings.Contains(err.Error(), "erased, but not yet from the journal") {
		t.Error(err)
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Redact(t.Context(), "default", person); err != nil {
		t.Error(err)
	}
	nothingLeft(t, path, "the journal is free")
}
