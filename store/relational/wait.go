package relational

import (
	"context"
	"time"
)

// WaitFor calls try until it reports true or fails, but not after wait has passed. It
// returns the cause when ctx is done.
//
// The pauses between the calls begin with longest and get shorter the longer a process has
// waited, down to shortest, so that the one that has waited longest is nearly always next:
// with equal pauses some writers would wait many times as long as others.
func WaitFor(ctx context.Context, wait, longest, shortest time.Duration, try func() (bool, error)) (bool, error) {
	const halved = 500 * time.Millisecond // after which the pause is half as long
	for begun := time.Now(); ; {
		if done, err := try(); done || err != nil {
			return done, err
		}
		waited := time.Since(begun)
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if waited >= wait {
			return false, nil
		}
		pause := max(shortest, time.Duration(float64(longest)/(1+float64(waited)/float64(halved))))
		select {
		case <-time.After(min(pause, wait-waited)):
		case <-ctx.Done():
		}
	}
}
