package sqlite_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
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
		uses := collect(t, s.Usage(t.Context(), q))
		var got []string
		for _, use := range uses {
			got = append(got, use.Limit+" "+string(use.Value))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("from %d to %d: %q, want %q", test.since, test.until, got, test.want)
		}
	}
}

// TestEditedLimits: the last movement of a counter tells the limit in force, where that is
// another one than when it moved.
func TestEditedLimits(t *testing.T) {
	const gone = "gone"
	for name, test := range map[string]struct {
		objects []string // the settings of one account, hour by hour
		want    string   // the movements: limit, counter, limit in force then, and the edited one
	}{
		"nothing":           {[]string{`"p":{"max":100,"value":1}`, `"p":{"max":100,"value":1}`}, "p 1 100 "},
		"the counter moved": {[]string{`"p":{"max":100,"value":1}`, `"p":{"max":100,"value":2}`}, "p 1 100 , p 2 100 "},
		"edited":            {[]string{`"p":{"max":100,"value":1}`, `"p":{"max":200,"value":1}`}, "p 1 100 200"},
		"edited twice": {[]string{`"p":{"max":100,"value":1}`, `"p":{"max":200,"value":1}`, `"p":{"max":300,"value":1}`},
			"p 1 100 300"},
		"edited to null":  {[]string{`"p":{"max":100,"value":1}`, `"p":{"max":null,"value":1}`}, "p 1 100 null"},
		"no longer sent":  {[]string{`"p":{"max":100,"value":1}`, `"p":{"value":1}`}, "p 1 100 "},
		"sent as a list":  {[]string{`"p":{"max":100,"value":1}`, `"p":{"max":[7],"value":1}`}, "p 1 100 [7]"},
		"a setting of it": {[]string{`"p":{"max":100,"value":1}`, `"p":{"max":100,"value":1,"default":7}`}, "p 1 100 "},
		"before it moved": {[]string{`"p":{"max":100,"value":1}`, `"p":{"max":200,"value":1}`, `"p":{"max":200,"value":2}`},
			"p 1 100 , p 2 200 "},
		"another one moved since": {[]string{`"p":{"max":100,"value":1},"q":{"max":1,"value":1}`,
			`"p":{"max":200,"value":1},"q":{"max":1,"value":1}`, `"p":{"max":200,"value":1},"q":{"max":1,"value":2}`},
			"p 1 100 200, q 1 1 , q 2 1 "},
		"another one whose name begins alike": {[]string{`"p":{"max":100,"value":1},"pq":{"max":1}`, `"p":{"max":100,"value":1},"pq":{"max":2}`},
			"p 1 100 "},
		"a name that a pointer escapes": {[]string{`"p/~":{"max":100,"value":1}`, `"p/~":{"max":200,"value":1}`}, "p/~ 1 100 200"},
		"no limit was sent":             {[]string{`"p":{"value":1}`, `"p":{"value":1,"max":5}`, `"p":{"value":2,"max":5}`}, "p 1  , p 2 5 "},
		"none before":                   {[]string{`"p":{"value":1}`, `"p":{"value":1,"max":5}`}, "p 1  5"},
		"edited, then gone":             {[]string{`"p":{"max":100,"value":1}`, `"p":{"max":200,"value":1}`, gone}, "p 1 100 "},
		"back with another":             {[]string{`"p":{"max":100,"value":1}`, gone, `"p":{"max":200,"value":1}`}, "p 1 100 200"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, memoryPath(t), at(start))
			for hour, params := range test.objects {
				now := start.Add(time.Duration(hour) * time.Hour)
				if params == gone {
					lose(t, s, now, ada)
				} else {
					take(t, s, now, accountObject(`,"params":{"user":{`+params+`}}`))
				}
			}
			var got []string
			for _, use := range collect(t, s.Usage(t.Context(), store.PeriodQuery{Workspace: "default"})) {
				got = append(got, fmt.Sprintf("%s %s %s %s", use.Limit, use.Value, use.Max, use.EditedMax))
			}
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// lose is a detail call that is answered with 404.
func lose(t *testing.T, s *sqlite.Store, when time.Time, account string) {
	t.Helper()
	run, err := s.Begin(t.Context(), "default", store.ScopeNamed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Append(t.Context(), store.Response{Source: store.Detail, Sent: when, Received: when, Absent: []string{account}}); err != nil {
		t.Fatal(err)
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Complete, Requested: 1}); err != nil {
		t.Fatal(err)
	}
}
