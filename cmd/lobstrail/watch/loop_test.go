package watch

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/schedule"
	"github.com/lobstrail/lobstrail/store"
)

// recorder is a worker that takes time, and remembers what it was asked for.
type recorder struct {
	t         *testing.T
	begun     time.Time
	takes     func(workspace string, n int) time.Duration
	last      map[string]time.Time
	busy      atomic.Bool
	snapshots map[string][]time.Duration // since begun
	ticks     int
}

func (r *recorder) Last(_ context.Context, workspace string) time.Time { return r.last[workspace] }

func (r *recorder) Snapshot(ctx context.Context, job Job) {
	defer r.exclusive()()
	at := time.Since(r.begun)
	r.snapshots[job.Workspace] = append(r.snapshots[job.Workspace], at)
	if r.takes != nil {
		sleep(ctx, r.takes(job.Workspace, len(r.snapshots[job.Workspace])))
	}
}

func (r *recorder) Tick(context.Context, []Job) {
	defer r.exclusive()()
	r.ticks++
}

func (r *recorder) exclusive() (end func()) {
	if r.busy.Swap(true) {
		r.t.Error("two things are done at once")
	}
	return func() { r.busy.Store(false) }
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// simulate runs a loop in a bubble for a while.
func simulate(t *testing.T, length time.Duration, jobs []Job, edit func(r *recorder, reloads chan []Job)) *recorder {
	t.Helper()
	r := &recorder{t: t, snapshots: map[string][]time.Duration{}, last: map[string]time.Time{}}
	synctest.Test(t, func(t *testing.T) {
		r.begun = time.Now()
		reloads := make(chan []Job, 1)
		if edit != nil {
			edit(r, reloads)
		}
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		loop := &Loop{
			Worker: r, Clock: schedule.NewClock(nil), Pulse: &Pulse{},
			SnapshotTakes: time.Hour, TickTakes: time.Minute, Between: time.Minute,
		}
		loop.Run(ctx, jobs, reloads)
		if ctx.Err() == nil {
			t.Error("the loop ended by itself")
		}
	})
	return r
}

const quarter = 15 * time.Minute

// week is a week without its last minute, so that the last slot is within it.
const week = 7*24*time.Hour - time.Minute

func TestAWeekOfSnapshots(t *testing.T) {
	jobs := []Job{{"acme", quarter, 30 * time.Second}, {"globex", time.Hour, 0}}
	r := simulate(t, week, jobs, func(r *recorder, _ chan []Job) {
		r.takes = func(_ string, n int) time.Duration { return time.Duration(n%7) * time.Minute }
	})
	if n := len(r.snapshots["acme"]); n != 672 {
		t.Errorf("%d snapshots of acme", n)
	}
	if n := len(r.snapshots["globex"]); n != 168 {
		t.Errorf("%d snapshots of globex", n)
	}
	for i, at := range r.snapshots["acme"] {
		// Those of globex, which take up to six minutes, may come first.
		if slot := time.Duration(i) * quarter; at < slot || at > slot+30*time.Second+8*time.Minute {
			t.Fatalf("snapshot %d began at %s", i, at)
		}
	}
	if r.ticks < 6000 || r.ticks > 7*24*60 {
		t.Errorf("%d ticks", r.ticks)
	}
}

func TestASlowSnapshotDelaysTheNextAndNothingElse(t *testing.T) {
	r := simulate(t, 3*time.Hour, []Job{{"acme", quarter, 0}}, func(r *recorder, _ chan []Job) {
		r.takes = func(_ string, n int) time.Duration {
			if n == 2 {
				return 40 * time.Minute
			}
			return 0
		}
	})
	want := []time.Duration{0, quarter, 55 * time.Minute, 70 * time.Minute, 85 * time.Minute}
	if got := r.snapshots["acme"][:5]; !slices.Equal(got, want) {
		t.Errorf("begun at %s", got)
	}
}

func TestTicksGoOnBetweenSnapshotsWithoutAPause(t *testing.T) {
	r := simulate(t, time.Hour-time.Minute, []Job{{"acme", time.Second, 0}}, func(r *recorder, _ chan []Job) {
		r.takes = func(string, int) time.Duration { return 10 * time.Second }
	})
	if r.ticks < 49 || len(r.snapshots["acme"]) < 300 {
		t.Errorf("%d ticks, %d snapshots", r.ticks, len(r.snapshots["acme"]))
	}
}

func TestARestartKeepsTheSchedule(t *testing.T) {
	for name, c := range map[string]struct {
		age   time.Duration // of the newest complete run; 0: there is none
		first time.Duration
	}{
		"the first start":                     {0, 0},
		"five minutes after a run":            {5 * time.Minute, 10 * time.Minute},
		"an hour after a run":                 {time.Hour, 0},
		"after a run that is yet to come":     {-time.Hour, 0},
		"centuries after a run, or a bad one": {200 * 365 * 24 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := simulate(t, time.Hour-time.Minute, []Job{{"acme", quarter, 0}}, func(r *recorder, _ chan []Job) {
				if c.age != 0 {
					r.last["acme"] = time.Now().Add(-c.age)
				}
			})
			if got := r.snapshots["acme"]; got[0] != c.first || got[1] != c.first+quarter {
				t.Errorf("begun at %s", got)
			}
		})
	}
}

func TestAReloadKeepsThePlaceInTheSchedule(t *testing.T) {
	r := simulate(t, time.Hour-time.Minute, []Job{{"acme", quarter, 0}, {"globex", quarter, 0}}, func(r *recorder, reloads chan []Job) {
		go func() {
			time.Sleep(5 * time.Minute)
			reloads <- []Job{{"acme", quarter, 0}, {"initech", 2 * quarter, 0}}
		}()
	})
	want := map[string][]time.Duration{
		"acme":    {0, quarter, 2 * quarter, 3 * quarter},
		"globex":  {0},
		"initech": {5 * time.Minute, 35 * time.Minute},
	}
	if fmt.Sprint(r.snapshots) != fmt.Sprint(want) {
		t.Errorf("%v", r.snapshots)
	}
}

func TestAReloadIsHeardBetweenSnapshotsWithoutAPause(t *testing.T) {
	r := simulate(t, time.Hour-time.Minute, []Job{{"acme", time.Second, 0}}, func(r *recorder, reloads chan []Job) {
		r.takes = func(string, int) time.Duration { return time.Minute }
		reloads <- []Job{{"globex", time.Second, 0}}
	})
	if n := len(r.snapshots["acme"]); n > 1 || len(r.snapshots["globex"]) == 0 {
		t.Errorf("%v", r.snapshots)
	}
}

func TestPulseOfALoopThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Pulse{}
		if _, _, stuck := p.Stuck(); stuck {
			t.Error("stuck before it began")
		}
		p.Begin("snapshot", time.Hour)
		time.Sleep(time.Hour + grace)
		if what, _, stuck := p.Stuck(); stuck || what != "snapshot" {
			t.Errorf("%s, stuck %v", what, stuck)
		}
		time.Sleep(time.Second)
		if _, lasts, stuck := p.Stuck(); !stuck || lasts != time.Hour+grace+time.Second {
			t.Errorf("after %s: stuck %v", lasts, stuck)
		}
	})
}

func TestHealthFollowsTheNewestCompleteRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := struct{ ahead atomic.Int64 }{}
		wall := func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
		clock, pulse := schedule.NewClock(wall), &Pulse{}
		h := NewHealth(clock, pulse)
		h.Expect([]Job{{"acme", quarter, 0}, {"globex", time.Hour, 0}})
		want := func(when string, all Status, each ...Status) {
			t.Helper()
			pulse.Begin("waiting", time.Hour)
			r := h.Report()
			got := []Status{r.Workspaces[0].Status, r.Workspaces[1].Status}
			if r.Status != all || !slices.Equal(got, each) {
				t.Errorf("%s: %s %s", when, r.Status, got)
			}
		}
		want("at the start", Starting, Starting, Starting)
		h.Saw("acme", store.Run{ID: 7, Finished: wall()})
		want("after one", Starting, OK, Starting)
		h.Saw("globex", store.Run{ID: 1, Finished: wall().Add(-90 * time.Minute)})
		h.Saw("nobody", store.Run{ID: 1, Finished: wall()})
		want("after both", OK, OK, OK)
		time.Sleep(30*time.Minute + time.Second)
		want("later", Stale, Stale, Stale)
		h.Saw("acme", store.Run{ID: 8, Finished: wall()})
		h.Saw("globex", store.Run{ID: 2, Finished: wall()})
		want("again", OK, OK, OK)
		w.ahead.Store(int64(-24 * time.Hour))
		time.Sleep(2 * quarter)
		h.Saw("acme", store.Run{ID: 8, Finished: wall()}) // nothing new
		want("after the clock was set back", OK, OK, OK)
		time.Sleep(time.Second)
		want("and it does not stay fresh for ever", Stale, Stale, OK)
		h.SetDamaged(true)
		want("damaged", Damaged, Stale, OK)
		pulse.Begin("snapshot", 0)
		time.Sleep(2 * grace)
		if r := h.Report(); r.Status != Stuck || r.Doing != "snapshot" {
			t.Errorf("stuck: %+v", r)
		}
		h.SetDamaged(false)
		h.Expect([]Job{{"acme", time.Hour, 0}})
		pulse.Begin("waiting", time.Hour)
		if r := h.Report(); r.Status != OK || len(r.Workspaces) != 1 || r.Workspaces[0].Run != 8 {
			t.Errorf("after a reload: %+v", r)
		}
	})
}

func TestHealthKnowsTheNewestRun(t *testing.T) {
	h := NewHealth(schedule.NewClock(nil), &Pulse{})
	h.Expect([]Job{{"acme", quarter, 0}})
	now := time.Now()
	for _, c := range []struct {
		run  store.Run
		want int64
	}{
		{store.Run{ID: 8, Finished: now.Add(-time.Minute)}, 8},
		{store.Run{ID: 7, Finished: now.Add(-2 * time.Minute)}, 8}, // an older one
		{store.Run{ID: 5, Finished: now}, 5},                       // after a backup was put back
		{store.Run{ID: 6, Finished: now.Add(-time.Hour)}, 6},       // after the clock was set back
	} {
		h.Saw("acme", c.run)
		if r := h.Report(); r.Workspaces[0].Run != c.want {
			t.Errorf("after run %d: %+v", c.run.ID, r)
		}
	}
}
