package watch

import (
	"sync"
	"time"
)

// Pulse tells whether the loop goes on. Everything that the loop does takes a bounded
// time: it says before what it does, and how long that takes at most. It may be used by
// several goroutines.
type Pulse struct {
	mu      sync.Mutex
	what    string
	since   time.Time // with the monotonic clock, which stands still while the machine sleeps
	longest time.Duration
}

// grace is added to how long something takes at most: the machine may be busy.
const grace = time.Minute

// Begin says that the loop begins to do something, which takes longest at most.
func (p *Pulse) Begin(what string, longest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what, p.since, p.longest = what, time.Now(), longest
}

// Stuck reports whether the loop has been busy with something for too long, and returns
// what it does, and for how long it has.
func (p *Pulse) Stuck() (what string, lasts time.Duration, stuck bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.what == "" {
		return "starting", 0, false
	}
	lasts = time.Since(p.since)
	return p.what, lasts, lasts > p.longest+grace
}
