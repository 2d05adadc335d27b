package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

// TestDifferencesThatNoStepTells: where the changes between two moments do not tell what was
// known at the first one, it is read.
func TestDifferencesThatNoStepTells(t *testing.T) {
	const id = "6e5f36d27502ec69fda745ec59ead509"
	type look struct {
		source  store.Source
		members string
	}
	for name, test := range map[string]struct {
		looks    []look
		from, to int
		want     []string
	}{
		"the detail tells later of another type": {
			[]look{{store.List, `"status":"200"`}, {store.Detail, `"status":"200"`}, {store.List, `"status":400`}, {store.Detail, `"status":400`}, {store.List, `"status":402`}},
			2, 4, []string{"status /status 400 402", `schema /status "200" 400`},
		},
		"and so does it of a list": {
			[]look{{store.List, `"x":[1]`}, {store.Detail, `"x":[1]`}, {store.List, `"x":5`}, {store.Detail, `"x":5`}, {store.List, `"x":6`}},
			2, 4, []string{"field /x 5 6", "schema /x [1] 5"},
		},
		"an account of imports alone goes and comes": {
			[]look{{store.Import, `"status_code_info":"a","x":1`}, {store.Import, `"status_code_info":"a","x":2`}, {store.Detail, ""}, {store.Import, `"status_code_info":"a","x":3`}},
			0, 3, []string{"field /x 1 3"},
		},
		"the API confirms a status that was out of date": {
			[]look{{store.List, `"status":"402","status_code_info":"a"`}, {store.Import, `"status_code_info":"b"`}, {store.List, `"status":"402","status_code_info":"b"`}, {store.List, `"status":"500","status_code_info":"b"`}},
			0, 3, []string{`status /status "402" "500"`, `status /status_code_info "a" "b"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, memoryPath(t), time.Now)
			at := func(hours int) time.Time { return time.Date(2026, 3, 2, hours, 0, 0, 0, time.UTC) }
			for hour, look := range test.looks {
				run, err := s.Begin(t.Context(), "default", store.ScopeNamed)
				if err != nil {
					t.Fatal(err)
				}
				raw := fmt.Appendf(nil, `{"id":%q,%s}`, id, look.members)
				r := store.Response{Source: look.source, Sent: at(hour), Received: at(hour), Accounts: []store.Observed{{ID: id, Raw: raw}}}
				if look.members == "" {
					r.Accounts, r.Absent = nil, []string{id}
				}
				if _, err := run.Append(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				if err := finishRun(t.Context(), run, 0); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, pair := range collect(t, s.Pairs(t.Context(), "default", "", at(test.from), at(test.to))) {
				net, err := report.Net(pair)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range net {
					got = append(got, fmt.Sprintf("%s %s %s %s", c.Kind, c.Path, c.Old, c.New))
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
