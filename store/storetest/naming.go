package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Naming is the law that accounts and squids are found at a moment by the names of then, that
// one that is called so comes before one that was, and that a former name is told.
func Naming(t *testing.T, open Opener) {
	d := newDesk(t, open)
	account := func(n int, name, squid string) string {
		return fmt.Sprintf(`{"id":%q,"username":%q,"status":"200","squids":[{"id":"s%d","name":%q}]}`, id(n), name, n, squid)
	}
	look := func(objects ...string) time.Time {
		d.look(store.List, objects...)
		return *d.now
	}
	before := d.now.Add(time.Minute)
	first := look(account(1, "u1", "Leads"), account(2, "u2", "Pages"))
	second := look(account(1, "new", "News"), account(2, "u2", "Pages"), account(3, "u10", "Tens"))
	third := look(account(1, "new", "News"), account(2, "u1", "Leads"), account(3, "u11", "Tens"), account(4, "u10", "More"))
	for _, test := range []struct {
		reference string
		at        time.Time
		want      string // the number of the account and of the squid, and a former name of each
	}{
		{"u1", first, "1"}, {"U1", first.Add(time.Hour - time.Second), "1"}, {"u2", first, "2"}, {"new", first, ""}, {"u1", before, ""},
		{"new", second, "1"}, {"u1", second, "1 was u1"}, {"u10", second, "3"},
		{"u1", third, "2"}, {"u1", time.Time{}, "2"}, {"u2", time.Time{}, "2 was u2"}, {"u10", time.Time{}, "4"},
		{id(4), first, "4"}, {"u", first, "1 2"}, {"nobody", time.Time{}, ""}, {"", time.Time{}, ""},
	} {
		if got := d.named(d.store.FindAccountEver, test.reference, test.at); got != test.want {
			t.Errorf("account %q at %s: %q, want %q", test.reference, test.at, got, test.want)
		}
	}
	for _, test := range []struct {
		reference string
		at        time.Time
		want      string
	}{
		{"leads", first, "s1"}, {"News", first, ""}, {"News", second, "s1"}, {"Leads", second, "s1 was Leads"},
		{"Leads", third, "s2"}, {"Leads", time.Time{}, "s2"}, {"pages", time.Time{}, "s2 was Pages"},
	} {
		if got := d.named(d.store.FindSquidEver, test.reference, test.at); got != test.want {
			t.Errorf("squid %q at %s: %q, want %q", test.reference, test.at, got, test.want)
		}
	}
	// Two that had a name, and nobody has: both are named.
	look(account(1, "a", "A"), account(2, "b", "B"))
	look(account(1, "once", "Once"), account(2, "once", "Once"))
	look(account(1, "a", "A"), account(2, "b", "B"))
	if got := d.named(d.store.FindAccountEver, "once", time.Time{}); got != "1 2" {
		t.Errorf("a former name of two: %q", got)
	}
	if _, err := d.store.FindAccount(d.ctx, d.workspace, "once", time.Time{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a former name where none will do: %v", err)
	}
}

type everFinder = func(ctx context.Context, workspace, reference string, at time.Time) (store.Name, string, error)

// named is what a reference finds: the candidates when there are several.
func (d *desk) named(find everFinder, reference string, at time.Time) string {
	d.t.Helper()
	found, former, err := find(d.ctx, d.workspace, reference, at)
	var ambiguous *store.AmbiguousError
	candidates := []store.Name{found}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return ""
	case errors.As(err, &ambiguous):
		candidates = ambiguous.Candidates
	default:
		d.must(err)
	}
	var names []string
	for _, c := range candidates {
		name := c.ID
		for n := range 9 {
			if id(n) == c.ID {
				name = fmt.Sprint(n)
			}
		}
		names = append(names, name)
	}
	text := strings.Join(names, " ")
	if former != "" {
		text += " was " + former
	}
	return text
}

// OwnNames is the law that the squids of an account have the names that its own document gives
// them, within a page and across time, whatever other accounts call them; a squid by itself
// has the name that was seen last.
func OwnNames(t *testing.T, open Opener) {
	d := newDesk(t, open)
	account := func(n int, squid, more string) string {
		return object(n, `"status":"200","squids":[{"id":"s","name":"`+squid+`"}]`+more)
	}
	var moments []time.Time
	for _, page := range [][2]string{
		{account(1, "New", ""), account(2, "Old", "")},
		{account(1, "New", ""), account(2, "Old", `,"f":1`)},
		{account(1, "New", `,"f":1`), account(2, "Old", `,"f":1`)},
		{account(1, "New", `,"f":1`), account(2, "New", `,"f":1`)},
		{account(1, "Newer", `,"f":1`), object(2, `"status":"200","squids":[]`)},
	} {
		d.look(store.List, page[:]...)
		moments = append(moments, *d.now)
	}
	check := func() {
		for i, want := range []string{"New Old", "New Old", "New Old", "New New", "Newer"} {
			for _, at := range []time.Time{moments[i], moments[i].Add(time.Minute)} {
				if got := d.ownNames(at); got != want {
					t.Errorf("at %s: %q, want %q", at, got, want)
				}
			}
		}
		if got := d.ownNames(time.Time{}); got != "Newer" {
			t.Errorf("now: %q", got)
		}
		for i, want := range map[int]string{3: "New", 4: "Newer"} {
			if squids := all(d, d.store.Squids(d.ctx, d.workspace, moments[i])); len(squids) != 1 || squids[0].Name != want {
				t.Errorf("at %s the squids are %v, want %q", moments[i], squids, want)
			}
		}
	}
	check()
	var renamed []string
	for _, c := range d.changes() {
		if c.Kind == store.SquidRenamed {
			renamed = append(renamed, fmt.Sprintf("%t %s %s", c.Account == id(2), c.Old, c.New))
		}
	}
	if got, want := strings.Join(renamed, ", "), `true "Old" "New", false "New" "Newer"`; got != want {
		t.Errorf("renamed: %s, want %s", got, want)
	}
	before := d.whole()
	d.must(d.store.Rederive(d.ctx, nil))
	if after := d.whole(); after != before {
		t.Errorf("derived again it says\n%s\ninstead of\n%s", after, before)
	}
	check()
	d.verifies()
}

// ownNames are the names of the squids of all accounts.
func (d *desk) ownNames(at time.Time) string {
	d.t.Helper()
	var names []string
	for _, a := range d.accounts(at) {
		for one := range d.store.Accounts(d.ctx, store.AccountQuery{Workspace: d.workspace, Account: a.ID, At: at}) {
			if fmt.Sprint(one.Facts.Squids) != fmt.Sprint(a.Facts.Squids) {
				d.t.Errorf("%s by itself has the squids %v, and among all %v", a.ID, one.Facts.Squids, a.Facts.Squids)
			}
		}
		for _, squid := range a.Facts.Squids {
			names = append(names, squid.Name)
		}
	}
	return strings.Join(names, " ")
}
