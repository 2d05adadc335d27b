package sqlite_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// TestAnUnchangedSnapshotIsSmall: it costs less than 8 bytes and no row of its
// own, and the rules are not even asked; icons are kept once.
func TestAnUnchangedSnapshotIsSmall(t *testing.T) {
	const accounts = 1000
	rounds := fewer(20, 5)
	path, asked := memoryPath(t), 0
	options := writer(start)
	options.Rules.Compare = func(old, new store.State) (store.Facts, []store.Change, error) {
		asked++
		return report.Compare(old, new)
	}
	session := func(from, rounds int) (size int64) {
		t.Helper()
		s, _, err := sqlite.OpenWriter(t.Context(), path, options)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rounds {
			batch(t, s, start.Add(time.Duration(from+i)*time.Hour), accounts)
		}
		if n := count(t, s, `SELECT count(*) FROM snapshots`); n != int64(from+rounds)*accounts {
			t.Errorf("%d snapshots", n)
		}
		for _, table := range []string{"shown", "version", "change", "state", "usage"} {
			if n := count(t, s, `SELECT count(*) FROM `+table); n != accounts {
				t.Errorf("%d rows in %s", n, table)
			}
		}
		if n := count(t, s, `SELECT count(*) FROM response`); n != int64(from+rounds)*accounts/100 {
			t.Errorf("%d responses", n)
		}
		if n := count(t, s, `SELECT count(*) FROM icon`); n != 2 {
			t.Errorf("%d icons", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := session(0, 1)
	first := asked
	after := session(1, rounds)
	if asked != first {
		t.Errorf("the rules were asked %d times about unchanged accounts", asked-first)
	}
	each := float64(after-before) / float64(accounts*rounds)
	t.Logf("%.1f bytes for each unchanged snapshot", each)
	if each >= 8 {
		t.Errorf("%.1f bytes for each unchanged snapshot", each)
	}
}

// batch is a list of the same accounts, in pages of a hundred.
func batch(t *testing.T, s *sqlite.Store, when time.Time, accounts int) {
	t.Helper()
	run, err := s.Begin(t.Context(), "default", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	icons := []string{lobstrtest.NewIcon(1), lobstrtest.NewIcon(2)}
	for from := 0; from < accounts; from += 100 {
		r := store.Response{Source: store.List, Page: from/100 + 1, Sent: when, Received: when.Add(time.Second)}
		for n := from; n < from+100; n++ {
			id := fmt.Sprintf("%032x", n)
			r.Accounts = append(r.Accounts, store.Observed{ID: id, Raw: fmt.Appendf(nil,
				`{"id":%q,"icon":%q,"params":{"user":{"p":{"value":%d}}}}`, id, icons[n%2], n)})
		}
		if _, err := run.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Complete}); err != nil {
		t.Fatal(err)
	}
}
