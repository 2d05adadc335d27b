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
