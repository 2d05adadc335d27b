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
