package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var schedule = struct{ short, long int }{200, 1000}

// TestWindowLaw plays random schedules of snapshots against random worlds and
// compares what the store says happened with what truly did: none missing, none
// invented, each true instant within its window.
func TestWindowLaw(t *testing.T) {
	if *oneSeed != 0 {
		playSeed(t, newArena(t), *oneSeed)
		return
	}
	count := schedule.short
	switch {
	case *long:
		count = schedule.long
	case brief():
		count = schedule.short / 5
	}
	began := time.Now()
	first := rand.IntN(schedule.long - count + 1) // of those of -long, others each time
	var next, changes atomic.Int64
	var workers sync.WaitGroup
	for range 2 {
		arena := newArena(t)
		workers.Go(func() {
			for seed := next.Add(1); seed <= int64(count); seed = next.Add(1) {
				changes.Add(int64(playSeed(t, arena, uint64(first)+uint64(seed))))
			}
		})
	}
	workers.Wait()
	t.Logf("%d schedules with %d changes in %s", count, changes.Load(), time.Since(began).Round(time.Second))
}

// playSeed plays one schedule and answers how many changes the store recorded.
func playSeed(t *testing.T, arena *arena, seed uint64) int {
	t.Helper()
	p := newPlay(t, arena, seed)
	defer p.close()
	if err := p.run(t.Context()); err != nil {
		t.Errorf("seed %d: %v", seed, err)
		return 0
	}
	told, err := p.told(t.Context())
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
		return 0
	}
	want := p.expected()
	problems := compareTold(want, told)
	if len(problems) == 0 {
		problems = p.checkTruth(want, told)
	}
	for _, problem := range problems {
		t.Errorf("seed %d (go test -run TestWindowLaw -seed %d): %s", seed, seed, problem)
	}
	if len(problems) > 0 && *oneSeed != 0 {
		for _, line := range p.story() {
			fmt.Println(line)
		}
	}
	return len(told.changes)
}
