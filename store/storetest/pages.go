package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Repeated is the law that of an account that one list shows twice, on one page or on two, the
// first sight counts.
func Repeated(t *testing.T, open Opener) {
	d := newDesk(t, open)
	d.begin()
	if done := d.append(store.List, object(0, `"f":1`), object(1, ""), object(0, `"f":2`)); done != (store.Appended{Changed: 2, Repeated: 1}) {
		t.Errorf("one page: %+v", done)
	}
	if done := d.append(store.List, object(0, `"f":3`), object(2, "")); done != (store.Appended{Changed: 1, Repeated: 1}) {
		t.Errorf("two pages: %+v", done)
	}
	d.finish()
	if got := d.kinds(); len(got) != 3 {
		t.Errorf("%v", got)
	}
	if run := d.runs()[0]; run.Captured() != 3 {
		t.Errorf("%+v", run)
	}
	if done := d.look(store.List, object(0, `"f":1`)); done.Unchanged != 1 {
		t.Errorf("the next run: %+v", done)
	}
}

// Backwards is the law that when the clock jumps back, snapshots are held just after the newest
// instant, which is told, and windows do not shrink to less than what is certain.
func Backwards(t *testing.T, open Opener) {
	d := newDesk(t, open)
	d.look(store.List, object(0, `"f":1`))
	newest := *d.now
	d.advance(-3 * time.Hour)
	d.begin()
	sent := *d.now
	d.append(store.List, object(0, `"f":2`))
	if held := d.run.Held(); held != newest.Sub(*d.now) {
		t.Errorf("held by %s instead of %s", held, newest.Sub(*d.now))
	}
	d.finish()
	d.advance(5 * time.Hour)
	d.begin()
	d.append(store.List, object(0, `"f":3`))
	if held := d.run.Held(); held != 0 {
		t.Errorf("held by %s", held)
	}
	d.finish()
	changes := d.changes()
	want := []store.Window{
		{Before: newest},
		{After: newest.Add(-time.Second), Before: newest.Add(time.Millisecond)}, // no two responses have one instant
		{After: sent, Before: *d.now},
	}
	for i, c := range changes {
		if c.Window != want[i] {
			t.Errorf("change %d has the window %v instead of %v", i, c.Window, want[i])
		}
	}
	if a := d.account(id(0)); !a.SeenAt.Equal(*d.now) || a.Versions != 3 {
		t.Errorf("%+v", a)
	}
}

// Workspaces is the law that what one key shows says nothing of what another does.
func Workspaces(t *testing.T, open Opener) {
	one := newDesk(t, open)
	two := one.in(t, "two")
	one.look(store.List, object(0, `"f":1,"squids":[{"id":"s","name":"One"}]`), object(1, ""))
	two.look(store.List, object(0, `"f":2,"squids":[{"id":"s","name":"Two"}]`))
	two.begin()
	two.append(store.List)
	if ids := two.unlist(); len(ids) != 1 {
		t.Errorf("%v are missing in the other workspace", ids)
	}
	two.finish()
	two.lose(id(0))
	one.look(store.List, object(0, `"f":1,"squids":[{"id":"s","name":"One"}]`), object(1, ""))
	if got := one.kinds(); len(got) != 2 {
		t.Errorf("the first workspace has %v", got)
	}
	if got := two.kinds(); len(got) != 2 {
		t.Errorf("the second workspace has %v", got)
	}
	if a := one.account(id(0)); a.Workspace != "default" || a.Facts.Health == store.Gone || !a.UnlistedSince.IsZero() {
		t.Errorf("%+v", a)
	}
	for _, d := range []*desk{one, two} {
		squids := all(d, d.store.Squids(d.ctx, d.workspace, time.Time{}))
		if want := map[string]string{"default": "One", "two": "Two"}[d.workspace]; len(squids) != 1 || squids[0].Name != want {
			t.Errorf("%s has the squids %v", d.workspace, squids)
		}
	}
	if len(one.runs()) != 2 || len(two.runs()) != 3 {
		t.Error("runs mix")
	}
	if run, err := one.store.Run(one.ctx, "two", 3); err != nil || run.Workspace != "two" {
		t.Errorf("the third run of the second workspace: %+v, %v", run, err)
	}
	if _, err := one.store.Run(one.ctx, "default", 3); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the third run of the first workspace, which has two: %v", err)
	}
}

// Whole is the law that an append that fails leaves nothing behind, and can be tried again.
func Whole(t *testing.T, open Opener) {
	d := newDesk(t, open)
	d.look(store.List, object(0, ""))
	d.begin()
	before := d.whole()
	bad := d.response(store.List, object(0, `"f":1`), object(1, ""))
	bad.Accounts = append(bad.Accounts, store.Observed{ID: "no id", Raw: []byte(`{}`)})
	if _, err := d.run.Append(d.ctx, bad); err == nil {
		t.Error("an account without an id was stored")
	}
	var many []string
	for n := range 3000 {
		many = append(many, object(n, `"f":1`))
	}
	cancelled := 0
	for wait := time.Duration(0); wait < time.Second; wait = max(3*wait, time.Millisecond) {
		ctx, cancel := context.WithTimeout(d.ctx, wait)
		_, err := d.run.Append(ctx, d.response(store.List, many...))
		cancel()
		if err == nil {
			break // stored, on a fast machine
		}
		if cancelled++; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cut off: %v", err)
		}
		if after := d.whole(); after != before {
			t.Errorf("an append cut off after %s left something behind:\n%s\n%s", wait, before, after)
		}
	}
	if cancelled == 0 {
		t.Error("no append was cut off")
	}
	done := d.append(store.List, object(0, `"f":1`), object(9000, ""))
	if done.Changed+done.Unchanged+done.Repeated != 2 || done.Failed > 0 {
		t.Errorf("the next append: %+v", done)
	}
	d.finish()
}

// whole is everything that readers say.
func (d *desk) whole() string {
	d.t.Helper()
	text := fmt.Sprintln(d.accounts(time.Time{}), d.changes(), d.rows(`SELECT * FROM runs ORDER BY run`),
		d.count(`SELECT count(*) FROM snapshots`))
	q := store.PeriodQuery{Workspace: d.workspace}
	text += fmt.Sprintln(all(d, d.store.StatusSteps(d.ctx, q)), all(d, d.store.Usage(d.ctx, q)))
	for _, g := range all(d, d.store.Assignments(d.ctx, store.AssignmentQuery{Workspace: d.workspace})) {
		to := g.To
		g.To = nil
		text += fmt.Sprintln(g, to != nil && !to.Before.IsZero(), fmt.Sprint(to))
	}
	return text + fmt.Sprintln(all(d, d.store.Squids(d.ctx, d.workspace, time.Time{})))
}

// Finished is the law that nothing can be added to a run that is over.
func Finished(t *testing.T, open Opener) {
	d := newDesk(t, open)
	d.begin()
	d.append(store.List, object(0, ""))
	run := d.run
	d.finish()
	before := d.whole()
	if _, err := run.Append(d.ctx, d.response(store.List, object(1, ""))); err == nil {
		t.Error("a finished run took a response")
	}
	if err := run.Fail(d.ctx, 1, store.Failure{Kind: store.FailHTTP, Message: "late"}); err == nil {
		t.Error("a finished run took a failure")
	}
	if err := run.Finish(d.ctx, store.Outcome{State: store.Failed}); err == nil {
		t.Error("a run was finished twice")
	}
	if after := d.whole(); after != before {
		t.Errorf("a finished run changed:\n%s\n%s", before, after)
	}
}

// Failures are kept in their order and told with their run.
func Failures(t *testing.T, open Opener) {
	d := newDesk(t, open)
	d.begin()
	failures := []store.Failure{
		{Account: id(0), Kind: store.FailHTTP, HTTPStatus: 503, At: epoch},
		{Kind: store.FailNetwork, Message: "b\x00\n", At: epoch.Add(time.Second)},
	}
	odd := append([]store.Failure{}, failures...)
	odd[0].Message = "a\xff\xfeb"
	failures[0].Message = "a\uFFFDb"
	d.must(d.run.Fail(d.ctx, 3, odd...))
	d.must(d.run.Finish(d.ctx, store.Outcome{State: store.Incomplete, Requested: 2, Requests: 2, Warnings: []string{"w"}}))
	want := store.Run{ID: d.run.ID(), Workspace: "default", Scope: store.ScopeAll, State: store.Incomplete, Started: epoch, Finished: epoch,
		Requested: 2, Failed: 2, Requests: 3, Warnings: []string{"w"}, Failures: failures}
	one, err := d.store.Run(d.ctx, d.workspace, d.run.ID())
	d.must(err)
	if got := fmt.Sprint(one); got != fmt.Sprint(want) {
		t.Errorf("%s\ninstead of %s", got, fmt.Sprint(want))
	}
	d.shortly()
	if runs := d.runs(); len(runs) != 1 || fmt.Sprint(runs[0]) != fmt.Sprint(want) {
		t.Errorf("the list of runs has %v", runs)
	}
}

// CompleteRuns is the law that only runs over all accounts that were complete and over
// count as such.
func CompleteRuns(t *testing.T, open Opener) {
	d := newDesk(t, open)
	var want []int64
	for _, run := range []struct {
		scope store.Scope
		state store.RunState
		gap   time.Duration
	}{
		{store.ScopeAll, store.Complete, time.Hour}, {store.ScopeAll, store.Complete, time.Hour}, {store.ScopeNamed, store.Complete, time.Hour},
		{store.ScopeImport, store.Complete, time.Hour}, {store.ScopeAll, store.Incomplete, time.Hour}, {store.ScopeAll, store.Complete, time.Hour},
		{store.ScopeAll, store.Complete, 0},
	} {
		writer, err := d.store.Begin(d.ctx, d.workspace, run.scope)
		d.must(err)
		_, err = writer.Append(d.ctx, d.response(store.List))
		d.must(err)
		d.must(writer.Finish(d.ctx, store.Outcome{State: run.state}))
		if run.scope == store.ScopeAll && run.state == store.Complete {
			want = append([]int64{writer.ID()}, want...)
		}
		d.advance(run.gap)
	}
	now := *d.now
	for _, test := range []struct {
		at   time.Time
		most int
		want []int64
	}{
		{now, 9, want}, {now, 2, want[:2]}, {now.Add(-time.Minute), 9, want[1:]}, {epoch.Add(-time.Minute), 9, nil},
	} {
		runs, err := d.store.CompleteRuns(d.ctx, d.workspace, test.at, test.most)
		d.must(err)
		var got []int64
		for _, run := range runs {
			got = append(got, run.ID)
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%d at %s: %v, want %v", test.most, test.at, got, test.want)
		}
	}
}

// shortly bounds what may wait for itself.
func (d *desk) shortly() {
	ctx, cancel := context.WithTimeout(d.ctx, 2*time.Second)
	time.AfterFunc(2*time.Second, cancel)
	d.ctx = ctx
}

// Nested is the law that inside a loop over one reader another one can be asked, also by the
// process that writes.
func Nested(t *testing.T, open Opener) {
	d := newDesk(t, open)
	d.look(store.List, object(0, ""), object(1, ""))
	d.shortly()
	for a, err := range d.store.Accounts(d.ctx, store.AccountQuery{Workspace: d.workspace}) {
		d.must(err)
		if doc := d.document(a.ID, time.Time{}, true); doc == "" {
			t.Errorf("%s has no document", a.ID)
		}
	}
}
