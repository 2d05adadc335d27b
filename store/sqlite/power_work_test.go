//go:build unix

package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// crowd is a list of accounts of which some differ from round to round, with
// documents long enough to make SQLite move pages out of its journal.
func crowd(round int) (accounts []store.Observed) {
	for n := range 12 {
		id := fmt.Sprintf("%032x", n)
		members := fmt.Sprintf(`"username":"u%d","status":"200","squids":[{"name":"S","hash_value":"s%d"}]`, n, n%3)
		if (n+round)%4 == 0 {
			members = fmt.Sprintf(`"username":"u%d","status":"401","note":"%0600d"`, n, round)
		}
		accounts = append(accounts, store.Observed{ID: id, Raw: fmt.Appendf(nil, `{"id":%q,%s}`, id, members)})
	}
	return accounts
}

// snapshots is the work of batches of three pages each, every one of them told.
func snapshots(t testing.TB, s *sqlite.Store, from, rounds int, tell func(*sqlite.Store)) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for round := from; round < from+rounds; round++ {
		when := start.Add(time.Duration(round) * time.Hour)
		run, err := s.Begin(t.Context(), "default", store.ScopeAll)
		must(err)
		all := crowd(round)
		for page := range 3 {
			_, err := run.Append(t.Context(), store.Response{
				Source: store.List, Page: page + 1, Sent: when.Add(time.Duration(page) * time.Second), Received: when.Add(time.Duration(page+1) * time.Second),
				Accounts: all[page*4 : page*4+4], Requests: page + 1,
			})
			must(err)
			tell(s)
		}
		must(run.Finish(t.Context(), store.Outcome{State: store.Complete, Requested: len(all)}))
		tell(s)
	}
}

// batches is a store that is made, written to by two processes in turn, derived
// again, and closed. Its journal is emptied often.
func batches(t testing.TB, setting string) func(path string, options sqlite.Options, tell func(*sqlite.Store)) {
	return func(path string, options sqlite.Options, tell func(*sqlite.Store)) {
		for process := range 2 {
			s, _, err := sqlite.OpenWriter(t.Context(), path, options)
			if err != nil {
				t.Fatal(err)
			}
			tell(s)
			for _, pragma := range []string{`PRAGMA wal_autocheckpoint = 20`, setting} {
				if _, err := s.Writer().ExecContext(t.Context(), pragma); err != nil {
					t.Fatal(err)
				}
			}
			snapshots(t, s, process*4, 4, tell)
			if process == 1 {
				if err := s.Rederive(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				tell(s)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// older puts a store into the folder as the migrations up to a version made it,
// with a history that was taken with all of them.
func older(t testing.TB, dir string, version int64) {
	t.Helper()
	path := filepath.Join(dir, "store.db")
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	snapshots(t, s, 0, 4, func(*sqlite.Store) {})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	takeBack(t, path, version)
	db := second(t, path)
	if _, err := db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// migrated opens an older store, which migrates it, and derives it again by rules
// of a newer version.
func migrated(t testing.TB) func(path string, options sqlite.Options, tell func(*sqlite.Store)) {
	return func(path string, options sqlite.Options, tell func(*sqlite.Store)) {
		options.Rules.Version = report.Rules().Version + 1
		s, _, err := sqlite.OpenWriter(t.Context(), path, options)
		if err != nil {
			t.Fatal(err)
		}
		tell(s)
		snapshots(t, s, 4, 1, tell)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPowerLoss cuts the power at any instant of the making of a store, of
// batches, of checkpoints, of a derivation and of a migration. What was reported
// as stored is there afterwards.
func TestPowerLoss(t *testing.T) {
	for name, w := range map[string]struct {
		cuts    int
		prepare func(dir string)
		work    func(path string, options sqlite.Options, tell func(*sqlite.Store))
	}{
		"batches":                                {80, func(string) {}, batches(t, `PRAGMA user_version`)},
		"migration and rules of another version": {25, func(dir string) { older(t, dir, 2) }, migrated(t)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := labFolder(t)
			w.prepare(dir)
			r := record(t, dir, w.work)
			switch {
			case *long:
				w.cuts *= 40
			case brief():
				w.cuts /= 20
			}
			for _, problem := range r.crashes(t, w.cuts, r.survives(t)) {
				t.Error(problem)
			}
			t.Logf("up to %d cuts of %d events, %d bytes of evidence", w.cuts, len(r.log), len(r.rows))
		})
	}
}

// TestPowerLossIsNoticed: the test above would notice a store that does not sync,
// or one whose name in the folder is not.
func TestPowerLossIsNoticed(t *testing.T) {
	if testing.Short() {
		t.Skip("it tests a test")
	}
	careless := record(t, labFolder(t), batches(t, `PRAGMA synchronous = OFF`))
	nameless := record(t, labFolder(t), batches(t, `PRAGMA user_version`))
	nameless.log = slices.DeleteFunc(nameless.log, func(e event) bool { return e.op == "dirsync" })
	for name, r := range map[string]recording{"synchronous=OFF": careless, "a folder that is not synced": nameless} {
		if problems := r.crashes(t, 25, r.survives(t)); len(problems) < 3 {
			t.Errorf("%s, and only this is wrong: %q", name, problems)
		}
	}
}

// TestNewFoldersAreSynced: a store in a folder that was made for it would be lost
// with the folder, whose name stands in the one above.
func TestNewFoldersAreSynced(t *testing.T) {
	root := labFolder(t)
	var synced []string
	options := writer(start).WatchFolders(os.Rename, func(dir string) error {
		synced = append(synced, dir)
		return nil
	})
	below := filepath.Join(root, "a", "b")
	s, _, err := sqlite.OpenWriter(t.Context(), filepath.Join(below, "store.db"), options)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, dir := range []string{root, filepath.Join(root, "a"), below} {
		if !slices.Contains(synced, dir) {
			t.Errorf("%s was not synced; %q were", dir, synced)
		}
	}
}
