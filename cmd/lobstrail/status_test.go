package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// troubled is a store in which much is wrong: squids have long names, cookies expired,
// alerts are open, and three sinks fail. The newest complete run is an hour old.
func troubled(t *testing.T, accounts int) (db string) {
	t.Helper()
	now := time.Now().Add(-time.Hour)
	db = filepath.Join(t.TempDir(), "troubled.db")
	s, _, err := sqlite.OpenWriter(t.Context(), db, sqlite.Options{Rules: report.Rules(), Now: func() time.Time { return now }})
	must(err)
	defer s.Close()
	run, err := s.Begin(t.Context(), "default", store.ScopeAll)
	must(err)
	r := store.Response{Source: store.List, Sent: now, Received: now, Requests: 1, Page: 1}
	for n := range accounts {
		squid := fmt.Sprintf("%032x", 100+n)
		object := fmt.Sprintf(`{"id":"%032x","username":"account with a rather long name, number %d","type":"some-long-type-sync","status":"401","squids":[{"hash_value":%q,"name":"A squid with a name that takes a lot of room %d"}]}`, n, n, squid, n)
		r.Accounts = append(r.Accounts, store.Observed{ID: fmt.Sprintf("%032x", n), Raw: []byte(object)})
	}
	_, err = run.Append(t.Context(), r)
	must(err)
	must(run.Finish(t.Context(), store.Outcome{State: store.Complete, Requested: accounts, Requests: 1}))
	failed, err := s.Begin(t.Context(), "default", store.ScopeAll)
	must(err)
	must(failed.Finish(t.Context(), store.Outcome{State: store.Failed}))
	saveTrouble(t.Context(), s, now, accounts)
	return db
}

// saveTrouble opens an alert of each account, and leaves messages that sinks do not take.
func saveTrouble(ctx context.Context, s store.Store, now time.Time, accounts int) {
	delta := store.AlertDelta{To: store.AlertPlace{Run: 1, At: now}}
	for n := range accounts {
		delta.Begin = append(delta.Begin, store.Alert{Condition: store.AccountExpired, Account: fmt.Sprintf("%032x", n), Polls: 1, Run: 1,
			Window: store.Window{Before: now}, FiredAt: now, Silenced: n == 1, Detail: json.RawMessage("{}")})
	}
	delta.Begin = append(delta.Begin,
		store.Alert{Condition: store.SquidWithoutAccount, Squid: fmt.Sprintf("%032x", 100), Polls: 1, Run: 1, Window: store.Window{Before: now}, FiredAt: now, Detail: json.RawMessage("{}")},
		store.Alert{Condition: store.Stale, Polls: 1, Detail: json.RawMessage("{}")}) // pending
	for n, sinks := range [][]string{{"ops", "mail", "chat", "pager"}, {"ops"}, {"later"}} {
		delta.Messages = append(delta.Messages, store.Message{ID: fmt.Sprintf("%032x", n), Workspace: "default", Event: "fired", Condition: store.AccountExpired,
			Run: 1, At: now.Add(time.Duration(n) * time.Minute), Body: json.RawMessage("{}"), Sinks: sinks})
	}
	must(s.SaveAlerts(ctx, "default", delta))
	_, err := s.AddSilence(ctx, "default", store.Silence{Account: fmt.Sprintf("%032x", 1), Reason: "known", From: now, Until: now.Add(48 * time.Hour)})
	must(err)
	for d, err := range s.Deliveries(ctx, store.DeliveryQuery{Workspace: "default"}) {
		must(err)
		if d.Sink != "later" && d.At.Equal(delta.Messages[0].At.UTC().Truncate(time.Millisecond)) {
			d.Attempts, d.Error, d.NextAt = 4, "the server answered 500 Internal Server Error: "+strings.Repeat("no ", 200), now.Add(2*time.Hour)
			must(s.SaveDelivery(ctx, d))
		}
	}
}

// TestStatusFitsOneScreen: 24 lines with the prompt below, however much is wrong. Commands
// to copy take several lines of the terminal.
func TestStatusFitsOneScreen(t *testing.T) {
	t.Parallel()
	for _, db := range []string{troubled(t, 1000), troubled(t, 3), demoStore(t)} {
		for _, columns := range []int{80, 40} {
			o := within(columns, nil, "status", "--db", db)
			lines := 0
			for line := range strings.Lines(o.stdout) {
				line = plain(strings.TrimSuffix(line, "\n"))
				width := uniseg.StringWidth(line)
				lines += max(1, (width+columns-1)/columns)
				if width > columns && !command.MatchString(line) {
					t.Errorf("at %d columns: a line of %d: %q", columns, width, line)
				}
			}
			if o.code != exitDone || columns == 80 && lines > 23 {
				t.Errorf("%d lines: %s", lines, o)
			}
		}
	}
}

func TestStatusSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	o := within(0, nil, "status", "--db", troubled(t, 5))
	for _, want := range []string{
		"Last complete run  1h ago: run 1, ended ",
		"Newest run         failed: run 2, started 1h ago",
		"Accounts           5: 5 expired",
		"Squids             5: 5 without a healthy account, 0 on a single one",
		"Open alerts        account_expired 4, squid_without_account 1; 1 silenced",
		"Deliveries         chat, mail, ops and 1 more fail: the server answered 500 Internal Server Error: no no no no n…; 6 messages waiting, the oldest since 1h\n",
		", A squid with a name that takes… and 2 more.\n",
		"    lobstr accounts sync some-long-type-sync --account 00000000000000000000000000000001 --cookies-file cookies.json",
		`... and 3 more; "lobstrail report -o report.html" has all`,
	} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %q in %s", want, o)
		}
	}
	if strings.Contains(o.stdout, "Out of date") {
		t.Errorf("one run makes no habit: %s", o)
	}
}

// TestCheckCountsOpenAlerts: those that fired and are not silenced, a reason for each
// condition.
func TestCheckCountsOpenAlerts(t *testing.T) {
	t.Parallel()
	db := troubled(t, 9)
	for args, want := range map[string][]string{
		"":                                   {"account_expired: 8 open: account", " and 3 more\n", "squid_without_account: 1 open: A squid with a name that takes a lot of room 0\n"},
		"--no-open expired":                  {"NOT OK: account_expired: 8 open: account", " and 3 more\n"},
		"--no-open squid_without_account":    {"NOT OK: squid_without_account: 1 open: A squid"},
		"--no-open gone,account_locked":      {"OK: 0 of 9 accounts healthy"},
		"--no-open stale":                    {"OK: "}, // pending
		"--fresh 2h":                         {"OK: "}, // thresholds are given: only they count
		"--fresh 30m --no-open any":          {"ended 1h ago; 30m is allowed", "account_expired: 8", "squid_without_account: 1"},
		"--no-open expired --json --fresh 1": nil,
	} {
		o := within(0, nil, append([]string{"check", "--db", db}, strings.Fields(args)...)...)
		code := exitDifference
		switch {
		case want == nil:
			code = exitUsage
		case strings.HasPrefix(want[0], "OK"):
			code = exitDone
		}
		lines := strings.Count(o.stdout, "\n")
		if o.code != code || code == exitDifference && strings.Count(o.stdout, "NOT OK: ") != lines || code == exitDone && lines != 1 {
			t.Errorf("check %s: %s", args, o)
		}
		for _, part := range want {
			if !strings.Contains(o.stdout, part) {
				t.Errorf("check %s: no %q in %s", args, part, o)
			}
		}
	}
}
