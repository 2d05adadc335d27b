package main

import (
	"context"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

const (
	widestName    = 24 // beside a timeline
	healthWidth   = 7  // of the longest word
	leastTimeline = 20 // below, it says nothing
)

// timelineRows are the timelines of all accounts that were not healthy all the
// time, as wide as the terminal; nil where there is none.
func (a *app) timelineRows(r report.Report) *section {
	accounts := r.Status.Troubled()
	names := len("account")
	for _, account := range accounts {
		names = max(names, min(widestName, uniseg.StringWidth(render.Clean(nameOf(string(account.Username), account.ID)))))
	}
	columns := a.terminalWidth() - names - healthWidth - 4
	if columns < leastTimeline || len(accounts) == 0 {
		return nil
	}
	s := &section{title: "Health", columns: []render.Column{
		{Title: "Account", Flexible: 1}, {Title: "Now"}, {Title: a.timelineTitle(r, columns)},
	}}
	s.rows = rowsFrom(accounts, func(account report.AccountTimeJSON) []render.Cell {
		name := render.Truncate(nameOf(string(account.Username), account.ID), names)
		return []render.Cell{
			render.TextCell(name), render.HealthCell(account.Health), render.StripCell(marks(account.Timeline.Columns(columns))),
		}
	})
	s.footer = func(int) string { return render.StripLegend(a.options().Color) + "." }
	return s
}

// timelineTitle has the beginning of the period at its left and the end at its
// right.
func (a *app) timelineTitle(r report.Report, columns int) string {
	layout := "2 Jan"
	if r.Until.Sub(r.Since.Time) < 3*24*time.Hour || columns > 40 {
		layout = "2 Jan 15:04"
	}
	from, to := r.Since.In(a.env.zone).Format(layout), r.Until.In(a.env.zone).Format(layout)
	return from + strings.Repeat(" ", max(1, columns-len(from)-len(to))) + to
}

// marks are columns of a timeline as a table takes them.
func marks(columns []report.Column) []render.Mark {
	all := make([]render.Mark, len(columns))
	for i, c := range columns {
		all[i] = render.Mark{Health: c.Health, Certain: c.Certain}
	}
	return all
}

// fortnight is what the sparklines of accounts are made of.
type fortnight struct {
	since, until time.Time
	columns      int
	steps        map[string][]store.StatusStep // by account
	calm         map[calmLife][]render.Mark
}

// calmLife is the life of an account without steps: most are the same.
type calmLife struct {
	health      store.Health
	first, last int64 // sight
}

// sparklineColumns is how many columns there are for a fortnight: a narrow terminal
// has one for two days.
func sparklineColumns(width int) int {
	if width > 0 && width < 110 {
		return 7
	}
	return 14
}

// title heads the sparklines; "" leaves them out.
func (f *fortnight) title() string {
	switch {
	case f == nil:
		return ""
	case f.columns < 14:
		return "14 days"
	}
	return "Last 14 days"
}

// newFortnight is the fortnight before the moment (zero: now), without what happened; nil
// in formats without sparklines.
func (a *app) newFortnight(at time.Time) *fortnight {
	if render.Format(a.format) != render.Table {
		return nil
	}
	if at.IsZero() {
		at = a.env.now()
	}
	// What was noticed at the moment itself belongs to it.
	f := &fortnight{until: at.Add(time.Millisecond), columns: sparklineColumns(a.tableWidth()), calm: map[calmLife][]render.Mark{}}
	f.since = f.until.AddDate(0, 0, -14)
	return f
}

// lastFortnight reads the fortnight of the workspace before the moment.
func (a *app) lastFortnight(ctx context.Context, s store.Store, at time.Time) (f *fortnight, err error) {
	if f = a.newFortnight(at); f == nil {
		return nil, nil
	}
	f.steps, err = s.HealthSteps(ctx, store.PeriodQuery{Workspace: a.workspace, Since: f.since, Until: f.until})
	return f, err
}

// sparkline is the last fortnight of an account.
func (f *fortnight) sparkline(account store.AccountState) []render.Mark {
	if f == nil {
		return []render.Mark{}
	}
	steps := f.steps[account.ID]
	if len(steps) == 0 {
		return f.calmSparkline(account)
	}
	for len(steps) > 0 && !steps[len(steps)-1].Window.Before.Before(f.until) {
		steps = steps[:len(steps)-1] // it was not known then
	}
	return marks(report.NewSparkline(account, steps, f.since, f.until, f.columns))
}

// calmSparkline is that of an account whose health did not change.
func (f *fortnight) calmSparkline(account store.AccountState) []render.Mark {
	life := calmLife{account.Facts.Health, max(account.FirstSeen.UnixNano(), f.since.UnixNano()), account.SeenAt.UnixNano()}
	line, known := f.calm[life]
	if !known {
		line = marks(report.NewSparkline(account, nil, f.since, f.until, f.columns))
		f.calm[life] = line
	}
	return line
}
