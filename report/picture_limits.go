package report

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// NearlyUsed is the share of a limit that is worth a look.
const NearlyUsed = 0.8

// LimitChart is the use of one limit from day to day.
type LimitChart struct {
	LimitJSON
	Peak   *DayUseJSON // the first day with the highest share; nil when no day has one
	Bars   []LimitBar  // days with a known share, oldest first
	Resets []int       // days in which the counter was seen to begin anew
	Edits  []LimitEdit // oldest first
}

// LimitBar is the highest share of one day. Days are counted from the UTC day in
// which the period begins, which is 0.
type LimitBar struct {
	Day   int
	Share float64
}

// LimitEdit is a change of the limit itself.
type LimitEdit struct {
	Window   WindowJSON
	Old, New json.RawMessage
}

// Notable reports whether the limit was nearly used up or edited.
func (c LimitChart) Notable() bool {
	return len(c.Edits) > 0 || c.Peak != nil && *c.Peak.Share >= NearlyUsed
}

// Used reports whether the limit was used at all.
func (c LimitChart) Used() bool { return c.Peak != nil && *c.Peak.Share > 0 }

type limitKey struct{ account, limit string }

// newLimitCharts puts notable limits first, those most used before the others; all
// else stays in its order.
func newLimitCharts(limits []LimitJSON, in Input, changes []ChangeJSON) []LimitChart {
	edits, resets := limitEdits(changes), in.resets()
	charts := make([]LimitChart, 0, len(limits))
	for _, l := range limits {
		key := limitKey{l.Account, l.Limit}
		c := LimitChart{LimitJSON: l, Peak: l.Peak(), Edits: edits[key], Resets: resets[key]}
		for _, day := range l.Days {
			date, err := time.Parse(time.DateOnly, day.Day)
			if err != nil || day.Share == nil {
				continue
			}
			c.Bars = append(c.Bars, LimitBar{Day: int(dayNumber(date) - dayNumber(in.Since)), Share: *day.Share})
		}
		charts = append(charts, c)
	}
	slices.SortStableFunc(charts, func(a, b LimitChart) int {
		if a.Notable() != b.Notable() {
			return map[bool]int{true: -1, false: 1}[a.Notable()]
		}
		if !a.Notable() {
			return 0
		}
		return cmp.Compare(b.peak(), a.peak())
	})
	return charts
}

func (c LimitChart) peak() float64 {
	if c.Peak == nil {
		return 0
	}
	return *c.Peak.Share
}

// limitEdits are the changes of limits themselves, oldest first.
func limitEdits(changes []ChangeJSON) map[limitKey][]LimitEdit {
	edits := map[limitKey][]LimitEdit{}
	for _, c := range changes {
		rest, ok := strings.CutPrefix(c.Path, "/params/user/")
		name, found := strings.CutSuffix(rest, "/max")
		if c.Kind != store.LimitChanged || !ok || !found {
			continue
		}
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
		key := limitKey{c.Account, name}
		edits[key] = append(edits[key], LimitEdit{Window: WindowJSON{After: c.After, Before: c.Before}, Old: c.Old, New: c.New})
	}
	return edits
}

// resets are the days in which each counter was seen to begin anew: it fell. The
// day is that of the reset that the API had announced, else of the first look after
// it.
func (in Input) resets() map[limitKey][]int {
	last, resets := map[limitKey]store.Use{}, map[limitKey][]int{}
	uses := slices.SortedStableFunc(slices.Values(in.Uses), func(a, b store.Use) int { return a.SeenAt.Compare(b.SeenAt) })
	for _, u := range uses {
		key := limitKey{u.Account, u.Limit}
		before, known := last[key]
		last[key] = u
		was, ok := numberOf(before.Value)
		is, also := numberOf(u.Value)
		if !known || !ok || !also || is >= was || u.SeenAt.Before(in.Since) || !u.SeenAt.Before(in.Until) {
			continue
		}
		at := u.SeenAt
		if before.ResetsAt.After(before.SeenAt) && before.ResetsAt.Before(at) {
			at = before.ResetsAt
		}
		day := int(dayNumber(at) - dayNumber(in.Since))
		if days := resets[key]; day >= 0 && (len(days) == 0 || days[len(days)-1] != day) {
			resets[key] = append(days, day)
		}
	}
	return resets
}
