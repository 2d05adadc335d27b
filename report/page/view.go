package page

import (
	"fmt"
	"html/template"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// The methods below are what the template asks of a view.

// Axis are the labels of the time axis.
func (v view) Axis() template.HTML { return v.scale.axis() }

// Grid are its lines.
func (v view) Grid() template.HTML { return v.scale.grid() }

// Definitions are shapes that charts share.
func (v view) Definitions() template.HTML { return v.shapes.definitions() }

// Length is that of the period.
func (v view) Length() report.Seconds { return report.Seconds(v.scale.length) }

// Bars draws the timeline of an account.
func (v view) Bars(a report.AccountRow) template.HTML { return v.scale.health(a.Timeline, a.Marks) }

// strips are the rows of one table of timelines.
type strips struct {
	view
	Rows []report.AccountRow
	Type report.Text
}

// Strips are rows with all that is needed to draw them.
func (v view) Strips(rows []report.AccountRow, kind report.Text) strips { return strips{v, rows, kind} }

// LaneBars draws an assignment.
func (v view) LaneBars(l report.Lane) template.HTML { return v.scale.lane(l) }

// limitView is a limit with its chart.
type limitView struct {
	report.LimitChart
	Box   string // what the chart is drawn in
	Chart template.HTML
}

// ChartOf draws the use of a limit.
func (v view) ChartOf(c report.LimitChart) limitView {
	high := highOf(c)
	over := high / 8 // for what is above the limit
	box := fmt.Sprintf("0 -%d %d %d", over, max(v.shapes.days, 1), high+over+3)
	return limitView{c, box, v.shapes.chart(c, v.scale.since, high)}
}

// RunTicks draws when runs began.
func (v view) RunTicks() template.HTML { return v.scale.runs(v.Report.Runs.Runs) }

// Proportions draws how many accounts are in which health.
func (v view) Proportions() template.HTML { return proportions(v.Report.Status.Summary) }

// CountOf is the number of accounts in a health.
func (v view) CountOf(h store.Health) int { return countOf(v.Report.Status.Summary, h) }

// Moved are the squids in which an assignment began or ended.
func (v view) Moved() []report.SquidLanes { return only(v.Squids, report.SquidLanes.Moved) }

// Lasting are the other squids.
func (v view) Lasting() []report.SquidLanes {
	return only(v.Squids, func(s report.SquidLanes) bool { return !s.Moved() })
}

// Notable are the limits that were nearly used up or edited.
func (v view) Notable() []report.LimitChart {
	return only(v.Limits, report.LimitChart.Notable)
}

// Quiet are those that were used, and no more than that.
func (v view) Quiet() []report.LimitChart {
	return only(v.Limits, func(c report.LimitChart) bool { return !c.Notable() && c.Used() })
}

// Unused are those of which no use is known.
func (v view) Unused() []report.LimitChart {
	return only(v.Limits, func(c report.LimitChart) bool { return !c.Notable() && !c.Used() })
}

// only are the elements that keep says yes to.
func only[T any](all []T, keep func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool { return !keep(one) })
}

// HasChanges reports whether the report tells of changes, if only that there are
// none.
func (v view) HasChanges() bool { return v.Report.Changes != nil }

// day is what was noticed on one day.
type day struct {
	Date   time.Time
	Events []report.Event
}

// EventDays are the newest events, by the UTC day on which they were noticed.
func (v view) EventDays() (days []day) {
	for _, e := range v.Events[:min(len(v.Events), mostEvents)] {
		date := e.Window.Before.UTC().Truncate(24 * time.Hour)
		if n := len(days); n == 0 || !days[n-1].Date.Equal(date) {
			days = append(days, day{Date: date})
		}
		days[len(days)-1].Events = append(days[len(days)-1].Events, e)
	}
	return days
}

// Left is how many events are left out of EventDays.
func (v view) Left() int { return max(0, len(v.Events)-mostEvents) }

// Troubled are the newest runs that were not complete.
func (v view) Troubled() []report.RunJSON {
	return v.Report.Runs.Incomplete[:min(len(v.Report.Runs.Incomplete), mostRuns)]
}

// RunsLeft is how many runs are left out of Troubled.
func (v view) RunsLeft() int { return max(0, len(v.Report.Runs.Incomplete)-mostRuns) }
