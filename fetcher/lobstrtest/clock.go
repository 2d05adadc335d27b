package lobstrtest

import (
	"sync"
	"time"
)

// Clock is a simulated clock: it stands still until it is moved. All methods
// may be called at the same time. Its Now is what a client, a store and a
// [World] are given as their clock.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows start, in UTC.
func NewClock(start time.Time) *Clock { return &Clock{now: start.UTC()} }

// Now returns the instant that the clock shows, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on by d and returns the instant that it then shows.
// A negative d moves it back, as [Clock.Set] may.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// Set makes the clock show t. Going back is allowed: a world then serves what
// was so at that earlier instant, but takes no event before what it has served.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t.UTC()
}
