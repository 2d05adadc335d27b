package impact_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report/impact"
	"github.com/lobstrail/lobstrail/store"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// account is one of the store: "ada linkedin healthy Leads,Other".
func account(text string) store.AccountState {
	words := strings.Fields(text + " ")
	a := store.AccountState{ID: words[0], Facts: store.Facts{Username: words[0], Type: words[1], Health: store.Health(words[2]), Info: "synchronized"}}
	if a.Facts.Health != store.Healthy && a.Facts.Health != store.Locked {
		a.Facts.Info = "cookies_expired"
	}
	if len(words) > 3 {
		for id := range strings.SplitSeq(words[3], ",") {
			a.Facts.Squids = append(a.Facts.Squids, store.Squid{ID: id, Name: id})
		}
	}
	return a
}

func accounts(texts ...string) (all []store.AccountState) {
	for _, text := range texts {
		all = append(all, account(text))
	}
	return all
}

// squid is one of the API: its accounts, as "ada" or "ada=cookies_expired", and what it
// starts.
func squid(id string, attached []string, starts ...string) impact.Squid {
	s := impact.Squid{ID: id, Name: id, Accounts: []impact.Attached{}, Chain: []impact.Link{}, NextLaunch: noon}
	for _, text := range attached {
		name, status, given := strings.Cut(text, "=")
		if !given {
			status = "synchronized"
		}
		s.Accounts = append(s.Accounts, impact.Attached{ID: name, Status: status})
	}
	for _, target := range starts {
		s.Chain = append(s.Chain, impact.Link{ID: target, Name: target, Active: true})
	}
	return s
}

// told is a squid with what its crawler needs.
func told(s impact.Squid, needs string) impact.Squid {
	s.Needs = &needs
	return s
}

// live makes the API say of the named accounts what the store says.
func live(in impact.Input) impact.Input {
	in.Live, in.Facts = true, map[string]store.Facts{}
	for _, a := range in.Accounts {
		if slices.Contains(in.Named, a.ID) {
			in.Facts[a.ID] = a.Facts
		}
	}
	return in
}

// summary is what matters of an answer in one line: the squids that break, those that go
// on, and the stand-ins.
func summary(r impact.Impact) string {
	parts := []string{}
	for _, s := range r.Squids {
		sign := "+"
		if s.Breaks {
			sign = "-"
		}
		parts = append(parts, fmt.Sprintf("%s%s/%d>%d", sign, s.ID, s.WorkingNow, s.WorkingAfter))
	}
	parts = append(parts, "|")
	for _, a := range r.Replacements {
		parts = append(parts, fmt.Sprintf("%s:%d", a.ID, a.Squids))
	}
	if !r.Complete {
		parts = append(parts, "incomplete")
	}
	if len(r.Differences) > 0 {
		parts = append(parts, "different")
	}
	return strings.Join(parts, " ")
}

var team = accounts("ada t healthy L,M", "ben t healthy L", "cleo u healthy L", "dora t healthy", "eve t locked", "finn t expired", "gus t gone L")

func TestWhatBreaks(t *testing.T) {
	for name, test := range map[string]struct {
		in   impact.Input
		want string
	}{
		"offline, a squid goes on if another account of the type works": {
			impact.Input{Accounts: team, Named: []string{"ada"}, Squids: []impact.Squid{{ID: "L"}, {ID: "M"}}},
			"-M/1>0 +L/2>1 | dora:0 ben:1"},
		"several accounts are taken together": {
			impact.Input{Accounts: team, Named: []string{"ada", "ben"}, Squids: []impact.Squid{{ID: "L"}, {ID: "M"}}},
			"-L/2>0 -M/1>0 | dora:0"},
		"an account that no squid uses": {
			impact.Input{Accounts: team, Named: []string{"dora"}, Squids: []impact.Squid{{ID: "L"}, {ID: "M"}}}, "| ben:1 ada:2"},
		"an account that is gone": {
			impact.Input{Accounts: team, Named: []string{"gus"}, Squids: []impact.Squid{{ID: "L"}}}, "| dora:0 ben:1 ada:2"},
		"a locked account works": {
			live(impact.Input{Accounts: team, Named: []string{"ada"}, Squids: []impact.Squid{told(squid("L", []string{"ada", "eve"}), "t")}}),
			"+L/2>1 | dora:0 ben:1"},
		"the type that counts is that of the crawler": {
			live(impact.Input{Accounts: accounts("ada t healthy L", "cleo u healthy L"), Named: []string{"ada"},
				Squids: []impact.Squid{told(squid("L", []string{"ada", "cleo"}), "u")}}),
			"+L/2>1 |"},
		"an account of another type than the crawler needs is none": {
			live(impact.Input{Accounts: accounts("ada t healthy L", "cleo u healthy L"), Named: []string{"ada"},
				Squids: []impact.Squid{told(squid("L", []string{"ada", "cleo"}), "t")}}),
			"-L/1>0 |"},
		"healthy and locked are no difference": {
			impact.Input{Live: true, Accounts: accounts("ada t locked L"), Named: []string{"ada"},
				Facts:  map[string]store.Facts{"ada": {Health: store.Healthy, Squids: []store.Squid{{ID: "L"}}}},
				Squids: []impact.Squid{squid("L", []string{"ada"})}},
			"-L/1>0 |"},
		"the squid alone says that it uses the account": {
			impact.Input{Live: true, Accounts: accounts("ada t healthy"), Named: []string{"ada"}, Facts: map[string]store.Facts{"ada": {Health: store.Healthy}},
				Squids: []impact.Squid{squid("L", []string{"ada"})}},
			"-L/1>0 | different"},
		"a squid that needs no account goes on": {
			live(impact.Input{Accounts: accounts("ada t healthy L"), Named: []string{"ada"}, Squids: []impact.Squid{told(squid("L", []string{"ada"}), "")}}),
			"+L/1>0 |"},
		"an account that the API says does not work is none": {
			live(impact.Input{Accounts: accounts("ada t healthy L", "ben t healthy L"), Named: []string{"ada"},
				Squids: []impact.Squid{squid("L", []string{"ada", "ben=cookies_expired"})}}),
			"-L/1>0 | different"},
		"an account that the store says does not work is none": {
			live(impact.Input{Accounts: accounts("ada t healthy L", "ben t expired L"), Named: []string{"ada"},
				Squids: []impact.Squid{squid("L", []string{"ada", "ben"})}}),
			"-L/1>0 | different"},
		"an account that the store does not know counts as the API says": {
			live(impact.Input{Accounts: accounts("ada t healthy L"), Named: []string{"ada"}, Squids: []impact.Squid{squid("L", []string{"ada", "new"})}}),
			"+L/2>1 | different"},
		"and if the API does not say, it does not work": {
			live(impact.Input{Accounts: accounts("ada t healthy L"), Named: []string{"ada"}, Squids: []impact.Squid{squid("L", []string{"ada", "new="})}}),
			"-L/1>0 | different"},
		"an expired account has no working squid to lose, which breaks anyhow": {
			live(impact.Input{Accounts: accounts("ada t expired L"), Named: []string{"ada"}, Squids: []impact.Squid{squid("L", []string{"ada=cookies_expired"})}}),
			"-L/0>0 |"},
		"the API says that the squid does not use it any more": {
			impact.Input{Live: true, Accounts: accounts("ada t healthy L"), Named: []string{"ada"}, Facts: map[string]store.Facts{"ada": {Health: store.Healthy}},
				Squids: []impact.Squid{squid("L", []string{"ben"})}},
			"| different"},
		"one of both says that it does": {
			live(impact.Input{Accounts: accounts("ada t healthy L"), Named: []string{"ada"}, Squids: []impact.Squid{squid("L", []string{})}}),
			"-L/0>0 | different"},
		"the store does not know it yet": {
			impact.Input{Live: true, Accounts: accounts("ada t healthy"), Named: []string{"ada"},
				Facts:  map[string]store.Facts{"ada": {Health: store.Healthy, Squids: []store.Squid{{ID: "L"}}}},
				Squids: []impact.Squid{squid("L", []string{"ada"})}},
			"-L/1>0 | different"},
		"the squid is deleted": {
			live(impact.Input{Accounts: accounts("ada t healthy L"), Named: []string{"ada"}, Squids: []impact.Squid{{ID: "L", Deleted: true}}}), "| different"},
		"the API did not tell of the account and the squid": {
			impact.Input{Live: true, Accounts: accounts("ada t healthy L"), Named: []string{"ada"}, Squids: []impact.Squid{{ID: "L"}}, Problems: []string{"no answer"}},
			"-L/1>0 | incomplete"},
		"a squid that is stopped": {
			live(impact.Input{Accounts: team, Stopped: []string{"L"}, Squids: []impact.Squid{squid("L", []string{"ada", "ben"})}}), "-L/2>2 |"},
		"a squid that is stopped and deleted already": {
			live(impact.Input{Accounts: team, Stopped: []string{"L"}, Squids: []impact.Squid{{ID: "L", Deleted: true}}}), "+L/3>3 |"},
	} {
		r := impact.Of(test.in)
		if got := summary(r); got != test.want {
			t.Errorf("%s: %s, want %s; %q %q", name, got, test.want, r.Problems, r.Differences)
		}
	}
}

func TestWhatBreaksUpstreamBreaksDownstream(t *testing.T) {
	ada := accounts("ada t healthy L", "ben t healthy M")
	long := []impact.Squid{squid("L", []string{"ada"}, "S1")}
	for i := 1; i <= 20; i++ {
		long = append(long, squid(fmt.Sprint("S", i), nil, fmt.Sprint("S", i+1)))
	}
	off := squid("L", []string{"ada"}, "M")
	off.Chain[0].Active = false
	nested := squid("L", []string{"ada"}, "M")
	nested.Chain[0].Chain = []impact.Link{{ID: "N", Name: "N", Active: true, Chain: []impact.Link{}}}
	for name, test := range map[string]struct {
		squids []impact.Squid
		want   string
	}{
		"a chain":                    {[]impact.Squid{squid("L", []string{"ada"}, "M"), squid("M", []string{"ben"}, "N"), squid("N", nil)}, "-L -M -N"},
		"a circle":                   {[]impact.Squid{squid("L", []string{"ada"}, "M"), squid("M", []string{"ben"}, "L")}, "-L -M"},
		"a squid that starts itself": {[]impact.Squid{squid("L", []string{"ada"}, "L")}, "-L"},
		"a chain that is off":        {[]impact.Squid{off, squid("M", []string{"ben"})}, "-L"},
		"a deleted target":           {[]impact.Squid{squid("L", []string{"ada"}, "M"), {ID: "M", Deleted: true}}, "-L"},
		"a target that is not known": {[]impact.Squid{squid("L", []string{"ada"}, "M")}, "-L -M incomplete"},
		"a chain within a link":      {[]impact.Squid{nested}, "-L -M -N"},
		"what is not known":          {[]impact.Squid{{ID: "L"}}, "-L incomplete"},
		"a chain without end":        {long, "-L -S1 -S10 -S2 -S3 -S4 -S5 -S6 -S7 -S8 -S9 incomplete"},
	} {
		r := impact.Of(live(impact.Input{Accounts: ada, Named: []string{"ada"}, Squids: test.squids}))
		got := ""
		for _, s := range r.Squids {
			got += map[bool]string{true: "-", false: "+"}[s.Breaks] + s.ID + " "
		}
		if !r.Complete {
			got += "incomplete"
		}
		if strings.TrimSpace(got) != test.want {
			t.Errorf("%s: %s, want %s; %q", name, got, test.want, r.Problems)
		}
	}
	r := impact.Of(live(impact.Input{Accounts: ada, Named: []string{"ada"}, Squids: []impact.Squid{squid("L", []string{"ada"}, "M"), squid("M", []string{"ben"})}}))
	if m := r.Squids[1]; m.Why != impact.Chained || m.StartedBy != "L" || m.WorkingNow != 1 || !r.Breaks || r.Breaking != 2 {
		t.Errorf("%+v", m)
	}
}

func TestWhatStartsFirstStandsFirst(t *testing.T) {
	at := func(id string, next time.Time) impact.Squid {
		s := squid(id, []string{"ada"})
		s.NextLaunch = next
		return s
	}
	in := live(impact.Input{Accounts: accounts("ada t healthy A,B,C,D", "ben t healthy D"), Named: []string{"ada"}, Squids: []impact.Squid{
		at("A", time.Time{}), at("B", noon.Add(time.Hour)), at("C", noon), squid("D", []string{"ada", "ben"}),
	}})
	r := impact.Of(in)
	if got := summary(r); got != "-C/1>0 -B/1>0 -A/1>0 +D/2>1 | ben:1" || !r.NextLaunchAt.Equal(noon) {
		t.Errorf("%s, next %s", got, r.NextLaunchAt)
	}
}

func TestAccountsOfStoppedSquidsAreIdle(t *testing.T) {
	r := impact.Of(live(impact.Input{Accounts: team, Stopped: []string{"L"}, Squids: []impact.Squid{squid("L", []string{"ada", "ben", "cleo"})}}))
	if len(r.IdleAccounts) != 2 || r.IdleAccounts[0].ID != "ben" || r.IdleAccounts[1].ID != "cleo" {
		t.Errorf("%+v", r.IdleAccounts)
	}
}
