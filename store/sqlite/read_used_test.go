package sqlite_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// TestUsedLimits: those whose counter moved to the share in the period, with what
// they were before it.
func TestUsedLimits(t *testing.T) {
	s := openStore(t, memoryPath(t), time.Now)
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	run, err := s.Begin(t.Context(), "default", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	for hour, values := range [][2]int{{10, 90}, {79, 5}, {20, 80}, {81, 5}, {90, 6}} {
		at := begin.Add(time.Duration(hour) * time.Hour)
		raw := fmt.Appendf(nil, `{"id":%q,"status":"200","params":{"user":{"a":{"max":100,"value":%d},"b":{"max":"100","value":%d},`+
			`"c":{"max":0,"value":%d},"d":{"value":%d}}}}`, "6e5f36d27502ec69fda745ec59ead509", values[0], values[1], values[0], values[0])
		_, err := run.Append(t.Context(), store.Response{
			Source: store.Detail, Sent: at, Received: at, Accounts: []store.Observed{{ID: "6e5f36d27502ec69fda745ec59ead509", Raw: raw}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		since, until int
		want         []string
	}{
		{1, 2, []string{"b 5", "b 80"}},
		{2, 3, []string{"a 20", "a 81"}},
		{1, 4, []string{"a 79", "a 20", "a 81", "a 90", "b 5", "b 80", "b 5", "b 6"}},
		{5, 9, nil},
	} {
		q := store.PeriodQuery{
			Workspace: "default", Since: begin.Add(time.Duration(test.since) * time.Hour),
			Until: begin.Add(time.Duration(test.until) * time.Hour), Used: 0.8,
		}
		uses, _, err := s.Limits(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, use := range uses {
			got = append(got, use.Limit+" "+string(use.Value))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("from %d to %d: %q, want %q", test.since, test.until, got, test.want)
		}
	}
}

// TestChangedSettings: the document is read of an account whose limit is another one, or
// new or no longer sent, since a counter last moved, and of no other.
func TestChangedSettings(t *testing.T) {
	for name, test := range map[string]struct {
		objects []string // the params of one account, hour by hour
		want    bool
	}{
		"nothing":           {[]string{`{"p":{"max":100,"value":1}}`, `{"p":{"max":100,"value":1}}`}, false},
		"the counter moved": {[]string{`{"p":{"max":100,"value":1}}`, `{"p":{"max":100,"value":2}}`}, false},
		"another limit":     {[]string{`{"p":{"max":100,"value":1}}`, `{"p":{"max":200,"value":1}}`}, true},
		"before it moved":   {[]string{`{"p":{"max":100,"value":1}}`, `{"p":{"max":200,"value":1}}`, `{"p":{"max":200,"value":2}}`}, false},
		"another one moved since": {[]string{`{"p":{"max":100,"value":1},"q":{"max":1,"value":1}}`,
			`{"p":{"max":200,"value":1},"q":{"max":1,"value":1}}`, `{"p":{"max":200,"value":1},"q":{"max":1,"value":2}}`}, true},
		"one that is new":   {[]string{`{"p":{"max":100,"value":1}}`, `{"p":{"max":100,"value":1},"q":{"max":7}}`}, true},
		"one that is gone":  {[]string{`{"p":{"max":100,"value":1},"q":{"max":7}}`, `{"p":{"max":100,"value":1}}`}, true},
		"no limit was told": {[]string{`{"p":{"value":1}}`, `{"p":{"value":1,"max":5}}`, `{"p":{"value":2,"max":5}}`}, false},
		"none before":       {[]string{`{"p":{"value":1}}`, `{"p":{"value":1,"max":5}}`}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, memoryPath(t), at(start))
			for hour, params := range test.objects {
				take(t, s, start.Add(time.Duration(hour)*time.Hour), accountObject(`,"params":{"user":`+params+`}`))
			}
			_, settings, err := s.Limits(t.Context(), store.PeriodQuery{Workspace: "default"})
			if err != nil {
				t.Fatal(err)
			}
			if got := settings[ada] != nil; got != test.want {
				t.Errorf("the document was read: %t", got)
			}
		})
	}
}
