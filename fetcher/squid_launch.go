package fetcher

import (
	"context"
	"slices"
	"time"
)

// mostLaunches is how many squids are asked for one by one to learn when they start.
const mostLaunches = 20

// NextLaunches asks when squids start next, for messages that name the runs in danger. It
// reads the first page of the list, and asks for squids that are not on it one by one, at
// most 20. A squid whose next launch is not known is missing from the answer, whatever
// the reason. ctx bounds how long it takes.
func (c *Client) NextLaunches(ctx context.Context, ids []string) map[string]time.Time {
	launches := map[string]time.Time{}
	w := newSquidWalk(c)
	if _, err := w.page(ctx, 1); err != nil {
		return launches // a service that does not give its list is not asked for more
	}
	squids, asked := w.squids, 0
	for _, id := range ids {
		if w.seen[id] || asked == mostLaunches {
			continue
		}
		asked++
		if squid, err := c.Squid(ctx, id); err == nil {
			squids = append(squids, squid)
		}
	}
	for _, squid := range squids {
		if slices.Contains(ids, squid.ID) && !squid.NextLaunch.IsZero() {
			launches[squid.ID] = squid.NextLaunch
		}
	}
	return launches
}
