package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

func TestParseInstant(t *testing.T) {
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for raw, want := range map[string]string{
		`1734344923`: "2024-12-16T10:28:43Z", `"1734344923"`: "2024-12-16T10:28:43Z", `1734344923.0`: "2024-12-16T10:28:43Z",
		`1.734344923e9`: "2024-12-16T10:28:43Z", `1734344923.000000001`: "2024-12-16T10:28:43.000000001Z",
		`1734344923250`: "2024-12-16T10:28:43.25Z", `"1734344923250"`: "2024-12-16T10:28:43.25Z",
		`"2024-12-16T10:28:43Z"`: "2024-12-16T10:28:43Z", `"2024-12-16T11:28:43+01:00"`: "2024-12-16T10:28:43Z",
		`"2024-12-16T05:28:43-0500"`: "2024-12-16T10:28:43Z", `"2024-12-16T11:28:43+01"`: "2024-12-16T10:28:43Z",
		`"2024-12-16T10:28:43.123456Z"`: "2024-12-16T10:28:43.123456Z", `"2024-12-16 10:28:43"`: "2024-12-16T10:28:43Z",
		`"2024-12-16T10:28:43"`: "2024-12-16T10:28:43Z", `"2024-12-16 10:28:43.5+00:00"`: "2024-12-16T10:28:43.5Z",
		`"2024-12-16T10:28Z"`: "2024-12-16T10:28:00Z", `"2024-12-16"`: "2024-12-16T00:00:00Z", `0`: "1970-01-01T00:00:00Z",
		`-1.5`: "1969-12-31T23:59:58.5Z", `99999999999`: "5138-11-16T09:46:39Z", `253402300799000`: "9999-12-31T23:59:59Z",
	} {
		if got, ok := store.ParseInstant(json.RawMessage(raw)); !ok || !got.Equal(at(want)) {
			t.Errorf("%s is %s (%v), want %s", raw, got.Format(time.RFC3339Nano), ok, want)
		}
	}
	for _, raw := range []string{
		``, `null`, `true`, `{}`, `[1]`, `"soon"`, `""`, `" "`, `1e18`, `1e999999999`, `1e-999999999`, `"01734344923"`, `"2024-13-01"`, `"2024-02-30"`,
		`"16/12/2024"`, `"10:28"`, `1734344923000000`, `-1e15`, `"NaN"`, `"Inf"`, `"0x10"`, `"1_000"`, `"\ud800"`,
	} {
		if got, ok := store.ParseInstant(json.RawMessage(raw)); ok {
			t.Errorf("%s is %s", raw, got)
		}
	}
}

func TestParseResetsIn(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	const none = time.Duration(0)
	for raw, want := range map[string]time.Duration{
		``: none, `null`: none, `0`: none, `"0"`: none, `-5`: none, `0.001`: time.Millisecond, `90`: 90 * time.Second, `"90"`: 90 * time.Second,
		`2.5`: 2500 * time.Millisecond, `1e3`: 1000 * time.Second, `999999999`: 999999999 * time.Second,
		`1793535000`: 10 * time.Minute, `"1793535000"`: 10 * time.Minute, `1793535000000`: 10 * time.Minute, `1793534000`: none,
		`"2026-11-01T12:10:00Z"`: 10 * time.Minute, `"2026-11-01T13:10:00+01:00"`: 10 * time.Minute, `"2026-11-02"`: 12 * time.Hour,
		`"2026-11-01"`: none,
	} {
		until, ok := store.ParseResetsIn(json.RawMessage(raw), now)
		got := none
		if !until.IsZero() {
			got = until.Sub(now)
		}
		if !ok || got != want {
			t.Errorf("%s: %s are left (%v), want %s", raw, got, ok, want)
		}
	}
	for _, raw := range []string{`true`, `false`, `{}`, `[]`, `"soon"`, `""`, `"5m"`, `"00:05:00"`, `1e400`, `1e18`} {
		if until, ok := store.ParseResetsIn(json.RawMessage(raw), now); ok {
			t.Errorf("%s: until %s", raw, until)
		}
	}
}

func TestCheckLock(t *testing.T) {
	for _, test := range []struct{ lockTime, resetsIn, want string }{
		{"", "", ""}, {"null", "null", ""}, {`"2026-11-01"`, `5`, ""}, {`"soon"`, `5`, "lock_time"}, {`null`, `"soon"`, "resets_in"}, {`false`, ``, "lock_time"},
	} {
		if got := store.CheckLock(json.RawMessage(test.lockTime), json.RawMessage(test.resetsIn)); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}
