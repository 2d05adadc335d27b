package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// ThereAndBack is the law that A, B, A are two changes and three versions.
func ThereAndBack(t *testing.T, open Opener) {
	d := newDesk(t, open)
	for _, f := range []string{`1`, `2`, `2`, `1`, `1.0`} {
		d.look(store.List, object(0, `"f":`+f))
	}
	if got, want := d.kinds(), []string{"appeared", "field/f", "field/f"}; !slices.Equal(got, want) {
		t.Errorf("%v instead of %v", got, want)
	}
	if n := d.account(id(0)).Versions; n != 3 {
		t.Errorf("%d versions", n)
	}
}

// NoLongerSent is the law that a field that one endpoint no longer sends has not changed back to
// what the other endpoint said before; what is sent is a matter of schema.
func NoLongerSent(t *testing.T, open Opener) {
	d := newDesk(t, open)
	d.look(store.List, object(0, `"f":"A"`))
	d.look(store.Detail, object(0, `"f":"B"`))
	d.look(store.Detail, object(0, ``))
	if got, want := d.kinds(), []string{"appeared", "field/f", "schema/f"}; !slices.Equal(got, want) {
		t.Errorf("%v instead of %v", got, want)
	}
}

// LastTold is the law that a change begins when its old value was last told of, also by an
// endpoint that no longer sent the field afterwards, and that the old value is the latest
// word on the field.
func LastTold(t *testing.T, open Opener) {
	for _, last := range []string{`7`, `7.0`, `5`, `no detail`} {
		d := newDesk(t, open)
		d.look(store.Detail, object(0, `"f":7`))
		without := last == `no detail` // the endpoint that told it first is the last that is seen without it
		if without {
			last = `7`
		}
		d.look(store.List, object(0, `"f":`+last))
		told := d.now.Add(-time.Second)
		d.look(store.List, object(0, ``))
		if without {
			d.look(store.Detail, object(0, ``))
		}
		d.look(store.List, object(0, `"f":3`))
		changes := d.changes()
		i := slices.IndexFunc(changes, func(c store.AccountChange) bool { return c.Kind == store.FieldChanged && string(c.New) == "3" })
		if i < 0 || string(changes[i].Old) != last || !changes[i].Window.After.Equal(told) || !changes[i].Window.Before.Equal(*d.now) {
			t.Errorf("last told as %s: %+v, want one from there to 3 since %s", last, changes, told)
		}
	}
}

// SquidsComeBack is the law that a list that stops to send squids leaves assignments as they are;
// what another endpoint says next ends them, in a window that begins when the
// squid was last told of.
func SquidsComeBack(t *testing.T, open Opener) {
	d := newDesk(t, open)
	d.look(store.List, object(0, `"squids":[{"id":"s","name":"S"}]`))
	told := d.now.Add(-time.Second)
	d.look(store.List, object(0, ``))
	if n := len(d.account(id(0)).Facts.Squids); n != 1 {
		t.Errorf("without the field the account has %d squids", n)
	}
	d.look(store.Detail, object(0, `"squids":[]`))
	uses := all(d, d.store.Assignments(d.ctx, store.AssignmentQuery{Workspace: d.workspace}))
	if len(uses) != 1 || uses[0].To == nil || uses[0].To.After.Before(told) || !uses[0].To.Before.Equal(*d.now) {
		t.Errorf("%+v", texts(uses))
	}
}

// Unchanged is the law that looking and finding nothing new is a snapshot.
func Unchanged(t *testing.T, open Opener) {
	d := newDesk(t, open)
	for i := range 5 {
		done := d.look(store.List, object(0, ""), object(1, ""))
		if i > 0 && done != (store.Appended{Unchanged: 2}) || i == 0 && done != (store.Appended{Changed: 2}) {
			t.Errorf("look %d: %+v", i, done)
		}
	}
	if n := d.count(`SELECT count(*) FROM snapshots`); n != 10 {
		t.Errorf("%d snapshots instead of 10", n)
	}
	if a := d.account(id(0)); a.Versions != 1 || !a.SeenAt.Equal(*d.now) {
		t.Errorf("%+v", a)
	}
}

// Presence is the law that 404 makes an account gone once; seeing it again returns it.
func Presence(t *testing.T, open Opener) {
	d := newDesk(t, open)
	d.look(store.List, object(0, `"squids":[{"name":"s","id":"s"}]`))
	listed := d.now.Add(-time.Second)
	steps := []struct {
		take func() store.Appended
		want store.Appended
	}{
		{func() store.Appended { return d.lose(id(7)) }, store.Appended{Failed: 1}},
		{func() store.Appended { return d.lose(id(0)) }, store.Appended{Gone: 1}},
		{func() store.Appended { return d.lose(id(0)) }, store.Appended{StillGone: 1}},
		{func() store.Appended { return d.look(store.List, object(0, "")) }, store.Appended{Changed: 1}},
		{func() store.Appended { return d.look(store.Detail, object(0, "")) }, store.Appended{Unchanged: 1}},
		{func() store.Appended { return d.lose(id(0)) }, store.Appended{Gone: 1}},
	}
	for i, step := range steps {
		if got := step.take(); got != step.want {
			t.Errorf("step %d: %+v instead of %+v", i, got, step.want)
		}
	}
	changes := d.changes()
	if got, want := d.kinds(), []string{"appeared", "gone", "returned", "gone"}; !slices.Equal(got, want) {
		t.Fatalf("%v instead of %v", got, want)
	}
	if w := changes[1].Window; !w.After.Equal(listed) {
		t.Errorf("gone in %v, last seen %s", w, listed)
	}
	if w := changes[2].Window; w.Before.Sub(w.After) != time.Hour+2*time.Second {
		t.Errorf("returned in %v: not since the last 404", w)
	}
	if a := d.account(id(0)); a.Facts.Health != store.Gone || a.Facts.Username != "user0" || len(a.Facts.Squids) != 0 {
		t.Errorf("%+v", a)
	}
	if doc := d.document(id(0), time.Time{}, true); doc != "" {
		t.Errorf("a gone account has the document %s", doc)
	}
	if len(d.accounts(time.Time{})) != 1 {
		t.Error("a 404 made an account")
	}
}

// Unlisted is the law that an account that a complete list lacks is unlisted from then until a
// list has it again; details do not end it, and it is not gone.
func Unlisted(t *testing.T, open Opener) {
	d := newDesk(t, open)
	list := func(missing int, objects ...string) time.Time {
		t.Helper()
		d.advance(time.Hour)
		d.begin()
		d.append(store.List, objects...)
		if ids := d.unlist(); len(ids) != missing || missing == 1 && ids[0] != id(1) {
			t.Errorf("%v are missing; want %d", ids, missing)
		}
		d.finish()
		return *d.now
	}
	list(0, object(0, ""), object(1, ""))
	since := list(1, object(0, ""))
	list(1, object(0, ""))
	d.look(store.Detail, object(1, ""))
	if a := d.account(id(1)); !a.UnlistedSince.Equal(since) || a.Facts.Health == store.Gone {
		t.Errorf("%+v, unlisted since %s", a, since)
	}
	ended := list(0, object(0, ""), object(1, ""))
	for at, want := range map[time.Time]time.Time{
		{}: {}, ended: {}, ended.Add(-time.Millisecond): since, since: since, since.Add(-time.Millisecond): {},
	} {
		for _, a := range d.accounts(at) {
			if a.ID == id(1) && !a.UnlistedSince.Equal(want) {
				t.Errorf("at %s it is unlisted since %s instead of %s", at, a.UnlistedSince, want)
			}
		}
	}
	if got := d.kinds(); len(got) != 2 {
		t.Errorf("being unlisted made changes: %v", got)
	}
}

// LongUnseen is the law that when an account was last seen is known also when much else has been
// seen since.
func LongUnseen(t *testing.T, open Opener) {
	d := newDesk(t, open)
	d.look(store.List, object(0, ""), object(1, ""))
	seen := *d.now
	d.begin()
	for range 400 {
		d.append(store.Detail, object(1, ""))
	}
	d.finish()
	for _, at := range []time.Time{{}, *d.now, seen, seen.Add(time.Minute)} {
		for _, a := range d.accounts(at) {
			if a.ID == id(0) && !a.SeenAt.Equal(seen) {
				t.Errorf("at %s it was last seen %s instead of %s", at, a.SeenAt, seen)
			}
		}
	}
}
