package main

import (
	"context"
	"fmt"
	"time"
)

// workClock stops a query that has worked too long. The time in which it is paused
// does not count: who reads an answer page by page may take an hour.
type workClock struct {
	left  time.Duration
	begun time.Time
	timer *time.Timer // nil: no limit
	end   func()      // gives back what it holds
}

// newWorkClock is a clock that runs, and a context that it ends after the limit; 0 is
// none.
func newWorkClock(ctx context.Context, limit time.Duration) (context.Context, *workClock) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := &workClock{left: limit, begun: time.Now(), end: func() { cancel(nil) }}
	if limit > 0 {
		c.timer = time.AfterFunc(limit, func() {
			cancel(&hintedError{fmt.Errorf("the query was stopped after it had worked for %s", limit),
				"--timeout gives it more time; a condition on an account or a time makes it faster"})
		})
		c.end = func() {
			c.timer.Stop()
			cancel(nil)
		}
	}
	return ctx, c
}

// pause stops the clock until the function it returns is called.
func (c *workClock) pause() (resume func()) {
	if c.timer == nil || !c.timer.Stop() {
		return func() {}
	}
	c.left -= time.Since(c.begun)
	return func() {
		c.begun = time.Now()
		c.timer.Reset(max(c.left, 0))
	}
}
