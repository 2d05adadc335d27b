package watch

import (
	"context"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/schedule"
)

// Job is the work for one workspace: a snapshot of all accounts at an interval.
type Job struct {
	Workspace string
	Every     time.Duration // more than 0
	// Jitter is the longest delay by chance after a snapshot is due.
	Jitter time.Duration
}

// Worker does the work of a loop. Its functions are called one at a time. They return soon
// after ctx is done, and have no error to return: they log it.
type Worker interface {
	// Last is when the newest complete run of the workspace began; zero: there is none.
	Last(ctx context.Context, workspace string) time.Time
	// Snapshot takes a snapshot, and tells alerts about it.
	Snapshot(ctx context.Context, job Job)
	// Tick looks whether something is to be told that no run noticed.
	Tick(ctx context.Context, jobs []Job)
}

// Loop begins the snapshot of each workspace when it is due, one after the other, and a
// tick in between.
type Loop struct {
	Worker Worker
	Clock  *schedule.Clock
	Pulse  *Pulse
	// SnapshotTakes is the longest that a snapshot takes, TickTakes what a tick takes for
	// one workspace.
	SnapshotTakes, TickTakes time.Duration
	// Between is the time between two ticks.
	Between time.Duration

	jobs     []Job
	plans    map[string]*schedule.Plan
	nextTick time.Duration
}

// Run works until ctx is done. Jobs that come in through the channel replace those that
// there were, when the snapshot under way is over.
func (l *Loop) Run(ctx context.Context, jobs []Job, reloaded <-chan []Job) {
	l.replace(ctx, jobs)
	for ctx.Err() == nil {
		now := l.Clock.Elapsed()
		job, due := l.next(now)
		switch {
		case now >= l.nextTick:
			l.nextTick = now + l.Between
			l.Pulse.Begin("alerts", l.TickTakes*time.Duration(len(l.jobs)+1))
			l.Worker.Tick(ctx, l.jobs)
		case len(l.jobs) > 0 && now >= due:
			l.plans[job.Workspace].Begin(now)
			l.Pulse.Begin("snapshot", l.SnapshotTakes)
			l.Worker.Snapshot(ctx, job)
		default:
			l.Pulse.Begin("waiting", schedule.Longest)
			l.wait(ctx, min(due, l.nextTick)-now, reloaded)
			continue
		}
		select { // also when there is always something to do
		case jobs := <-reloaded:
			l.replace(ctx, jobs)
		default:
		}
	}
}

// next returns the job that is due first, and when it is due.
func (l *Loop) next(now time.Duration) (first Job, due time.Duration) {
	due = l.nextTick // where there is no job
	for i, job := range l.jobs {
		if at := l.plans[job.Workspace].Due(now); i == 0 || at < due {
			first, due = job, at
		}
	}
	return first, due
}

func (l *Loop) wait(ctx context.Context, left time.Duration, reloaded <-chan []Job) {
	timer := time.NewTimer(min(left, schedule.Longest))
	defer timer.Stop()
	select {
	case <-timer.C:
	case jobs := <-reloaded:
		l.replace(ctx, jobs)
	case <-ctx.Done():
	}
}

// replace has other jobs done from now on. A workspace that was there keeps its place in
// the schedule.
func (l *Loop) replace(ctx context.Context, jobs []Job) {
	plans := map[string]*schedule.Plan{}
	for _, job := range jobs {
		last := l.last(ctx, job)
		if before := l.plans[job.Workspace]; before != nil {
			last = before.Last()
		}
		plans[job.Workspace] = schedule.NewPlan(last, job.Every, job.Jitter)
	}
	l.jobs, l.plans = jobs, plans
}

// last returns the slot of the newest complete run, so that a daemon that starts again and
// again takes no more snapshots than one that runs. Without one, the first is due at once.
func (l *Loop) last(ctx context.Context, job Job) time.Duration {
	now := l.Clock.Elapsed()
	began := l.Worker.Last(ctx, job.Workspace)
	age := l.Clock.Wall().Sub(began)
	if began.IsZero() || age < 0 {
		age = 2 * job.Every
	}
	return now - min(age, 2*job.Every)
}
