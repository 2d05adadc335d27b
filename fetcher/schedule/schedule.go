// Package schedule says when work that is repeated at an interval is due.
//
// Work is due in slots that are an interval apart, so that it does not drift: the length
// of the work, and a delay by chance, do not move the next slot. Work is never due twice at once:
// when whole slots were missed, because the work took long or the machine slept, it is due
// once, at once, and the slots begin anew.
package schedule

import (
	"context"
	"math/rand/v2"
	"time"
)

// Next returns the slot after last, and the moment at which its work is due: jitter after
// the slot begins. When the slot after that one has begun too, the slot is now, and due at
// once. All times are those of one [Clock]. every is more than 0; jitter is not negative.
func Next(now, last, every, jitter time.Duration) (slot, due time.Duration) {
	slot = last + every
	if now >= slot+every {
		return now, now
	}
	return slot, slot + jitter
}

// Plan is the schedule of one kind of work. It is for one goroutine at a time.
type Plan struct {
	every, jitter time.Duration
	last          time.Duration // the slot of the work that began last
	delay         time.Duration // drawn for the next slot, from 0 to jitter
}

// NewPlan returns a plan for work that began last in the slot given. Each time, the work
// is due up to jitter after its slot begins. every must be more than 0, jitter must not
// be negative.
func NewPlan(last, every, jitter time.Duration) *Plan {
	p := &Plan{every: every, jitter: jitter, last: last}
	p.draw()
	return p
}

// Due returns when the work is due next; it is a moment before now when it is late.
func (p *Plan) Due(now time.Duration) time.Duration {
	_, due := Next(now, p.last, p.every, p.delay)
	return due
}

// Begin is called when the work begins: its slot is over.
func (p *Plan) Begin(now time.Duration) {
	p.last, _ = Next(now, p.last, p.every, p.delay)
	p.draw()
}

func (p *Plan) draw() {
	p.delay = 0
	if p.jitter > 0 {
		p.delay = rand.N(p.jitter + 1)
	}
}

// Wait waits until the work is due by the clock, and begins it. It returns false as soon
// as ctx is done.
func (p *Plan) Wait(ctx context.Context, clock *Clock) bool {
	for {
		now := clock.Elapsed()
		left := p.Due(now) - now
		if ctx.Err() != nil {
			return false
		}
		if left <= 0 {
			p.Begin(now)
			return true
		}
		select {
		case <-time.After(min(left, Longest)):
		case <-ctx.Done():
		}
	}
}

// Last returns the slot of the work that began last.
func (p *Plan) Last() time.Duration { return p.last }
