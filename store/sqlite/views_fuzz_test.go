package sqlite_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// viewColumns are the columns of the views that are no text; all others are text
// or NULL. A limit's numbers are numbers as far as SQLite can say them.
var viewColumns = map[string]map[string]bool{
	"account_current":   {"squid_count": true},
	"account_versions":  {"version": true, "squid_count": true},
	"changes":           {"run": true, "version": true},
	"status_changes":    {"run": true},
	"squid_assignments": {},
	"health_periods":    {"min_seconds": true, "max_seconds": true},
	"squid_health":      {"healthy_accounts": true, "accounts": true, "min_seconds": true, "max_seconds": true},
	"limit_usage":       {"run": true, "value": true, "max": true},
	"snapshots":         {"run": true, "version": true},
	"failures":          {"run": true, "http_status": true},
	"runs": {"run": true, "complete": true, "requested": true, "captured": true, "changed": true, "unchanged": true,
		"gone": true, "failed": true, "requests": true},
}

// instantColumns pairs queries for instants of a view with those it is made of.
var instantColumns = [][2]string{
	{`SELECT seen_at FROM account_current`, `SELECT at FROM response`},
	{`SELECT valid_from FROM account_versions`, `SELECT at FROM version`},
	{`SELECT last_seen FROM account_versions`, `SELECT at FROM response`},
	{`SELECT after FROM changes WHERE after IS NOT NULL`, `SELECT after FROM change WHERE after IS NOT NULL`},
	{`SELECT before FROM changes`, `SELECT at FROM change`},
	{`SELECT before FROM status_changes`, `SELECT at FROM status_step WHERE health_before IS NOT NULL`},
	{`SELECT from_before FROM squid_assignments`, `SELECT from_before FROM assignment`},
	{`SELECT to_before FROM squid_assignments WHERE to_before IS NOT NULL`, `SELECT to_before FROM assignment WHERE to_before IS NOT NULL`},
	{`SELECT from_before FROM health_periods`, `SELECT at FROM status_step`},
	{`SELECT to_before FROM health_periods`, `SELECT at FROM status_step`},
	{`SELECT from_before FROM squid_health`, `SELECT at FROM status_step UNION SELECT from_before FROM assignment UNION SELECT to_before FROM assignment`},
	{`SELECT seen_at FROM limit_usage`, `SELECT at FROM usage`},
	{`SELECT sent_at FROM snapshots`, `SELECT sent_at FROM response`},
	{`SELECT taken_at FROM snapshots`, `SELECT at FROM response`},
	{`SELECT at FROM failures`, `SELECT at FROM failure`},
}

// FuzzViews: whatever an account looks like, every view can be read, its columns
// have their types, and its instants are those of the tables. Fuzz it with
// -fuzzminimizetime 5x: a database never takes the same way twice, and the fuzzer
// would spend its time on making inputs smaller.
func FuzzViews(f *testing.F) {
	for i, object := range accountFixtures(f) {
		f.Add(object, []byte(`{"status":401}`), 1767593000123+int64(i))
	}
	for _, pair := range [][2]string{
		{`{"a":1e400,"b":"x\u0000y"}`, `{"a":12345678901234567890,"b":null}`},
		{`{"params":{"user":{"a/b~c":{"value":1e999,"max":"x","timestamp":1e99}}}}`, `{"params":{"user":{"":{"current":[],"max":{}}}}}`},
		{`{"params":{"user":{"p":{"value":null,"current":5,"timestamp":-62135596801}}}}`, `{"params":[1]}`},
		{`{"username":5,"type":true,"status":{"a":1},"status_code_info":7}`, `{"username":null,"squids":[{"id":"'\"","name":"\u001b"}]}`},
		{`{"lock_time":"2999-01-01T00:00:00Z","resets_in":"5"}`, `{"lock_time":1e11,"last_synchronization_time":0}`},
	} {
		f.Add([]byte(pair[0]), []byte(pair[1]), int64(253402300799999))
		f.Add([]byte(pair[1]), []byte(pair[0]), int64(1))
	}
	f.Fuzz(func(t *testing.T, first, second []byte, ms int64) {
		const year9999 = 253402300799000
		if ms < 1 || ms > year9999-10_000 {
			ms = 1 + (ms&(1<<62-1))%(year9999-20_000)
		}
		when := time.UnixMilli(ms)
		s := openStore(t, memoryPath(t), at(when))
		for i, raw := range [][]byte{first, second, first} {
			source := []store.Source{store.List, store.Detail, store.List}[i]
			appendFuzzed(t, s, when.Add(time.Duration(i)*1234567*time.Microsecond), source, raw)
		}
		for view, numbers := range viewColumns {
			checkView(t, s, view, numbers)
		}
		for _, pair := range instantColumns {
			checkInstants(t, s, pair[0], pair[1])
		}
	})
}

func accountFixtures(t testing.TB) (objects [][]byte) {
	t.Helper()
	return [][]byte{
		[]byte(`{"squids":[{"name":"A","hash_value":"a"}],"params":{"user":{"profiles":{"max":150,"value":143,"timestamp":1734652799}}},"icon":"aa"}`),
		[]byte(`{"status":"200","status_code_info":"synchronized","last_synchronization_time":"2024-12-16T10:28:43Z"}`),
	}
}

func appendFuzzed(t *testing.T, s *sqlite.Store, when time.Time, source store.Source, raw []byte) {
	t.Helper()
	run, err := s.Begin(t.Context(), "w'x", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	done, err := run.Append(t.Context(), store.Response{
		Source: source, Sent: when, Received: when.Add(time.Second), Accounts: []store.Observed{{ID: ada, Raw: raw}},
	})
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	if done.Captured()+done.Failed != 1 {
		t.Fatalf("%+v of %s", done, raw)
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Complete}); err != nil {
		t.Fatal(err)
	}
}

func checkView(t *testing.T, s *sqlite.Store, view string, numbers map[string]bool) {
	t.Helper()
	var names []string
	err := s.Query(t.Context(), "SELECT * FROM "+view, func(columns []string) error {
		names = slices.Clone(columns)
		return nil
	}, func(row []any) error {
		for i, value := range row {
			_, isText := value.(string)
			if value != nil && !isText && !numbers[names[i]] {
				t.Errorf("%s.%s is the %T %v", view, names[i], value, value)
			}
			if names[i] == "document" && value != nil && !json.Valid([]byte(value.(string))) {
				t.Errorf("%s.document is no JSON: %s", view, value)
			}
		}
		return nil
	})
	if err != nil {
		t.Errorf("%s: %v", view, err)
	}
}

// checkInstants compares the instants of a view with the milliseconds of tables.
func checkInstants(t *testing.T, s *sqlite.Store, view, table string) {
	t.Helper()
	read := func(query string) (all []string) {
		err := s.Query(t.Context(), query, func([]string) error { return nil }, func(row []any) error {
			if ms, ok := row[0].(int64); ok {
				row[0] = report.FormatTime(time.UnixMilli(ms))
			}
			if row[0] != nil {
				all = append(all, fmt.Sprint(row[0]))
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	want, got := read(table), read(view)
	// A response of which nothing was understood has no snapshot.
	got = slices.DeleteFunc(got, func(text string) bool { return slices.Contains(want, text) })
	if len(got) > 0 {
		t.Errorf("%s: %v is not among %v", view, got, want)
	}
}

// TestLimitUsageHasNumbers, to do sums with; what is no number stays text.
func TestLimitUsageHasNumbers(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	want := map[string]any{"7": int64(7), "0.5": 0.5, "9007199254740993": int64(9007199254740993), `"x"`: "x", "[1]": "[1]",
		"123456789012345678901234567890": 123456789012345678901234567890.0}
	var limits []string
	for value := range want {
		limits = append(limits, fmt.Sprintf(`%q:{"value":%s,"max":%s}`, value, value, value))
	}
	take(t, s, start, accountObject(`,"params":{"user":{`+strings.Join(limits, ",")+`}}`))
	err := s.Query(t.Context(), `SELECT limit_name, value, max FROM limit_usage`, func([]string) error { return nil }, func(row []any) error {
		for _, got := range row[1:] {
			if got != want[row[0].(string)] {
				t.Errorf("%s is the %T %v", row[0], got, got)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestUsageAgreesWithItsView: Go and SQL tell the same of a limit.
func TestUsageAgreesWithItsView(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	take(t, s, start, accountObject(`,"params":{"user":{"both":{"value":null,"current":5},"late":{"value":1,"timestamp":1734652799},
		"half":{"value":1,"timestamp":1734652799.5},"old":{"value":1,"timestamp":-5},"none":{"timestamp":null}}}`))
	sql := map[string]string{}
	err := s.Query(t.Context(), `SELECT limit_name, value, resets_at FROM limit_usage`, func([]string) error { return nil }, func(row []any) error {
		sql[row[0].(string)] = fmt.Sprint(row[1], " ", row[2])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for use, err := range s.Usage(t.Context(), store.PeriodQuery{Workspace: "default"}) {
		if err != nil {
			t.Fatal(err)
		}
		value, resets := any(nil), any(nil)
		if use.Value != nil && string(use.Value) != "null" {
			value = string(use.Value)
		}
		if !use.ResetsAt.IsZero() {
			resets = report.FormatTime(use.ResetsAt)
		}
		if got := fmt.Sprint(value, " ", resets); got != sql[use.Limit] {
			t.Errorf("%s is %s in Go and %s in SQL", use.Limit, got, sql[use.Limit])
		}
	}
}
