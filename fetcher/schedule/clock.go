package schedule

import (
	"sync"
	"time"
)

// Longest is the longest that a wait should take before [Clock.Elapsed] is asked again. A
// timer stands still while the machine sleeps, so a longer one would be late after it.
const Longest = 30 * time.Second

// How a step of the wall clock is understood.
const (
	smallestLeap = 5 * time.Second     // less is the clock being set right
	largestLeap  = 31 * 24 * time.Hour // more is counted as this
	leapPause    = time.Minute         // at least so long between two leaps
)

// Clock measures the time that passes, and goes on while the machine sleeps: the monotonic
// clock stands still then on some systems, and a wall clock can be set. So it follows the
// monotonic clock, and adds by how much the wall clock went further, which is a sleep
// or a step forward. A step back changes nothing. It never goes back. It may be used
// by several goroutines.
type Clock struct {
	wall  func() time.Time
	begun time.Time // with the monotonic clock
	first time.Time // by the wall clock

	mu     sync.Mutex
	ahead  time.Duration // of the monotonic clock, that the wall clock was when it was asked last
	added  time.Duration // all leaps
	leapAt time.Duration // when the last one was counted, by the monotonic clock
}

// NewClock returns a clock that shows 0. wall tells the time of the day; nil is time.Now.
func NewClock(wall func() time.Time) *Clock {
	if wall == nil {
		wall = time.Now
	}
	return &Clock{wall: wall, begun: time.Now(), first: wall().Round(0), leapAt: -leapPause}
}

// Elapsed returns how much time has passed since the clock was made.
func (c *Clock) Elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	passed := time.Since(c.begun)
	ahead := c.wall().Round(0).Sub(c.first) - passed
	leap := ahead - c.ahead
	switch {
	case leap < 0:
		c.ahead = ahead
	case leap >= smallestLeap && passed-c.leapAt >= leapPause: // a clock that goes back and forth makes no storm
		c.ahead, c.leapAt = ahead, passed
		c.added += min(leap, largestLeap)
	}
	return passed + c.added
}

// Wall returns the time of the day.
func (c *Clock) Wall() time.Time { return c.wall() }
