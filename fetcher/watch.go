package fetcher

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/schedule"
	"github.com/lobstrail/lobstrail/store"
)

// Watch takes a snapshot as [Job.Snapshot] does at once, and then at every interval, until
// ctx is done or the caller breaks off. A snapshot that takes longer than the interval
// delays the next one. After a sleep of the machine, one snapshot is taken at once: see
// package [schedule].
//
// It yields one step for each change of the health of an account, in the order in which
// they were noticed, right after the snapshot that noticed them. The first sight of an
// account is no change. What was noticed before the first snapshot of the watch is not
// told: see [store.Reader].
//
// An error, such as a [RunError] or one that matches [ErrKeyRefused], does not end the
// sequence: the next snapshot may work again. Steps that could not be read are yielded
// after a later snapshot. When ctx is done, what the last snapshot noticed is still
// yielded, and the sequence ends without an error.
func (j Job) Watch(ctx context.Context, every time.Duration, references ...string) iter.Seq2[store.StatusStep, error] {
	return func(yield func(store.StatusStep, error) bool) {
		if every <= 0 {
			yield(store.StatusStep{}, errors.New("watch: the interval must be more than 0"))
			return
		}
		clock := schedule.NewClock(nil)
		plan := schedule.NewPlan(-every, every, 0) // the first snapshot is due now
		var told int64                             // the last run whose steps were yielded; 0: none was taken yet
		for plan.Wait(ctx, clock) {
			run, err := j.Snapshot(ctx, references...)
			if err != nil && ctx.Err() == nil && !yield(store.StatusStep{}, err) {
				return
			}
			more := true
			if told, more = j.tell(ctx, told, run.ID, yield); !more {
				return
			}
		}
	}
}

// tell yields the changes of health that the runs after told, up to the last one,
// noticed; last is 0 when no run was taken. It returns the last run of which all were
// yielded, and whether the caller wants more.
func (j Job) tell(ctx context.Context, told, last int64, yield func(store.StatusStep, error) bool) (int64, bool) {
	switch {
	case last == 0:
		return told, true
	case told == 0:
		told = last - 1
	}
	ctx = context.WithoutCancel(ctx) // an interrupted run is told too
	for told < last {
		// They are read before they are yielded: the caller may take long, or ask the store.
		steps, err := store.Collect(j.Store.StatusSteps(ctx, store.PeriodQuery{Workspace: j.Workspace, Run: told + 1}))
		if err != nil {
			return told, yield(store.StatusStep{}, err)
		}
		told++
		for _, step := range steps {
			changed := step.HealthBefore != "" && step.HealthBefore != step.HealthAfter
			if changed && !yield(step, nil) {
				return told, false
			}
		}
	}
	return told, true
}
