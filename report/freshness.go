package report

import (
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

const (
	// leastRecent is how many complete runs there must be: two or three runs make no habit.
	leastRecent = 4
	// shortestInterval keeps runs that were started by hand, one after the other,
	// from making everything out of date within seconds.
	shortestInterval = time.Minute
)

// FreshnessJSON tells how old the newest complete run is, and whether that is older
// than one would expect.
type FreshnessJSON struct {
	Run           int64   `json:"run"` // the newest complete run over all accounts
	FinishedAt    Time    `json:"finished_at"`
	Age           Seconds `json:"age_seconds"`            // from then to the moment that is reported about
	UsualInterval Seconds `json:"usual_interval_seconds"` // the median of recent runs
	Stale         bool    `json:"stale"`                  // the age is more than twice the usual interval
}

// RecentRuns is how many of the newest complete runs [NewFreshness] makes use of.
const RecentRuns = 20

// NewFreshness judges how fresh the data were at a moment by the newest complete runs
// over all accounts, the newest first; nil when they are too few.
func NewFreshness(runs []store.Run, at time.Time) *FreshnessJSON {
	if len(runs) < leastRecent {
		return nil
	}
	var intervals []time.Duration
	for i := 1; i < len(runs); i++ {
		intervals = append(intervals, runs[i-1].Started.Sub(runs[i].Started))
	}
	slices.Sort(intervals)
	usual := max(intervals[len(intervals)/2], shortestInterval)
	newest := runs[0]
	age := at.Sub(newest.Finished)
	return &FreshnessJSON{
		Run: newest.ID, FinishedAt: Time{newest.Finished}, Age: Seconds(age), UsualInterval: Seconds(usual), Stale: age > 2*usual,
	}
}
