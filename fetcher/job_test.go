package fetcher_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// office is a simulated lobstr.io with a job that takes snapshots of it into a store.
type office struct {
	t     *testing.T
	world *lobstrtest.World
	api   *lobstrtest.Server
	job   fetcher.Job
	ids   []string
}

func newOffice(t *testing.T, usernames ...string) *office {
	t.Helper()
	world := lobstrtest.NewWorld(lobstrtest.NewClock(time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)))
	o := &office{t: t, world: world, api: lobstrtest.New(t, world)}
	for _, name := range usernames {
		o.ids = append(o.ids, world.Add(lobstrtest.Account{Username: name, Type: lobstrtest.LinkedIn}))
	}
	clock := world.Clock()
	client, err := fetcher.New(fetcher.Config{
		Token: lobstrtest.DefaultToken, BaseURL: o.api.URL, UserAgent: "test", Now: clock.Now, Retries: new(0),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	history, _, err := sqlite.OpenWriter(t.Context(), filepath.Join(t.TempDir(), "history.db"), sqlite.Options{Now: clock.Now, Rules: report.Rules()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { history.Close() })
	o.job = fetcher.Job{Client: client, Store: history, Workspace: "acme"}
	return o
}

func (o *office) snapshot(references ...string) store.Run {
	o.t.Helper()
	run, err := o.job.Snapshot(o.t.Context(), references...)
	if err != nil {
		o.t.Fatal(err)
	}
	return run
}

// runs is how many runs the store has.
func (o *office) runs() int {
	o.t.Helper()
	all, err := store.Collect(o.job.Store.Runs(o.t.Context(), "acme"))
	if err != nil {
		o.t.Fatal(err)
	}
	return len(all)
}

func TestJobTakesWhatItIsTold(t *testing.T) {
	o := newOffice(t, "ada", "bob", "cleo")
	if run := o.snapshot(); run.State != store.Complete || run.Captured() != 3 || run.ID != 1 {
		t.Errorf("all: %+v", run)
	}
	run := o.snapshot("ada", strings.ToUpper(o.ids[1]), o.ids[0])
	if run.State != store.Complete || run.Requested != 2 || run.Captured() != 2 {
		t.Errorf("two accounts, one of them named twice: %+v", run)
	}
	o.world.Apply(lobstrtest.Create(lobstrtest.Account{ID: strings.Repeat("d", 32), Username: "dan"}))
	if run := o.snapshot(strings.Repeat("d", 32)); run.Changed != 1 {
		t.Errorf("an account that the store does not know yet: %+v", run)
	}
}

func TestJobThatCannotBeginStoresNoRun(t *testing.T) {
	o := newOffice(t, "ada", "bob")
	o.snapshot()
	if _, err := o.job.Store.Redact(t.Context(), "acme", o.ids[1]); err != nil {
		t.Fatal(err)
	}
	var ambiguous *store.AmbiguousError
	for name, c := range map[string]struct {
		reference string
		edit      func(*fetcher.Job)
		fits      func(error) bool
	}{
		"an account that is not known": {"eve", nil, func(err error) bool { return errors.Is(err, store.ErrNotFound) }},
		"an empty reference":           {"", nil, func(err error) bool { return errors.Is(err, store.ErrNotFound) }},
		"a redacted account":           {o.ids[1], nil, func(err error) bool { return errors.Is(err, store.ErrRedacted) }},
		"no client":                    {"ada", func(j *fetcher.Job) { j.Client = nil }, func(err error) bool { return err != nil }},
		"no store":                     {"ada", func(j *fetcher.Job) { j.Store = nil }, func(err error) bool { return err != nil }},
		"no workspace":                 {"ada", func(j *fetcher.Job) { j.Workspace = "" }, func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			job := o.job
			if c.edit != nil {
				c.edit(&job)
			}
			run, err := job.Snapshot(t.Context(), c.reference)
			if run.ID != 0 || !c.fits(err) || errors.As(err, &ambiguous) {
				t.Errorf("run %d, %v", run.ID, err)
			}
		})
	}
	if n := o.runs(); n != 1 {
		t.Errorf("%d runs", n)
	}
}

func TestJobEndsItsRunInTheRightState(t *testing.T) {
	down := lobstrtest.Fault{Name: "down", Do: lobstrtest.Answers(503, "text/html", "Back soon.")}
	errStopped := errors.New("stopped by the caller")
	for name, c := range map[string]struct {
		trouble func(o *office, stop context.CancelCauseFunc)
		state   store.RunState
		err     error // nil: a RunError
	}{
		"one of two accounts fails": {
			func(o *office, _ context.CancelCauseFunc) { o.api.Inject(down, lobstrtest.When{Account: o.ids[0]}) },
			store.Incomplete, nil,
		},
		"the service is down": {
			func(o *office, _ context.CancelCauseFunc) { o.api.Inject(down, lobstrtest.When{}) },
			store.Failed, nil,
		},
		"the deadline has passed": {
			func(o *office, _ context.CancelCauseFunc) { o.job.Deadline = time.Nanosecond },
			store.Failed, nil,
		},
		"the key is refused": {
			func(o *office, _ context.CancelCauseFunc) { o.api.Revoke(lobstrtest.DefaultToken) },
			store.Failed, fetcher.ErrKeyRefused,
		},
		"the caller has stopped it": {
			func(o *office, stop context.CancelCauseFunc) {
				o.job.Progress = func(fetcher.Progress) { stop(errStopped) }
			},
			store.Interrupted, errStopped,
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, "ada", "bob")
			ctx, stop := context.WithCancelCause(t.Context())
			defer stop(nil)
			c.trouble(o, stop)
			run, err := o.job.Snapshot(ctx, o.ids...)
			var ended *fetcher.RunError
			if errors.As(err, &ended) != (c.err == nil) || !errors.Is(err, c.err) && c.err != nil {
				t.Errorf("error %v", err)
			}
			stored, unread := o.job.Store.Run(t.Context(), "acme", 1)
			if unread != nil || stored.State != c.state || stored.Finished.IsZero() || fmt.Sprint(stored) != fmt.Sprint(run) {
				t.Errorf("%v: returned %+v, stored %+v", unread, run, stored)
			}
			if c.state == store.Failed && len(run.Failures) == 0 && len(run.Warnings) == 0 || c.err == fetcher.ErrKeyRefused && len(run.Warnings) == 0 {
				t.Errorf("the run tells no reason: %+v", run)
			}
		})
	}
}

func TestJobAddsRemarks(t *testing.T) {
	o := newOffice(t, "ada")
	o.job.Remarks = func(run store.Run) []string { return []string{fmt.Sprint("captured ", run.Captured())} }
	if run := o.snapshot(); !slices.Equal(run.Warnings, []string{"captured 1"}) {
		t.Errorf("%+v", run)
	}
}

// steps reads n steps of a watch as text, and what it yields of errors.
func (o *office) steps(n int, before func(told int)) (told []string) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), 30*time.Second)
	defer cancel()
	for step, err := range o.job.Watch(ctx, time.Millisecond) {
		var ended *fetcher.RunError
		switch {
		case errors.As(err, &ended):
			told = append(told, string(ended.Run.State))
		case err != nil:
			o.t.Fatal(err)
		default:
			told = append(told, fmt.Sprint(step.Username, " ", step.HealthBefore, " ", step.HealthAfter))
		}
		if len(told) == n {
			break
		}
		before(len(told))
	}
	return told
}

func TestWatchTellsEachStepOfHealthOnce(t *testing.T) {
	o := newOffice(t, "ada", "bob")
	ada, bob := o.ids[0], o.ids[1]
	o.snapshot()
	o.world.Apply(lobstrtest.Expire(ada), lobstrtest.Expire(bob))
	got := o.steps(5, func(told int) {
		switch told {
		case 2: // another status of the same health, another field, and a new account are no steps of health
			o.world.Apply(lobstrtest.RenameAccount(bob, "rob"), lobstrtest.Fail(bob, 429, "slow", "Slow down."), lobstrtest.Resync(ada))
			o.world.Apply(lobstrtest.Create(lobstrtest.Account{ID: strings.Repeat("d", 32), Username: "new", Type: lobstrtest.LinkedIn}))
		case 3: // a failed run does not end the watch
			down := lobstrtest.Fault{Name: "down", Do: lobstrtest.Answers(503, "text/html", "Back soon.")}
			o.api.Inject(down, lobstrtest.When{Times: 1})
			o.world.Apply(lobstrtest.Resync(bob))
		}
	})
	slices.Sort(got[:2])
	want := []string{"ada healthy expired", "bob healthy expired", "ada expired healthy", "failed", "rob expired healthy"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\ninstead of %q", got, want)
	}
}

func TestWatchSaysNothingOfWhatWasBefore(t *testing.T) {
	o := newOffice(t, "ada")
	o.snapshot()
	o.world.Apply(lobstrtest.Expire(o.ids[0]))
	o.snapshot()
	o.world.Apply(lobstrtest.Resync(o.ids[0]))
	if got := o.steps(1, nil); !slices.Equal(got, []string{"ada expired healthy"}) {
		t.Errorf("%q", got)
	}
}

func TestWatchTellsWhatAStoppedSnapshotNoticed(t *testing.T) {
	o := newOffice(t, "ada")
	o.snapshot()
	o.world.Apply(lobstrtest.Expire(o.ids[0]))
	ctx, stop := context.WithCancel(t.Context())
	o.job.Progress = func(fetcher.Progress) { stop() }
	told := 0
	for step, err := range o.job.Watch(ctx, time.Hour) {
		if err != nil || !step.Became(store.Expired) {
			t.Errorf("%+v, %v", step, err)
		}
		told++
	}
	if told != 1 {
		t.Errorf("%d steps", told)
	}
}

func TestWatchNeedsAnInterval(t *testing.T) {
	o := newOffice(t, "ada")
	n := 0
	for _, err := range o.job.Watch(t.Context(), 0) {
		if n++; err == nil {
			t.Error("no error")
		}
	}
	if n != 1 || o.runs() != 0 {
		t.Errorf("%d values, %d runs", n, o.runs())
	}
}
