package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

const countedID = "0000000000000000000000000000c0de"

// lookOnce stores one response about the account, which the store is opened for.
func lookOnce(t *testing.T, path string, when time.Duration, source store.Source, more string) {
	t.Helper()
	now := start.Add(when)
	s := openStore(t, path, at(now))
	run, err := s.Begin(t.Context(), "default", store.ScopeNamed)
	if err != nil {
		t.Fatal(err)
	}
	r := store.Response{Source: source, Sent: now, Received: now, Accounts: []store.Observed{{
		ID: countedID, Raw: fmt.Appendf(nil, `{"id":%q,"username":"u","type":"x","status":"200",%s}`, countedID, more),
	}}}
	if source == store.List {
		r.Page = 1
	}
	if _, err := run.Append(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Complete}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

const counting, without = `"primary_color":"#fff","resets_in":3600`, `"more":1`

// TestAResetsInThatIsSaidAgainCountsAnew: the end of a lock is counted from the last
// response that told of it, also when that had the same bytes as the one before.
func TestAResetsInThatIsSaidAgainCountsAnew(t *testing.T) {
	path := memoryPath(t)
	lookOnce(t, path, 0, store.List, counting)
	lookOnce(t, path, 55*time.Minute, store.List, counting)
	lookOnce(t, path, 70*time.Minute, store.Detail, without)
	healthy(t, path)
	if health := healthOf(t, path); health != "locked\n" {
		t.Errorf("15 minutes after a resets_in of an hour, the account is %s", health)
	}
	lookOnce(t, path, 120*time.Minute, store.Detail, without)
	if health := healthOf(t, path); health != "healthy\n" {
		t.Errorf("65 minutes after a resets_in of an hour, the account is %s", health)
	}
}

func healthOf(t *testing.T, path string) string {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	health, err := rows(s, `SELECT health FROM account_current`)
	if err != nil {
		t.Fatal(err)
	}
	return health
}

// TestAPruneBetweenEqualResetsInsIsSound: where a lock ends does not depend on responses
// of another endpoint in between, which a prune drops.
func TestAPruneBetweenEqualResetsInsIsSound(t *testing.T) {
	path := memoryPath(t)
	for i, letter := range "LDDLDLD" {
		source, more := store.List, counting
		if letter == 'D' {
			source, more = store.Detail, without
		}
		lookOnce(t, path, time.Duration(i)*5*time.Minute, source, more)
	}
	s := openStore(t, path, at(start.Add(time.Hour)))
	done, err := s.Prune(t.Context(), "default", store.Keep{}, nil)
	if err != nil || done.Responses == 0 {
		t.Fatalf("%d responses were dropped: %v", done.Responses, err)
	}
	healthy(t, path)
}
