package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// Readers is the law that at every moment of a random history, the exact instants of its
// responses and those just before and after among them, readers answer what a
// plain model made of the same responses says.
func Readers(t *testing.T, open Opener) {
	base, checks := newDesk(t, open), 0
	rapid.Check(t, func(t *rapid.T) {
		checks++
		d, m := history(t, base, fmt.Sprint("readers ", checks))
		moments := []time.Time{{}, epoch.Add(-time.Hour)}
		for _, at := range m.times {
			moments = append(moments, at, at.Add(-time.Millisecond), at.Add(time.Millisecond))
		}
		slices.SortFunc(moments, time.Time.Compare)
		for _, at := range slices.Compact(moments) {
			m.check(d, at)
		}
	})
}

// check compares all readers with the model at a moment; zero is now.
func (m *model) check(d *desk, at time.Time) {
	moment := at
	if at.IsZero() {
		moment = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	same := func(what string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			d.t.Fatalf("%s at %s: %s:\ngot  %+v\nwant %+v", d.workspace, at.Format(time.StampMilli), what, got, want)
		}
	}
	var want []store.AccountState
	for n := range accountCount {
		r := m.recordAt(n, moment)
		m.checkDocument(d, n, at, r)
		if r != nil {
			want = append(want, m.stateAt(d, n, moment, r))
		}
	}
	slices.SortFunc(want, func(a, b store.AccountState) int {
		return strings.Compare(strings.ToLower(a.Facts.Username)+a.ID, strings.ToLower(b.Facts.Username)+b.ID)
	})
	same("accounts", d.accounts(at), want)
	query := store.AssignmentQuery{Workspace: d.workspace, At: at, Open: at.IsZero()}
	same("assignments", texts(all(d, d.store.Assignments(d.ctx, query))), texts(m.usesAt(moment)))
	same("squids", all(d, d.store.Squids(d.ctx, d.workspace, at)), m.squidsAt(moment))
}

// recordAt is the last one of the account at or before the moment.
func (m *model) recordAt(n int, at time.Time) (last *record) {
	for i, r := range m.accounts[n] {
		if !r.state.SeenAt.After(at) {
			last = &m.accounts[n][i]
		}
	}
	return last
}

func (m *model) stateAt(d *desk, n int, at time.Time, r *record) store.AccountState {
	s := r.state
	s.Workspace, s.ID = d.workspace, id(n)
	s.Facts.Squids = append([]store.Squid{}, r.state.Facts.Squids...) // as its own document has them
	for _, a := range m.absences[n] {
		if !a.After.After(at) && (a.Before.IsZero() || a.Before.After(at)) {
			s.UnlistedSince = a.After
		}
	}
	return s
}

// checkDocument compares the document of one account.
func (m *model) checkDocument(d *desk, n int, at time.Time, r *record) {
	doc, err := d.store.Document(d.ctx, store.AccountQuery{Workspace: d.workspace, Account: id(n), At: at}, true)
	if r == nil {
		if !errors.Is(err, store.ErrNotFound) {
			d.t.Fatalf("an account not known at %s: %v", at, err)
		}
		return
	}
	d.must(err)
	if !sameJSON(cmpOr(string(doc)), cmpOr(r.shown)) {
		d.t.Fatalf("document at %s:\n%s\ninstead of\n%s", at, doc, r.shown)
	}
}

func cmpOr(text string) string {
	if text == "" {
		return "null"
	}
	return text
}

func (m *model) usesAt(at time.Time) (uses []store.Assignment) {
	for _, g := range m.uses {
		if g.From.Before.After(at) || g.To != nil && !g.To.Before.After(at) {
			continue
		}
		g.To = nil // what was received later is left out
		g.SquidName = m.nameAt(g.Squid, at).Name
		for n := range accountCount {
			if r := m.recordAt(n, at); id(n) == g.Account && r != nil {
				g.Username, g.Health = r.state.Facts.Username, r.state.Facts.Health
			}
		}
		uses = append(uses, g)
	}
	return uses
}

// texts are the assignments as text, in any order.
func texts(uses []store.Assignment) []string {
	all := []string{}
	for _, g := range uses {
		to := "still"
		if g.To != nil {
			to = fmt.Sprint(*g.To)
		}
		g.To = nil
		all = append(all, fmt.Sprint(g, to))
	}
	slices.Sort(all)
	return all
}

func (m *model) squidsAt(at time.Time) (squids []store.Name) {
	for _, squid := range []string{"s0", "s1", "s2"} {
		if name := m.nameAt(squid, at); name.ID != "" {
			squids = append(squids, name)
		}
	}
	slices.SortFunc(squids, func(a, b store.Name) int { return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
	return squids
}
