package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Options say how alerts are evaluated.
type Options struct {
	Rules Rules
	Now   func() time.Time
	// Launches finds the next launches of squids, by id. It is called when there is
	// something to tell that names them. nil: they are not known.
	Launches func(ctx context.Context, squids []string) map[string]time.Time
}

// Update evaluates all runs of a workspace that were not evaluated yet, each in a
// transaction of its own, and what depends on the time alone. When another process
// evaluates at the same time, it goes on from where that one is.
func Update(ctx context.Context, s store.Store, workspace string, o Options) error {
	const tries = 10
	conflicts := 0
	for {
		in, err := Read(ctx, s, workspace, o)
		if err != nil {
			return fmt.Errorf("alerts of workspace %q: %w", workspace, err)
		}
		delta := Evaluate(in)
		if in.Run == nil && (isIdle(delta) || in.Place.Run == 0) {
			return nil // also where there was no run yet
		}
		err = s.SaveAlerts(ctx, workspace, delta)
		switch {
		case errors.Is(err, store.ErrConflict) && conflicts < tries:
			conflicts++
		case err != nil:
			return fmt.Errorf("alerts of workspace %q: %w", workspace, err)
		case in.Last:
			return nil
		}
	}
}

// isIdle reports whether an evaluation changes nothing but its moment.
func isIdle(d store.AlertDelta) bool {
	return len(d.Begin)+len(d.Update)+len(d.Forget)+len(d.Messages) == 0 && d.To.Digest.Equal(d.From.Digest)
}
