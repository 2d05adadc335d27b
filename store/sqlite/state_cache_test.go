package sqlite_test

import (
	"fmt"
	"math/rand/v2"
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

// TestMemoryChangesNothing: what is stored of a history does not depend on what the
// writer had in memory: all accounts, hardly any, or none because it was opened again.
func TestMemoryChangesNothing(t *testing.T) {
	const all, few = 1000, 3
	want := livedWith(t, all, false)
	if got := livedWith(t, few, false); got != want {
		t.Errorf("with few accounts in memory:\n%s", difference(want, got))
	}
	if got := livedWith(t, all, true); got != want {
		t.Errorf("opened again and again:\n%s", difference(want, got))
	}
}

// livedWith is all that is stored of a history, in which each transaction shows some
// accounts several times, and changed.
func livedWith(t *testing.T, inMemory int, reopen bool) string {
	t.Helper()
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	random := rand.New(rand.NewPCG(3, 5))
	for round := range 12 {
		if reopen {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openStore(t, path, at(start))
		}
		s.KeepInMemory(inMemory)
		workspace := []string{"one", "other"}[random.IntN(2)]
		run, err := s.Begin(t.Context(), workspace, store.ScopeImport)
		if err != nil {
			t.Fatal(err)
		}
		var responses []store.Response
		for n := range 6 {
			when := start.Add(time.Duration(round)*time.Hour + time.Duration(n)*time.Minute)
			r := store.Response{Source: []store.Source{store.List, store.Detail, store.Import}[n%3], Sent: when, Received: when, Page: 1}
			r.Accounts = pageOf(1+random.IntN(8), func(int) string { return fmt.Sprint(200 + random.IntN(2)) })
			responses = append(responses, r)
		}
		if _, err := run.AppendAll(t.Context(), responses); err != nil {
			t.Fatal(err)
		}
		if err := run.Finish(t.Context(), store.Outcome{State: store.Complete}); err != nil {
			t.Fatal(err)
		}
	}
	healthy(t, path)
	var queries []string
	for _, query := range everything() {
		for _, random := range []string{"'account'", "'failure'", "'entry'", "'said'"} { // they have secrets, or follow from them
			if strings.Contains(query, random) {
				query = ""
			}
		}
		if query != "" {
			queries = append(queries, query)
		}
	}
	return dump(t, path, queries)
}
