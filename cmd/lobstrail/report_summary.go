package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// summarySections are what a summary is made of.
var summarySections = report.Sections{Status: true, Squids: true, Limits: true, Runs: true}

func (a *app) validateSummary(o reportOptions) error {
	switch {
	case o.section != "" && a.format == string(render.Slack):
		return usage("the format slack is the summary of the whole report, not of %s\nleave the section out, or take another format", o.section)
	case o.section != "":
		return usage("--summary is of the whole report, not of %s\nleave the section out, or --summary", o.section)
	}
	if format := render.Format(a.format); format.Pictures() {
		return usage("a summary has no pictures\nleave --summary out for %s, or take --format table, markdown, json, ndjson or csv", format)
	}
	return nil
}

// runSummary reports a period in ten lines, against the period before it.
func (a *app) runSummary(ctx context.Context, s store.Store, since, until time.Time) error {
	if a.workspace == allWorkspaces {
		return a.summaryAll(ctx, s, since, until)
	}
	summary, err := a.readSummary(ctx, s, since, until)
	if err != nil {
		return err
	}
	return a.printSummary(summary)
}

func (a *app) readSummary(ctx context.Context, s store.Store, since, until time.Time) (report.SummaryJSON, error) {
	now, err := a.reportInput(ctx, s, summarySections, true, since, until)
	if err != nil {
		return report.SummaryJSON{}, err
	}
	before, err := a.reportInput(ctx, s, summarySections, true, since.Add(since.Sub(until)), since)
	return report.NewSummary(now, before), err
}

func (a *app) printSummary(s report.SummaryJSON) error {
	switch format := render.Format(a.format); {
	case format == render.Slack:
		return a.printSlack(s)
	case format == render.CSV:
		return a.summaryRows(s)
	case !format.ForPeople():
		return render.Object(a.env.stdout, a.options(), s)
	}
	title := a.summaryTitle(s)
	if stale := a.staleOf(s.Freshness, s.Until.Time); stale != "" {
		title = stale + "\n" + title
	}
	var pairs []render.Pair
	for _, line := range summaryLines(s) {
		pairs = append(pairs, render.Pair{Title: line.title, Value: render.TextCell(line.text(s.Previous != nil))})
	}
	return render.List(a.env.stdout, a.options(), title, pairs...)
}

func (a *app) summaryTitle(s report.SummaryJSON) string {
	title := fmt.Sprintf("Workspace %s, %s to %s (%s)", s.Workspace, render.Time(s.Since.Time, a.env.zone),
		render.Time(s.Until.Time, a.env.zone), render.ZoneName(a.env.zone, s.Until.Time))
	length := render.Rounded(s.Length())
	switch {
	case s.Previous == nil:
		return title + "; no account was known in the " + length + " before."
	case !s.PreviousFrom.IsZero():
		return title + "; in brackets the " + length + " before, watched from " + render.Time(s.PreviousFrom.Time, a.env.zone) + " on."
	}
	return title + "; in brackets the " + length + " before."
}

// summaryLine is a figure of this period and of the one before.
type summaryLine struct {
	title         string
	now, previous string
	names         []string // whom it is about
}

// mostNames is how many names a line has.
const mostNames = 5

func (l summaryLine) text(previous bool) string {
	text := l.now
	if previous {
		text += " (" + l.previous + ")"
	}
	if names := l.shownNames(); len(names) > 0 {
		text += ": " + strings.Join(names, ", ")
	}
	return text
}

// shownNames are the first names, and how many more there are.
func (l summaryLine) shownNames() []string {
	if len(l.names) <= mostNames {
		return slices.Clone(l.names)
	}
	return append(l.names[:mostNames:mostNames], fmt.Sprintf("%d more", len(l.names)-mostNames))
}

func summaryLines(s report.SummaryJSON) []summaryLine {
	previous := report.FiguresJSON{}
	if s.Previous != nil {
		previous = *s.Previous
	}
	line := func(title string, figure func(report.FiguresJSON) string, names ...string) summaryLine {
		return summaryLine{title, figure(s.Now), figure(previous), names}
	}
	number := func(title string, figure func(report.FiguresJSON) int, names ...string) summaryLine {
		return line(title, func(f report.FiguresJSON) string { return fmt.Sprint(figure(f)) }, names...)
	}
	return []summaryLine{
		line("Healthy accounts", func(f report.FiguresJSON) string { return fmt.Sprintf("%d of %d", f.Healthy, f.Accounts) }),
		number("Accounts down now", func(f report.FiguresJSON) int { return len(f.Down) }, refNames(s.Now.Down, true)...),
		line("Went down", func(f report.FiguresJSON) string { return render.Count(f.WentDown, "time") }),
		line("Time down in all", func(f report.FiguresJSON) string {
			return render.Span(time.Duration(f.DownMin), time.Duration(f.DownMax))
		}),
		number("Accounts gone", func(f report.FiguresJSON) int { return len(f.Gone) }, refNames(s.Now.Gone, false)...),
		number("Squids without a healthy account", func(f report.FiguresJSON) int { return len(f.SquidsWithout) }, squidNames(s.Now.SquidsWithout)...),
		number("Assignments lost", func(f report.FiguresJSON) int { return f.AssignmentsLost }),
		number("Limits nearly used up", func(f report.FiguresJSON) int { return f.LimitsNearlyUsed }),
		line("Complete runs", func(f report.FiguresJSON) string {
			return fmt.Sprintf("%d of %d, longest gap %s", f.RunsComplete, f.Runs, render.Rounded(time.Duration(f.LongestGap)))
		}),
	}
}

func refNames(accounts []report.AccountRefJSON, health bool) (names []string) {
	for _, a := range accounts {
		name := nameOf(string(a.Username), a.ID)
		if health {
			name += " (" + string(a.Health) + ")"
		}
		names = append(names, name)
	}
	return names
}

func squidNames(squids []report.SquidRefJSON) (names []string) {
	for _, s := range squids {
		names = append(names, nameOf(string(s.Name), s.ID))
	}
	return names
}

// summaryRows writes the figures as CSV, named as in JSON.
func (a *app) summaryRows(s report.SummaryJSON) error {
	out := a.list(summaryColumns...)
	if err := writeSummaryRows(out, s); err != nil {
		return err
	}
	return out.Close("")
}

var summaryColumns = []render.Column{{Key: "figure"}, {Key: "now"}, {Key: "previous"}}

func writeSummaryRows(out *render.Writer, s report.SummaryJSON) error {
	for _, figure := range []struct {
		key  string
		cell func(report.FiguresJSON) render.Cell
	}{
		{"accounts", func(f report.FiguresJSON) render.Cell { return render.IntCell(f.Accounts) }},
		{"healthy", func(f report.FiguresJSON) render.Cell { return render.IntCell(f.Healthy) }},
		{"down", func(f report.FiguresJSON) render.Cell { return render.IntCell(len(f.Down)) }},
		{"went_down", func(f report.FiguresJSON) render.Cell { return render.IntCell(f.WentDown) }},
		{"down_min_seconds", func(f report.FiguresJSON) render.Cell { return render.DurationCell(time.Duration(f.DownMin)) }},
		{"down_max_seconds", func(f report.FiguresJSON) render.Cell { return render.DurationCell(time.Duration(f.DownMax)) }},
		{"gone", func(f report.FiguresJSON) render.Cell { return render.IntCell(len(f.Gone)) }},
		{"squids_without_healthy_account", func(f report.FiguresJSON) render.Cell { return render.IntCell(len(f.SquidsWithout)) }},
		{"assignments_lost", func(f report.FiguresJSON) render.Cell { return render.IntCell(f.AssignmentsLost) }},
		{"limits_nearly_used", func(f report.FiguresJSON) render.Cell { return render.IntCell(f.LimitsNearlyUsed) }},
		{"runs", func(f report.FiguresJSON) render.Cell { return render.IntCell(f.Runs) }},
		{"runs_complete", func(f report.FiguresJSON) render.Cell { return render.IntCell(f.RunsComplete) }},
		{"longest_gap_seconds", func(f report.FiguresJSON) render.Cell { return render.DurationCell(time.Duration(f.LongestGap)) }},
	} {
		var previous render.Cell
		if s.Previous != nil {
			previous = figure.cell(*s.Previous)
		}
		if err := out.Row(nil, render.TextCell(figure.key), figure.cell(s.Now), previous); err != nil {
			return err
		}
	}
	return nil
}
