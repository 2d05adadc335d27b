package schedule_test

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/fetcher/schedule"
)

const every = 15 * time.Minute

func TestNext(t *testing.T) {
	for name, c := range map[string]struct {
		now, last, jitter time.Duration
		slot, due         time.Duration
	}{
		"just begun":                               {0, 0, 0, every, every},
		"delayed by chance":                        {time.Minute, 0, 7 * time.Second, every, every + 7*time.Second},
		"late, and the next slot is kept":          {2*every - 1, 0, 0, every, every},
		"a whole slot was missed":                  {2 * every, 0, 0, 2 * every, 2 * every},
		"slept for five hours":                     {5*time.Hour + 3*time.Minute, 0, 9 * time.Second, 5*time.Hour + 3*time.Minute, 5*time.Hour + 3*time.Minute},
		"a restart five minutes after the last":    {0, -5 * time.Minute, 0, 10 * time.Minute, 10 * time.Minute},
		"a restart long after the last":            {0, -24 * time.Hour, 0, 0, 0},
		"a last one that the clock has yet to see": {0, every, 0, 2 * every, 2 * every},
	} {
		t.Run(name, func(t *testing.T) {
			if slot, due := schedule.Next(c.now, c.last, every, c.jitter); slot != c.slot || due != c.due {
				t.Errorf("slot %s, due %s", slot, due)
			}
		})
	}
}

// TestPlansNeitherDriftNorStorm: whatever the length of the work, its moments are an
// interval apart on average, and none is told twice.
func TestPlansNeitherDriftNorStorm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		jitter := time.Duration(rapid.Int64Range(0, int64(every)-1).Draw(t, "jitter"))
		plan, now, slots := schedule.NewPlan(0, every, jitter), time.Duration(0), 0
		for range rapid.IntRange(1, 300).Draw(t, "times") {
			due := plan.Due(now)
			if now < due {
				now = due
			}
			plan.Begin(now)
			slots++
			if next := plan.Due(now); next <= now {
				t.Fatalf("begun at %s, and due again at %s", now, next)
			}
			// Work that ends before the next slot begins moves nothing.
			if slot := time.Duration(slots) * every; now < slot || now > slot+jitter {
				t.Fatalf("slot %d began at %s", slots, now)
			}
			left := time.Duration(slots+1)*every - now
			now += time.Duration(rapid.Int64Range(0, int64(left)).Draw(t, "work"))
		}
	})
}

// walls is a wall clock that can be set.
type walls struct{ ahead atomic.Int64 } // nanoseconds

func (w *walls) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// follow counts how often a plan's work begins while something happens to the wall clock
// every ten seconds.
func follow(t *testing.T, length time.Duration, step func(n int, w *walls)) (begun []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		w := &walls{}
		clock, start := schedule.NewClock(w.now), time.Now()
		go func() {
			for n := 1; ctx.Err() == nil; n++ {
				time.Sleep(10 * time.Second)
				step(n, w)
			}
		}()
		plan := schedule.NewPlan(-every, every, 0)
		for plan.Wait(ctx, clock) {
			begun = append(begun, time.Since(start))
		}
		time.Sleep(time.Minute) // until the other one has ended
	})
	return begun
}

func TestScheduleFollowsClocksThatJump(t *testing.T) {
	week := 7*24*time.Hour - time.Minute
	for name, c := range map[string]struct {
		step     func(n int, w *walls)
		min, max int
	}{
		"a clock that is right":      {func(int, *walls) {}, 672, 672},
		"set back by a year":         {at(5, -365*24*time.Hour), 672, 672},
		"set forward by a year":      {at(5, 365*24*time.Hour), 673, 674},
		"a sleep of five hours":      {at(5, 5*time.Hour), 673, 674},
		"small steps of an NTP":      {func(n int, w *walls) { w.ahead.Store(int64(n%3) * int64(time.Second)) }, 672, 672},
		"back an hour, then forward": {both(at(5, -time.Hour), at(603, time.Hour)), 672, 674},
		"back and forth for a while": {func(n int, w *walls) { // an hour of it
			if n <= 360 {
				w.ahead.Store(int64(n%2) * int64(time.Hour))
			}
		}, 672, 672 + 60},
		"back a year, then a sleep": {both(at(5, -365*24*time.Hour), at(603, 5*time.Hour)), 673, 674},
		"forward as far as it goes": {at(5, math.MaxInt64), 673, 674},
	} {
		t.Run(name, func(t *testing.T) {
			if begun := follow(t, week, c.step); len(begun) < c.min || len(begun) > c.max {
				t.Errorf("begun %d times, want %d to %d", len(begun), c.min, c.max)
			}
		})
	}
}

// at steps the wall clock once.
func at(minute int, by time.Duration) func(int, *walls) {
	return func(n int, w *walls) {
		if n == 6*minute {
			w.ahead.Add(int64(by))
		}
	}
}

func both(one, other func(int, *walls)) func(int, *walls) {
	return func(n int, w *walls) {
		one(n, w)
		other(n, w)
	}
}

func TestAfterASleepItIsDueOnceAndSoon(t *testing.T) {
	begun := follow(t, time.Hour, at(5, 5*time.Hour))
	// The machine wakes up five minutes after the first one.
	if len(begun) < 4 || begun[1] < 5*time.Minute || begun[1] > 5*time.Minute+schedule.Longest || begun[2] != begun[1]+every {
		t.Errorf("begun at %s", begun)
	}
}

func TestClockThatGoesBackAndForthIsBelievedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &walls{}
		clock := schedule.NewClock(w.now)
		for n := range 60 {
			w.ahead.Store(int64(n%2) * int64(time.Hour))
			clock.Elapsed()
			time.Sleep(10 * time.Second)
		}
		if passed := clock.Elapsed(); passed > 10*time.Minute+10*time.Hour {
			t.Errorf("%s passed in ten minutes", passed)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if plan := schedule.NewPlan(-every, every, 0); plan.Wait(ctx, schedule.NewClock(nil)) {
		t.Error("the work begins although the context is done")
	}
}
