package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// TestADifferenceAcrossALoss: of an account that was gone between two moments, what was known
// at these is compared, and nothing that was received later.
func TestADifferenceAcrossALoss(t *testing.T) {
	s := openStore(t, memoryPath(t), time.Now)
	const id = "6e5f36d27502ec69fda745ec59ead509"
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	at := func(hours int) time.Time { return begin.Add(time.Duration(hours) * time.Hour) }
	run, err := s.Begin(t.Context(), "default", store.ScopeNamed)
	if err != nil {
		t.Fatal(err)
	}
	for hour, x := range []string{"1", "2", "", "3", "4"} {
		r := store.Response{Source: store.Detail, Sent: at(hour), Received: at(hour)}
		if x == "" {
			r.Absent = []string{id}
		} else {
			r.Accounts = []store.Observed{{ID: id, Raw: fmt.Appendf(nil, `{"id":%q,"status":"200","x":%s}`, id, x)}}
		}
		if _, err := run.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		from, to int
		want     string
	}{
		{0, 3, "field /x 1 3"}, {1, 3, "field /x 2 3"}, {0, 4, "field /x 1 4"}, {2, 4, "returned "}, {0, 2, "gone "}, {0, 1, "field /x 1 2"},
	} {
		pairs := collect(t, s.Pairs(t.Context(), "default", "", at(test.from), at(test.to)))
		if len(pairs) != 1 {
			t.Fatalf("from %d to %d: %d accounts", test.from, test.to, len(pairs))
		}
		net, err := report.Net(pairs[0])
		if err != nil || len(net) != 1 {
			t.Fatalf("from %d to %d: %+v, %v", test.from, test.to, net, err)
		}
		got := fmt.Sprintf("%s %s", net[0].Kind, net[0].Path)
		if net[0].Path != "" {
			got += fmt.Sprintf(" %s %s", net[0].Old, net[0].New)
		}
		if got != test.want {
			t.Errorf("from %d to %d: %q, want %q", test.from, test.to, got, test.want)
		}
	}
}
