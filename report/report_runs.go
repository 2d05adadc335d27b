package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// RunSection tells when somebody looked, how completely, and what it cost.
type RunSection struct {
	Summary RunCounts    `json:"summary"`
	Days    []RunDayJSON `json:"days"` // UTC days with a run, oldest first
	// LongestGap is the longest time of the period in which no run began or was
	// under way.
	LongestGap GapJSON `json:"longest_gap"`
	// Incomplete are the runs that were not complete, newest first; a run that is
	// under way is none of them.
	Incomplete []RunJSON `json:"incomplete"`
	// Runs are all of them, oldest first, for renderers.
	Runs []store.Run `json:"-"`
}

// RunCounts sums up runs.
type RunCounts struct {
	Runs        int `json:"runs"`
	Complete    int `json:"complete"`
	Incomplete  int `json:"incomplete"`
	Interrupted int `json:"interrupted"`
	Failed      int `json:"failed"`
	Running     int `json:"running"`
	Requested   int `json:"requested"`
	Captured    int `json:"captured"`
	Failures    int `json:"failures"` // what could not be snapshotted
	Requests    int `json:"requests"` // calls spent, retries included
}

// RunDayJSON sums up the runs that began on one day.
type RunDayJSON struct {
	Day string `json:"day"` // UTC, "2006-01-02"
	RunCounts
}

// GapJSON is a stretch of time.
type GapJSON struct {
	From    Time    `json:"from"`
	To      Time    `json:"to"`
	Seconds Seconds `json:"seconds"`
}

// runs sums up the runs that began in the period.
func (in Input) runs() *RunSection {
	s := &RunSection{Days: []RunDayJSON{}, Incomplete: []RunJSON{}}
	for _, run := range in.Runs {
		if in.inPeriod(run.Started) {
			s.Runs = append(s.Runs, run)
		}
	}
	slices.SortFunc(s.Runs, func(a, b store.Run) int { return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID)) })
	for _, run := range s.Runs {
		day := run.Started.UTC().Format(time.DateOnly)
		if n := len(s.Days); n == 0 || s.Days[n-1].Day != day {
			s.Days = append(s.Days, RunDayJSON{Day: day})
		}
		s.Days[len(s.Days)-1].add(run)
		s.Summary.add(run)
		if run.State != store.Complete && run.State != store.Running {
			s.Incomplete = append(s.Incomplete, NewRunJSON(run))
		}
	}
	slices.Reverse(s.Incomplete)
	s.LongestGap = in.longestGap(s.Runs)
	return s
}

func (c *RunCounts) add(run store.Run) {
	c.Runs++
	switch run.State {
	case store.Complete:
		c.Complete++
	case store.Incomplete:
		c.Incomplete++
	case store.Interrupted:
		c.Interrupted++
	case store.Failed:
		c.Failed++
	case store.Running:
		c.Running++
	}
	c.Requested += run.Requested
	c.Captured += run.Captured()
	c.Failures += run.Failed
	c.Requests += run.Requests
}

// longestGap finds the longest time without a run, the first of equals.
func (in Input) longestGap(runs []store.Run) GapJSON {
	longest, from := GapJSON{}, in.Since
	look := func(to time.Time) {
		if gap := to.Sub(from); gap > time.Duration(longest.Seconds) {
			longest = GapJSON{From: Time{from}, To: Time{to}, Seconds: Seconds(gap)}
		}
	}
	for _, run := range runs {
		look(run.Started)
		from = latest(from, latest(run.Started, run.Finished))
	}
	look(in.Until)
	return longest
}
