package storetest

import (
	"errors"
	"reflect"
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

// Endings is the law that a run begins and ends only as a run can. A run that was refused
// an end goes on.
func Endings(t *testing.T, open Opener) {
	d := newDesk(t, open)
	for _, begin := range []struct {
		workspace string
		scope     store.Scope
	}{{"", store.ScopeAll}, {"default", ""}, {"default", "some"}} {
		if _, err := d.store.Begin(d.ctx, begin.workspace, begin.scope); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%+v began: %v", begin, err)
		}
	}
	if names, err := d.store.Workspaces(d.ctx); err != nil || len(names) > 0 {
		t.Errorf("workspaces %q, %v", names, err)
	}
	for _, run := range []struct {
		scope    store.Scope
		answered bool
		outcome  store.Outcome
		ends     bool
		failed   bool
	}{
		{store.ScopeAll, true, store.Outcome{}, false, false},
		{store.ScopeAll, true, store.Outcome{State: store.Running}, false, false},
		{store.ScopeAll, true, store.Outcome{State: "done"}, false, false},
		{store.ScopeAll, true, store.Outcome{State: store.Complete, Requested: -1}, false, false},
		{store.ScopeAll, true, store.Outcome{State: store.Complete, Requests: -1}, false, false},
		{store.ScopeAll, false, store.Outcome{State: store.Complete}, false, false},
		{store.ScopeNamed, false, store.Outcome{State: store.Complete, Requested: 1, Requests: 1}, false, false},
		{store.ScopeAll, true, store.Outcome{State: store.Complete}, true, false}, // an empty list
		{store.ScopeImport, false, store.Outcome{State: store.Complete}, true, false},
		{store.ScopeAll, false, store.Outcome{State: store.Incomplete}, true, false},
		{store.ScopeAll, false, store.Outcome{State: store.Interrupted}, true, false},
		{store.ScopeAll, false, store.Outcome{State: store.Failed}, true, false},
		{store.ScopeAll, true, store.Outcome{State: store.Complete}, false, true},
		{store.ScopeImport, true, store.Outcome{State: store.Complete}, false, true},
		{store.ScopeAll, true, store.Outcome{State: store.Incomplete}, true, true},
	} {
		writer, err := d.store.Begin(d.ctx, d.workspace, run.scope)
		d.must(err)
		if run.failed {
			d.must(writer.Fail(d.ctx, 1, store.Failure{Kind: store.FailNetwork, Message: "no answer"}))
		}
		if run.answered {
			_, err = writer.Append(d.ctx, d.response(store.List))
			d.must(err)
		}
		d.end(writer, run.scope, run.outcome, run.ends)
	}
}

// end ends a run, which goes on if the outcome is refused, as ends says.
func (d *desk) end(writer store.RunWriter, scope store.Scope, outcome store.Outcome, ends bool) {
	d.t.Helper()
	err := writer.Finish(d.ctx, outcome)
	if ends != (err == nil) || err != nil && !errors.Is(err, store.ErrInvalid) {
		d.t.Errorf("a run over %s ends with %+v: %v, want %v", scope, outcome, err, ends)
	}
	if err != nil {
		_, err = writer.Append(d.ctx, d.response(store.List, object(0, "")))
		d.must(err)
		d.must(writer.Finish(d.ctx, store.Outcome{State: store.Incomplete}))
	}
	stored, err := d.store.Run(d.ctx, d.workspace, writer.ID())
	d.must(err)
	if stored.Scope != scope {
		d.t.Errorf("run %d is stored with scope %q, want %q", stored.ID, stored.Scope, scope)
	}
}

// OneRun is the law that changes and steps can be read of the run that noticed them.
func OneRun(t *testing.T, open Opener) {
	d := newDesk(t, open)
	other := d.in(t, "two")
	d.look(store.List, object(0, ""), object(1, ""))
	other.look(store.List, object(0, ""))
	other.look(store.List, object(0, `"status":401`))
	d.look(store.List, object(0, ""), object(1, ""))
	d.begin()
	d.append(store.List, object(0, `"status":401`))
	d.append(store.Detail, object(1, `"status":401,"f":1`))
	d.append(store.Detail, object(1, `"status":429,"f":1`)) // expired still: it did not become so
	d.finish()
	d.begin() // shows nothing
	d.finish()
	d.look(store.List, object(0, ""), object(1, ""))
	changes, steps := all(d, d.store.Changes(d.ctx, store.ChangeQuery{Workspace: d.workspace})), all(d, d.store.StatusSteps(d.ctx, store.PeriodQuery{Workspace: d.workspace}))
	byRun, stepsByRun := map[int64]int{}, map[int64]int{}
	for _, change := range changes {
		byRun[change.Run]++
	}
	for _, step := range steps {
		stepsByRun[step.Run]++
	}
	if stepsByRun[1] != 2 || stepsByRun[2] != 0 || stepsByRun[3] != 3 || byRun[3] < 3 {
		t.Errorf("changes %v, steps %v", byRun, stepsByRun)
	}
	d.filters(changes)
	d.runByRun(byRun, stepsByRun)
}

// filters holds what ranges of runs and healths leave of all changes to these themselves.
func (d *desk) filters(changes []store.AccountChange) {
	d.t.Helper()
	for after := range int64(7) { // there are five
		for upTo := range int64(7) {
			got := all(d, d.store.Changes(d.ctx, store.ChangeQuery{Workspace: d.workspace, AfterRun: after, UpToRun: upTo}))
			want := kind(changes, func(c store.AccountChange) bool { return c.Run > after && (upTo == 0 || c.Run <= upTo) })
			if !reflect.DeepEqual(got, want) {
				d.t.Errorf("after run %d and up to %d: %d changes, want %d", after, upTo, len(got), len(want))
			}
		}
	}
	for _, health := range store.Healths {
		got := all(d, d.store.Changes(d.ctx, store.ChangeQuery{Workspace: d.workspace, Became: []store.Health{health}}))
		want := kind(changes, func(c store.AccountChange) bool { return c.HealthAfter == health && c.HealthBefore != health })
		if !reflect.DeepEqual(got, want) || len(want) == 0 && (health == store.Expired || health == store.Unknown) {
			d.t.Errorf("became %s: %v, want %v", health, got, want)
		}
	}
	for _, wrong := range []store.ChangeQuery{
		{Workspace: d.workspace, Kinds: []store.Kind{store.Synced, "staus"}}, {Workspace: d.workspace, Became: []store.Health{"expird"}},
	} {
		if _, err := store.Collect(d.store.Changes(d.ctx, wrong)); !errors.Is(err, store.ErrInvalid) {
			d.t.Errorf("%+v: %v", wrong, err)
		}
	}
}

// runByRun holds the changes and steps of each run to how many there are of it in all.
func (d *desk) runByRun(byRun, stepsByRun map[int64]int) {
	d.t.Helper()
	for run := int64(1); run <= 6; run++ {
		for _, change := range all(d, d.store.Changes(d.ctx, store.ChangeQuery{Workspace: d.workspace, Run: run})) {
			if byRun[run]--; change.Run != run {
				d.t.Errorf("run %d has %+v", run, change)
			}
		}
		for _, step := range all(d, d.store.StatusSteps(d.ctx, store.PeriodQuery{Workspace: d.workspace, Run: run})) {
			if stepsByRun[run]--; step.Run != run {
				d.t.Errorf("run %d has %+v", run, step)
			}
		}
		if byRun[run] != 0 || stepsByRun[run] != 0 {
			d.t.Errorf("of run %d, %d changes and %d steps are missing", run, byRun[run], stepsByRun[run])
		}
	}
}
