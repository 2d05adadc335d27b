package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Sums is the law that totals are the sums of the runs that have ended, of failures and
// of changes in one workspace, and that pruning and redacting leave them as they are.
func Sums(t *testing.T, open Opener) {
	d := newDesk(t, open)
	if sum, err := d.store.Totals(d.ctx, d.workspace); err != nil || len(sum.Runs)+len(sum.Failures)+len(sum.Changes) > 0 || sum.Requests != 0 {
		t.Errorf("of an unknown workspace: %+v, %v", sum, err)
	}
	d.in(t, "other").look(store.List, object(0, ""))
	for i, run := range []struct {
		scope store.Scope
		state store.RunState
		long  time.Duration
	}{
		{store.ScopeAll, store.Complete, 0}, {store.ScopeAll, store.Complete, time.Minute}, {store.ScopeAll, store.Incomplete, 5 * time.Hour},
		{store.ScopeNamed, store.Complete, time.Hour}, {store.ScopeImport, store.Complete, time.Hour},
	} {
		writer, err := d.store.Begin(d.ctx, d.workspace, run.scope)
		d.must(err)
		_, err = writer.Append(d.ctx, d.response(store.Detail, object(i%2, fmt.Sprintf(`"status":%d`, 200+i/3))))
		d.must(err)
		if run.state == store.Incomplete {
			d.must(writer.Fail(d.ctx, 2, store.Failure{Kind: store.FailNetwork, Message: "m", At: *d.now},
				store.Failure{Account: id(1), Kind: store.FailHTTP, Message: "m", At: *d.now}))
		}
		d.advance(run.long)
		d.must(writer.Finish(d.ctx, store.Outcome{State: run.state}))
	}
	before := d.totals()
	want := summed(d)
	if before != want {
		t.Errorf("%s\ninstead of\n%s", before, want)
	}
	d.begin()
	if under := d.totals(); under != before {
		t.Errorf("a run under way counts: %s", under)
	}
	d.finish()
	for range 5 {
		d.look(store.Detail, object(0, ""))
	}
	before = d.totals()
	pruned, err := d.store.Prune(d.ctx, d.workspace, store.Keep{Within: time.Nanosecond}, nil)
	d.must(err)
	if pruned.Thinned == 0 {
		t.Error("nothing was pruned")
	}
	_, err = d.store.Redact(d.ctx, d.workspace, id(1))
	d.must(err)
	if after := d.totals(); after != before {
		t.Errorf("pruned and redacted it is %s\ninstead of %s", after, before)
	}
	if bytes, err := d.store.Bytes(d.ctx); err != nil || bytes < 1000 {
		t.Errorf("the store has %d bytes, %v", bytes, err)
	}
}

func (d *desk) totals() string {
	d.t.Helper()
	sum, err := d.store.Totals(d.ctx, d.workspace)
	d.must(err)
	return fmt.Sprintf("%+v", sum)
}

// summed adds up what the other readers tell.
func summed(d *desk) string {
	sum := store.Totals{Runs: map[store.RunKind]int64{}, Failures: map[store.FailureKind]int64{}, Changes: map[store.Kind]int64{}}
	scopes := []store.Scope{store.ScopeImport, store.ScopeNamed, store.ScopeAll, store.ScopeAll, store.ScopeAll} // the newest first
	for i, run := range d.runs() {
		sum.Runs[store.RunKind{Scope: scopes[i], State: run.State}]++
		sum.Requests += int64(run.Requests)
		sum.Snapshots += int64(run.Captured())
		for _, failure := range run.Failures {
			sum.Failures[failure.Kind]++
		}
		if scopes[i] != store.ScopeAll {
			continue
		}
		length := run.Finished.Sub(run.Started)
		sum.Ended++
		sum.Lasted += length
		for b, bound := range store.RunBounds {
			if length <= bound {
				sum.Within[b]++
			}
		}
	}
	for _, change := range all(d, d.store.Changes(d.ctx, store.ChangeQuery{Workspace: d.workspace})) {
		sum.Changes[change.Kind]++
	}
	return fmt.Sprintf("%+v", sum)
}
