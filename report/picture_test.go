package report

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// rowNames lists what account rows are called, with a star for steady ones.
func rowNames(platforms []PlatformRows) (names []string) {
	for _, p := range platforms {
		for _, row := range p.Rows {
			names = append(names, string(p.Type)+" "+row.ID)
		}
		for _, row := range p.Steady {
			names = append(names, string(p.Type)+" "+row.ID+"*")
		}
	}
	return names
}

func TestPicturePutsWhatMattersFirst(t *testing.T) {
	in := Input{Since: minute(0), Until: minute(100)}
	add := func(id, kind string, health store.Health, steps ...store.StatusStep) {
		a := account(id, "n"+id, health)
		a.Facts.Type, a.SeenAt = kind, minute(100)
		in.Accounts = append(in.Accounts, a)
		for _, s := range steps {
			s.Account = id
			in.Steps = append(in.Steps, s)
		}
	}
	add("a", "x", store.Healthy)
	add("b", "x", store.Healthy, healthStep(store.Healthy, store.Locked, window(10, 20)), healthStep(store.Locked, store.Healthy, window(30, 40)))
	add("c", "x", store.Gone, healthStep(store.Healthy, store.Gone, window(10, 20)))
	add("d", "x", store.Healthy, healthStep(store.Healthy, store.Locked, window(10, 20)), healthStep(store.Locked, store.Healthy, window(60, 70)))
	add("e", "y", store.Healthy)
	add("f", "y", store.Failing)
	add("g", "z", store.Expired)
	add("h", "z", store.Expired, healthStep(store.Healthy, store.Expired, window(90, 95)))
	in.Changes = []store.AccountChange{
		{Account: "a", Window: window(1, 2), Change: store.Change{Kind: store.Synced}},
		{Account: "e", Window: window(1, 2), Change: store.Change{Kind: store.LimitChanged}},
	}
	p := NewPicture(in, Build(in))
	want := []string{"z g", "z h", "y f", "y e", "x d", "x b", "x c", "x a*"}
	if diff := cmp.Diff(want, rowNames(p.Platforms)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Mark{{WindowJSON{Time{minute(1)}, Time{minute(2)}}, []store.Kind{store.LimitChanged}}}, p.Platforms[1].Rows[1].Marks); diff != "" {
		t.Error(diff)
	}
	var troubled []string
	for _, a := range p.Report.Status.Troubled() {
		troubled = append(troubled, a.ID)
	}
	if diff := cmp.Diff([]string{"g", "h", "f", "d", "b", "c"}, troubled); diff != "" {
		t.Error(diff)
	}
}

func TestEventsAreWhatWasNoticedAtOnce(t *testing.T) {
	change := func(id string, w store.Window, kind store.Kind) store.AccountChange {
		return store.AccountChange{Account: id, Username: "n" + id, Window: w, Change: store.Change{Kind: kind}}
	}
	in := Input{Since: minute(0), Until: minute(100), Changes: []store.AccountChange{
		change("a", window(-9, 0), store.StatusChanged), change("b", window(-9, 0), store.Synced), change("a", window(-9, 0), store.Synced),
		change("a", window(-5, 0), store.Renamed), change("a", window(5, 9), store.Synced), change("a", window(5, 100), store.Renamed),
	}}
	r := Build(in)
	if len(r.Changes) != 5 {
		t.Errorf("%d changes of the period", len(r.Changes))
	}
	var got []string
	for _, e := range NewPicture(in, r).Events {
		kinds := ""
		for _, c := range e.Changes {
			kinds += " " + string(c.Kind)
		}
		got = append(got, e.Account+kinds)
	}
	if diff := cmp.Diff([]string{"a synced", "b synced", "a username", "a status synced"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLanesTellHowAssignmentsEnd(t *testing.T) {
	end := func(after, before int) *store.Window { w := window(after, before); return &w }
	assigned := func(squid, id string, from store.Window, to *store.Window) store.Assignment {
		return store.Assignment{Squid: squid, SquidName: squid, Account: id, Username: "n" + id, From: from, To: to}
	}
	first := store.Window{Before: minute(-50)}
	in := Input{Since: minute(0), Until: minute(100), Accounts: []store.AccountState{
		account("a", "na", store.Healthy), account("b", "nb", store.Healthy), account("g", "ng", store.Gone),
	}, Assignments: []store.Assignment{
		assigned("lasting", "a", first, nil),
		assigned("lost", "a", first, end(10, 20)),
		assigned("moved", "a", first, end(10, 20)), assigned("moved", "b", window(15, 25), nil),
		assigned("gone", "g", first, end(10, 20)), assigned("gone", "b", window(20, 25), nil),
		assigned("began", "a", window(-5, 5), nil), assigned("old", "a", window(-9, -5), nil),
	}}
	var got []string
	for _, s := range NewPicture(in, Build(in)).Squids {
		line := fmt.Sprint(s.ID, " ", s.Moved())
		for _, l := range s.Lanes {
			line += fmt.Sprintf(" %s %q %v", l.ID, l.End, l.Began)
			if l.Next != nil {
				line += " " + l.Next.ID
			}
		}
		got = append(got, line)
	}
	want := []string{
		`gone true g "account gone" false b "" true`, `lost true a "lost" false`, `moved true a "replaced" false b b "" true`,
		`began true a "" true`, `lasting false a "" false`, `old false a "" false`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestChartsOfLimits(t *testing.T) {
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	hours := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) }
	use := func(limit string, value, seen int) store.Use {
		return store.Use{Account: "a", Username: "ann", Limit: limit, Value: json.RawMessage(fmt.Sprint(value)), Max: json.RawMessage("100"),
			SeenAt: hours(seen), ResetsAt: hours(seen - seen%24 + 24)}
	}
	a := account("a", "ann", store.Healthy)
	a.FirstSeen, a.SeenAt = hours(-99), hours(99)
	in := Input{
		Since: hours(6), Until: hours(96), Accounts: []store.AccountState{a},
		Uses: []store.Use{use("calm", 10, 7), use("calm", 40, 9), use("calm", 5, 26), use("calm", 3, 50), use("calm", 3, 80), use("edited", 10, 7), use("full", 80, 7), use("idle", 0, 7)},
		Changes: []store.AccountChange{
			{Account: "a", Window: store.Window{After: hours(8), Before: hours(9)}, Change: store.Change{
				Kind: store.LimitChanged, Path: "/params/user/edited/max", Old: json.RawMessage("50"), New: json.RawMessage("100")}},
			{Account: "a", Window: store.Window{After: hours(8), Before: hours(9)}, Change: store.Change{Kind: store.LimitChanged, Path: "/params/user/calm/default"}},
		},
	}
	var got []string
	for _, c := range NewPicture(in, Build(in)).Limits {
		got = append(got, fmt.Sprint(c.Limit, " ", c.Notable(), c.Used(), c.Bars, c.Resets, len(c.Edits)))
	}
	want := []string{
		"full true true [{0 0.8}] [] 0", "edited true true [{0 0.1}] [] 1",
		"calm false true [{0 0.4} {1 0.05} {2 0.03} {3 0.03}] [1 2] 0", "idle false false [{0 0}] [] 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestColumnsTellTheWorst: each column has the worst of what was possible in it, by
// looking at many instants.
func TestColumnsTellTheWorst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		n := 1 + r.IntN(40)
		life := Life{Health: store.Healthy, FirstSeen: minute(r.IntN(30)), LastSeen: minute(60 + r.IntN(60))}
		health := store.Healthy
		for at := 5 + r.IntN(30); at < 60; at += 1 + r.IntN(20) {
			next := store.Healths[r.IntN(len(store.Healths))]
			life.Steps = append(life.Steps, healthStep(health, next, window(at, at+r.IntN(10))))
			health = next
		}
		life.Health = health
		line := NewTimeline(life, minute(0), minute(100))
		want := make([]Column, n)
		for _, s := range line.Segments {
			for i := range want {
				from := minute(0).Add(minutes(100) * time.Duration(i) / time.Duration(n))
				to := minute(0).Add(minutes(100) * time.Duration(i+1) / time.Duration(n))
				if len(s.Healths) > 0 && s.From.Before(to) && from.Before(s.To) {
					want[i].see(s)
				}
			}
		}
		if diff := cmp.Diff(want, line.Columns(n)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestColumnsOfNothing(t *testing.T) {
	if c := (Timeline{}).Columns(5); c != nil {
		t.Error(c)
	}
	if c := NewTimeline(Life{}, minute(0), minute(1)).Columns(0); c != nil {
		t.Error(c)
	}
	line := NewSparkline(account("a", "ann", store.Expired), []store.StatusStep{healthStep(store.Healthy, store.Expired, window(10, 20))}, minute(0), minute(100), 10)
	want := []Column{{store.Healthy, true}, {store.Expired, false}, {store.Expired, true}, {store.Expired, true}, {store.Expired, true}, {}, {}, {}, {}, {}}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Error(diff)
	}
}
