package main

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/page"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// section is one table of the report.
type section struct {
	title   string
	columns []render.Column
	rows    rowSeq // made as they are written: there are tens of thousands
	footer  func(rows int) string
}

// rowSeq yields rows as [render.Writer.Lazy] takes them.
type rowSeq iter.Seq2[func() any, func() []render.Cell]

// none is a footer for sections that had no row.
func none(text string) func(int) string {
	return func(rows int) string {
		if rows > 0 {
			return ""
		}
		return text
	}
}

// rowsFrom makes a row of each item.
func rowsFrom[T any](items []T, cells func(T) []render.Cell) rowSeq {
	return func(yield func(func() any, func() []render.Cell) bool) {
		for _, item := range items {
			if !yield(func() any { return item }, func() []render.Cell { return cells(item) }) {
				return
			}
		}
	}
}

func (s *section) writeTo(out *render.Writer) error {
	n := 0
	for value, cells := range s.rows {
		n++
		if err := out.Lazy(value, cells); err != nil {
			return err
		}
	}
	footer := ""
	if s.footer != nil {
		footer = s.footer(n)
	}
	return out.Close(footer)
}

// printReport writes the report in the format asked for. CSV and NDJSON hold the
// rows of the one section named.
func (a *app) printReport(in report.Input, r report.Report, name string) error {
	switch format := render.Format(a.format); format {
	case render.HTML:
		return page.WriteHTML(a.env.stdout, report.NewPicture(in, r))
	case render.SVG:
		return page.WriteSVG(a.env.stdout, report.NewPicture(in, r))
	case render.JSON:
		return render.Object(a.env.stdout, a.options(), r)
	case render.CSV, render.NDJSON:
		if stale := a.reportStale(r); stale != "" {
			a.note("note: %s", stale)
		}
		s := a.rowsOf(r, name)
		return s.writeTo(a.list(s.columns...))
	}
	out, err := render.NewReport(a.env.stdout, a.options())
	if err != nil {
		return err
	}
	if stale := a.reportStale(r); stale != "" {
		out.Paragraph(stale) // the error stays
	}
	if err := out.Paragraph(a.reportTitle(r)); err != nil {
		return err
	}
	for _, s := range a.reportSections(r, a.overview(name)) {
		if err := s.writeTo(out.Section(s.title, s.columns...)); err != nil {
			return err
		}
	}
	return out.Close(a.zoneNote())
}

// reportStale warns where the data were old at the end of the period.
func (a *app) reportStale(r report.Report) string { return a.staleOf(r.Freshness, r.Until.Time) }

func (a *app) reportTitle(r report.Report) string {
	title := fmt.Sprintf("Workspace %s, %s to %s (%s).", r.Workspace, render.Time(r.Since.Time, a.env.zone),
		render.Time(r.Until.Time, a.env.zone), render.Rounded(r.Until.Sub(r.Since.Time)))
	if r.Status == nil {
		return title
	}
	c := r.Status.Summary
	return title + fmt.Sprintf("\n%s: %d healthy, %d expired, %d failing, %d unknown, %d locked, %d gone. %s.",
		render.Count(c.Accounts, "account"), c.Healthy, c.Expired, c.Failing, c.Unknown, c.Locked, c.Gone,
		render.Count(len(r.Status.Transitions), "status change"))
}

// rowsOf are the rows of a section for programs, one table each.
func (a *app) rowsOf(r report.Report, name string) section {
	switch name {
	case "changes":
		return a.changeSection(r.Changes)
	case "runs":
		return runDayRows(r.Runs)
	case "squids":
		return squidRows(r.Squids)
	case "limits":
		return limitRows(r.Limits)
	}
	return statusRows(r.Status)
}

// reportSections are the tables of the report for people. An overview of it has
// only what happened.
func (a *app) reportSections(r report.Report, overview bool) []section {
	var all []section
	if r.Status != nil {
		all = append(all, resyncRows(r.Status))
		if timeline := a.timelineRows(r); timeline != nil {
			all = append(all, *timeline)
		}
		all = append(all, transitionRows(r.Status), timeRows(r))
	}
	switch {
	case r.Squids != nil && overview:
		all = append(all, unservedRows(r.Squids), movedRows(r.Squids))
	case r.Squids != nil:
		all = append(all, unservedRows(r.Squids), squidRows(r.Squids), accountSquidRows(r.Squids))
	}
	switch {
	case r.Limits != nil && overview:
		all = append(all, nearLimitRows(r.Limits))
	case r.Limits != nil:
		all = append(all, limitRows(r.Limits))
	}
	if r.Changes != nil {
		all = append(all, a.changeSection(r.Changes))
	}
	if r.Runs != nil {
		all = append(all, runDayRows(r.Runs))
	}
	return all
}

func resyncRows(status *report.StatusSection) section {
	s := section{title: "Accounts to re-synchronise", columns: []render.Column{
		{Title: "Account", Flexible: 1}, {Title: "Type", Flexible: 3, Drop: 1}, {Title: "Status", Flexible: 2, Drop: 3},
		{Title: "Expired"}, {Title: "Squids that use it", Flexible: 2, Drop: 2},
	}}
	s.rows = rowsFrom(status.NeedResync, func(r report.ResyncJSON) []render.Cell {
		var names []string
		for _, squid := range r.Squids {
			names = append(names, nameOf(string(squid.Name), squid.ID))
		}
		return []render.Cell{
			render.TextCell(nameOf(string(r.Username), r.ID)), render.TextCell(string(r.Type)),
			render.TextCell(statusText(r.Status, r.Info)).In(store.Expired),
			render.WindowCell(store.Window{After: r.Since.After.Time, Before: r.Since.Before.Time}), render.TextCell(strings.Join(names, ", ")),
		}
	})
	s.footer = func(rows int) string {
		if rows == 0 {
			return "None: no account's cookies have expired."
		}
		return resyncAdvice(status.NeedResync)
	}
	return s
}

// mostAdvice is how many commands are worth reading: the page has all of them.
const mostAdvice = 5

// resyncAdvice says how to re-synchronise accounts with the vendor's tool.
func resyncAdvice(accounts []report.ResyncJSON) string {
	lines := []string{"To re-synchronise with the vendor's tool, where cookies.json holds names and values of cookies:"}
	for i, r := range accounts {
		if i == mostAdvice {
			lines = append(lines, fmt.Sprintf(`... and %d more; "lobstrail report --format html -o report.html" has all`, len(accounts)-mostAdvice))
			break
		}
		lines = append(lines, nameOf(string(r.Username), r.ID)+" ("+cookieNames(r.Cookies)+"):", "    "+r.Command)
	}
	return strings.Join(lines, "\n")
}

// cookieNames lists cookies for people.
func cookieNames(cookies []report.CookieJSON) string {
	switch {
	case cookies == nil:
		return "cookies not known"
	case len(cookies) == 0:
		return "all cookies of the session"
	}
	names := make([]string, len(cookies))
	for i, c := range cookies {
		if names[i] = c.Name; !c.Required {
			names[i] += " (optional)"
		}
	}
	return strings.Join(names, ", ")
}

func transitionRows(status *report.StatusSection) section {
	s := section{title: "Status changes", columns: []render.Column{
		{Title: "When"}, {Key: "account"}, {Title: "Account", Key: "username", Flexible: 3},
		{Title: "Health"}, {Key: "health_before"}, {Key: "health_after"}, {Title: "Status", Flexible: 4, Drop: 1},
		{Key: "status_before"}, {Key: "status_after"}, {Key: "info_before"}, {Key: "info_after"},
		{Key: "after"}, {Key: "before"}, {Key: "run"},
	}}
	s.rows = rowsFrom(status.Transitions, func(t report.TransitionJSON) []render.Cell {
		health := string(t.HealthAfter)
		if t.HealthBefore != t.HealthAfter {
			health = string(t.HealthBefore) + " → " + health
		}
		text := statusText(t.StatusBefore, t.InfoBefore) + " → " + statusText(t.StatusAfter, t.InfoAfter)
		return []render.Cell{
			render.WindowCell(store.Window{After: t.After.Time, Before: t.Before.Time}), render.TextCell(t.Account),
			render.TextCell(nameOf(string(t.Username), t.Account)).Exact(string(t.Username)),
			render.TextCell(health).In(store.Health(t.HealthAfter)),
			render.TextCell(string(t.HealthBefore)), render.TextCell(string(t.HealthAfter)), render.TextCell(text),
			render.TextCell(string(t.StatusBefore)), render.TextCell(string(t.StatusAfter)),
			render.TextCell(string(t.InfoBefore)), render.TextCell(string(t.InfoAfter)),
			render.TimeCell(t.After.Time), render.TimeCell(t.Before.Time), render.IntCell(t.Run),
		}
	})
	s.footer = none("None: no account changed its status.")
	return s
}

// statusText is a status with its keyword, which adds something unless all is
// well.
func statusText(status, info report.Text) string {
	switch {
	case status == "" && info == "":
		return "-"
	case info == "" || info == "synchronized":
		return string(status)
	}
	return string(status) + " " + string(info)
}

// timeRows leaves out the accounts that were healthy all the time, and the last
// two columns where no account has anything to say in them.
func timeRows(r report.Report) section {
	period := r.Until.Sub(r.Since.Time)
	told := func(length report.Seconds) string {
		if report.Negligible(length, period) {
			return ""
		}
		return render.Rounded(time.Duration(length))
	}
	var shown []report.AccountTimeJSON
	uncertain, notWatched := "", ""
	for _, account := range r.Status.Accounts {
		if !slices.ContainsFunc(account.Times, func(t report.HealthTimeJSON) bool { return t.Health != store.Healthy }) {
			continue
		}
		shown = append(shown, account)
		if told(account.Uncertain) != "" {
			uncertain = "Uncertain"
		}
		if told(account.NotWatched) != "" {
			notWatched = "Not watched"
		}
	}
	s := section{title: "Time in each health, at least … at most", columns: []render.Column{
		{Title: "Account", Flexible: 1}, {Title: "Now", Drop: 2}, {Title: "Healthy", Drop: 1}, {Title: "Other", Flexible: 1},
		{Title: uncertain, Right: true, Drop: 4}, {Title: notWatched, Right: true, Drop: 3},
	}}
	s.rows = rowsFrom(shown, func(account report.AccountTimeJSON) []render.Cell {
		healthy, other := timesText(account.Times)
		return []render.Cell{
			render.TextCell(nameOf(string(account.Username), account.ID)), render.HealthCell(account.Health),
			render.TextCell(healthy), render.TextCell(other),
			render.TextCell(told(account.Uncertain)), render.TextCell(told(account.NotWatched)),
		}
	})
	s.footer = func(int) string {
		return render.Count(len(r.Status.Accounts)-len(shown), "account") + " healthy for as long as watched, not shown."
	}
	return s
}

// timesText is the time that an account was healthy, and that in other healths.
func timesText(times []report.HealthTimeJSON) (healthy, other string) {
	healthy = "-"
	var others []string
	for _, t := range times {
		span := render.Span(time.Duration(t.Min), time.Duration(t.Max))
		if t.Health == store.Healthy {
			healthy = span
			continue
		}
		others = append(others, string(t.Health)+" "+span)
	}
	return healthy, strings.Join(others, ", ")
}
