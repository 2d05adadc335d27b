package store_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// TestWhatAWriterKeepsAtHandIsSmall: heads, and not the objects they were made of.
func TestWhatAWriterKeepsAtHandIsSmall(t *testing.T) {
	const accounts, iconBytes = 500, 100 << 10
	s := openStore(t, memoryPath(t), time.Now)
	run, err := s.Begin(t.Context(), "default", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	before := heapInUse()
	for i := range accounts {
		raw := fmt.Appendf(nil, `{"id":"%032x","status":"200","icon":"%d%s"}`, i, i, strings.Repeat("A", iconBytes))
		_, err := run.Append(t.Context(), store.Response{
			Source: store.List, Sent: time.Now(), Received: time.Now(),
			Accounts: []store.Observed{{ID: fmt.Sprintf("%032x", i), Raw: raw}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if grown := heapInUse() - before; grown > accounts*iconBytes/4 {
		t.Errorf("%d bytes are kept of %d accounts", grown, accounts)
	}
	runtime.KeepAlive(run)
}

// TestScatteredAccountsAreSeen: who was shown was seen then, and nobody else, whether
// accounts follow one another in a page or not.
func TestScatteredAccountsAreSeen(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	page := func(wanted func(i int) bool) (shown []store.Observed) {
		for i := range 100 {
			if wanted(i) {
				id := fmt.Sprintf("%032x", i)
				shown = append(shown, store.Observed{ID: id, Raw: fmt.Appendf(nil, `{"id":%q,"status":"200"}`, id)})
			}
		}
		return shown
	}
	const hour = time.Hour
	take(t, s, start, page(func(int) bool { return true })...)
	take(t, s, start.Add(hour), page(func(i int) bool { return i%2 == 0 })...)
	take(t, s, start.Add(2*hour), page(func(i int) bool { return i >= 90 || i == 7 })...)
	for i := range 100 {
		want := start
		if i%2 == 0 {
			want = start.Add(hour)
		}
		if i >= 90 || i == 7 {
			want = start.Add(2 * hour)
		}
		seen, err := rows(s, fmt.Sprintf(`SELECT seen_at FROM account_current WHERE account = '%032x'`, i))
		if err != nil || !strings.Contains(seen, want.Add(time.Second).Format("2006-01-02T15:04:05.000Z")) {
			t.Errorf("account %d was seen at %s, want a second after %s: %v", i, seen, want, err)
		}
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestAPageFindsAccountsWhereFewFindThem: a writer that is just opened reads where all
// accounts of the workspace stand at the first page, and not those of another workspace.
func TestAPageFindsAccountsWhereFewFindThem(t *testing.T) {
	const accounts, few = 120, 10
	stood := func(size int) (string, store.Appended) {
		path := memoryPath(t)
		s := openStore(t, path, at(start))
		for i, workspace := range []string{"other", "one", "other", "one"} {
			appendTo(t, s, workspace, start.Add(time.Duration(i)*time.Hour), accounts, func(n int) string {
				return fmt.Sprint(200 + n%2*i%2)
			}, accounts)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openStore(t, path, at(start))
		done := appendTo(t, s, "one", start.Add(5*time.Hour), accounts, func(n int) string { return fmt.Sprint(200 + n%7) }, size)
		text, err := rows(s, `SELECT * FROM changes ORDER BY workspace, account, before, kind`)
		if err != nil {
			t.Fatal(err)
		}
		return text, done
	}
	want, wantDone := stood(few)
	got, gotDone := stood(accounts)
	if got != want || gotDone != wantDone || gotDone.Unchanged == 0 || gotDone.Changed == 0 {
		t.Errorf("%+v, want %+v; changes:\n%s\nwant\n%s", gotDone, wantDone, got, want)
	}
}

// TestAPageLeavesHeadsThatMoved: what one response of a transaction did to an account
// still holds when the next one, a page, reads where all accounts stand.
func TestAPageLeavesHeadsThatMoved(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	const accounts = 60
	appendTo(t, s, "default", start, accounts, func(int) string { return "200" }, accounts)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path, at(start))
	run, err := s.Begin(t.Context(), "default", store.ScopeImport)
	if err != nil {
		t.Fatal(err)
	}
	shown := func(at time.Time, ids int) store.Response {
		r := listOf(at, 0, ids, func(int) string { return "401" })
		r.Source = store.Import
		return r
	}
	done, err := run.AppendAll(t.Context(), []store.Response{shown(start.Add(time.Hour), 1), shown(start.Add(2*time.Hour), accounts)})
	if want := (store.Appended{Changed: accounts, Unchanged: 1}); err != nil || done != want {
		t.Errorf("%+v, want %+v: %v", done, want, err)
	}
	healthy(t, path)
}

// listOf is a page of the accounts from one number to another.
func listOf(when time.Time, from, to int, status func(n int) string) store.Response {
	r := store.Response{Source: store.List, Sent: when, Received: when.Add(time.Second)}
	for n := from; n < to; n++ {
		id := fmt.Sprintf("%032x", n)
		r.Accounts = append(r.Accounts, store.Observed{ID: id, Raw: fmt.Appendf(nil, `{"id":%q,"status":%q}`, id, status(n))})
	}
	return r
}

// appendTo is a run in which the workspace shows so many accounts in pages of a size.
func appendTo(t *testing.T, s *store.Store, workspace string, when time.Time, accounts int, status func(n int) string, size int) (sum store.Appended) {
	t.Helper()
	run, err := s.Begin(t.Context(), workspace, store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < accounts; from += size {
		done, err := run.Append(t.Context(), listOf(when, from, from+size, status))
		if err != nil {
			t.Fatal(err)
		}
		sum.Add(done)
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Complete}); err != nil {
		t.Fatal(err)
	}
	return sum
}
