package report

import (
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

var firstRun = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// runsAt are runs that began so many minutes after the first and took one.
func runsAt(minutes ...int) (runs []store.Run) {
	for i, m := range minutes {
		at := firstRun.Add(time.Duration(m) * time.Minute)
		runs = append(runs, store.Run{ID: int64(len(minutes) - i), Started: at, Finished: at.Add(time.Minute)})
	}
	return runs
}

func TestFreshness(t *testing.T) {
	regular := runsAt(75, 60, 45, 30, 15, 0)
	const quarter = Seconds(15 * time.Minute)
	for name, test := range map[string]struct {
		runs    []store.Run
		minutes int // the moment
		want    *FreshnessJSON
	}{
		"no runs":                             {nil, 90, nil},
		"three are no habit":                  {regular[3:], 90, nil},
		"in time":                             {regular, 105, &FreshnessJSON{Run: 6, Age: Seconds(29 * time.Minute), UsualInterval: quarter}},
		"at twice the interval it is in time": {regular, 106, &FreshnessJSON{Run: 6, Age: Seconds(30 * time.Minute), UsualInterval: quarter}},
		"late":                                {regular, 107, &FreshnessJSON{Run: 6, Age: Seconds(31 * time.Minute), UsualInterval: quarter, Stale: true}},
		"one long break is not usual":         {runsAt(600, 75, 60, 45, 30), 620, &FreshnessJSON{Run: 5, Age: Seconds(19 * time.Minute), UsualInterval: quarter}},
		"runs by hand":                        {runsAt(0, 0, 0, 0), 3, &FreshnessJSON{Run: 4, Age: Seconds(2 * time.Minute), UsualInterval: Seconds(time.Minute)}},
	} {
		t.Run(name, func(t *testing.T) {
			got := NewFreshness(test.runs, firstRun.Add(time.Duration(test.minutes)*time.Minute))
			if got != nil {
				if got.FinishedAt.Time != test.runs[0].Finished {
					t.Errorf("finished at %v", got.FinishedAt)
				}
				got.FinishedAt = Time{}
			}
			if (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestNegligible(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		length, period time.Duration
		want           bool
	}{
		{time.Second, day, true}, {59 * time.Second, time.Hour, true}, {time.Minute, time.Hour, false},
		{20 * time.Minute, 14 * day, true}, {21 * time.Minute, 14 * day, false},
	} {
		if got := Negligible(Seconds(test.length), test.period); got != test.want {
			t.Errorf("%v of %v: %v", test.length, test.period, got)
		}
	}
}
