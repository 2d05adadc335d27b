package sqlite_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// TestALockIsAPeriod: locks, by lock_time and by resets_in, are healths like any other,
// and a step from expired to expired ends no period.
func TestALockIsAPeriod(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	for i, members := range []string{
		``, `,"lock_time":"2026-01-05T08:30:00Z"`, `,"lock_time":"2026-01-05T08:30:00Z"`, `,"lock_time":"2026-01-05T08:30:00Z"`,
		`,"resets_in":60`, ``, `,"status":401`, `,"status":429`,
	} {
		raw := fmt.Sprintf(`{"id":%q,"username":"ada","type":"x-sync","status":200%s}`, ada, members)
		if strings.Contains(members, "status") {
			raw = strings.Replace(raw, `"status":200,`, ``, 1)
		}
		take(t, s, start.Add(time.Duration(i)*time.Hour), store.Observed{ID: ada, Raw: []byte(raw)})
	}
	want := strings.Join([]string{
		"healthy <nil> 2026-01-05T06:00:01.000Z 2026-01-05T06:00:00.000Z 2026-01-05T07:00:01.000Z 0 <nil>",
		"locked 2026-01-05T06:00:00.000Z 2026-01-05T07:00:01.000Z 2026-01-05T08:00:00.000Z 2026-01-05T09:00:01.000Z 3599 10801",
		"healthy 2026-01-05T08:00:00.000Z 2026-01-05T09:00:01.000Z 2026-01-05T09:00:00.000Z 2026-01-05T10:00:01.000Z 0 7201",
		"locked 2026-01-05T09:00:00.000Z 2026-01-05T10:00:01.000Z 2026-01-05T10:00:00.000Z 2026-01-05T11:00:01.000Z 0 7201",
		"healthy 2026-01-05T10:00:00.000Z 2026-01-05T11:00:01.000Z 2026-01-05T11:00:00.000Z 2026-01-05T12:00:01.000Z 0 7201",
		"expired 2026-01-05T11:00:00.000Z 2026-01-05T12:00:01.000Z <nil> <nil> 3599 7201",
	}, "\n") + "\n"
	expectRows(t, s, `SELECT health, from_after, from_before, to_after, to_before, min_seconds, max_seconds FROM health_periods ORDER BY from_before`, want)
	expectRows(t, s, `SELECT became, count(*), max(type) FROM status_changes GROUP BY 1`, "<nil> 1 x-sync\nexpired 1 x-sync\nhealthy 2 x-sync\nlocked 2 x-sync\n")
	expectRows(t, s, `SELECT DISTINCT type FROM changes`, "x-sync\n")
}

func expectRows(t *testing.T, s *sqlite.Store, query, want string) {
	t.Helper()
	got, err := rows(s, query)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("%s:\n%s", query, cmp.Diff(want, got))
	}
}

// TestCurrentDocumentsOfOddShapes: the document of account_current is the one that
// a reader gets, whatever limits are called and whichever endpoint spoke last.
func TestCurrentDocumentsOfOddShapes(t *testing.T) {
	looks := []struct {
		source  store.Source
		members string
	}{
		{store.List, `,"resets_in":7,"big":12345678901234567890,"params":{"user":{"a/b~c\"d":{"value":1e400,"max":3},"":{"current":null,"timestamp":5}}}`},
		{store.Detail, `,"params":{"user":{"a/b~c\"d":{"max":3},"new":{"value":"x","last_batch_at":"2026"}}}`},
		{store.List, `,"resets_in":null,"params":{"user":{}}`},
		{store.List, `,"resets_in":0.50,"params":{"user":[{"value":1}]}`},
		{store.Detail, `,"params":[1]`},
		{store.List, ``},
		{store.Detail, `,"params":{"user":{"p":5,"q":{"value":true,"current":[1,2],"timestamp":99999999999999999999}}}`},
	}
	s := openStore(t, memoryPath(t), at(start))
	for i, look := range looks {
		when := start.Add(time.Duration(i) * time.Hour)
		appendFuzzed(t, s, when, look.source, accountObject(look.members).Raw)
		want, err := s.Document(t.Context(), store.AccountQuery{Workspace: "w'x", Account: ada}, true)
		if err != nil {
			t.Fatal(err)
		}
		got, err := rows(s, `SELECT document FROM account_current`)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid([]byte(got)) || got != string(want)+"\n" {
			t.Errorf("%s: account_current has\n%s\na reader gets\n%s", look.members, got, want)
		}
	}
}

// TestOneSquidReadsItsOwn: a condition on the squid is pushed down to where its events
// are looked up.
func TestOneSquidReadsItsOwn(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	plan := func(query string) (text string) {
		text, err := rows(s, `EXPLAIN QUERY PLAN `+query)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if one := plan(`SELECT * FROM squid_health WHERE squid = 'x'`); strings.Contains(one, "SCAN q") || strings.Contains(one, "SCAN s") ||
		strings.Contains(one, "SCAN g") || strings.Count(one, "hash=?") != 3 {
		t.Errorf("one squid reads more than its own:\n%s", one)
	}
	if all := plan(`SELECT * FROM squid_health`); !strings.Contains(all, "SCAN g") {
		t.Errorf("all squids are not read:\n%s", all)
	}
}
