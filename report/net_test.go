package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

func TestNetSpansTheChangesOfTheSamePath(t *testing.T) {
	start := time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	change := func(path string, after, before int, run int64) store.AccountChange {
		return store.AccountChange{Change: store.Change{Path: path}, Window: store.Window{After: at(after), Before: at(before)}, Run: run}
	}
	pair := store.Pair{
		Account: "a", Username: "ada",
		Old: store.State{At: at(0), List: []byte(`{"status":"200","note":1,"fixed":1}`), Latest: store.List},
		New: store.State{At: at(9), List: []byte(`{"status":"401","note":2,"fixed":1}`), Latest: store.List},
		Changes: []store.AccountChange{
			change("/status", 1, 2, 11), change("/fixed", 2, 3, 12), change("/status", 3, 4, 13),
			change("/fixed", 4, 5, 14), change("/status", 5, 6, 15),
		},
	}
	net, err := Net(pair)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Path          string
		After, Before time.Time
		Run           int64
	}
	var got []row
	for _, c := range net {
		if c.Account != "a" || c.Username != "ada" {
			t.Errorf("a difference of %s %s", c.Account, c.Username)
		}
		got = append(got, row{c.Path, c.Window.After, c.Window.Before, c.Run})
	}
	want := []row{
		{"/status", at(1), at(6), 15},
		{"/note", at(1), at(6), 15}, // no change names it: somewhere among all
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNetOfAFirstSightHasNoBeginning(t *testing.T) {
	before := time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	net, err := Net(store.Pair{
		New:     store.State{At: before, List: []byte(`{"status":"200"}`), Latest: store.List},
		Changes: []store.AccountChange{{Change: store.Change{Kind: store.Appeared}, Window: store.Window{Before: before}, Run: 3}},
	})
	if err != nil || len(net) != 1 {
		t.Fatal(net, err)
	}
	if c := net[0]; c.Kind != store.Appeared || !c.Window.After.IsZero() || c.Window.Before != before || c.Run != 3 {
		t.Errorf("%+v", c)
	}
}
