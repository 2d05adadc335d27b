package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// validateReportOfAll refuses what shows one workspace only.
func (a *app) validateReportOfAll() error {
	if format := render.Format(a.format); a.workspace == allWorkspaces && format.Pictures() {
		return usage("%s shows one workspace, and --workspace '*' stands for all\n"+
			"write one for each: lobstrail report --workspace NAME -o NAME.%[1]s; or take --format table, markdown, json or csv", format)
	}
	return nil
}

// reportAll reports a period for all workspaces of the store in one answer.
func (a *app) reportAll(ctx context.Context, s store.Store, name string, since, until time.Time) error {
	var all []report.Report
	err := a.eachWorkspace(ctx, s, nil, func() error {
		in, err := a.reportInput(ctx, s, a.wanted(name), a.overview(name), since, until)
		if err == nil {
			all = append(all, report.Build(in))
		}
		return err
	})
	if err != nil {
		return err
	}
	switch format := render.Format(a.format); {
	case format == render.JSON:
		return printList(a, all)
	case !format.ForPeople():
		return a.printRowsOfAll(all, name)
	}
	return a.printReports(all, name, since, until)
}

// printList writes one JSON object for each element.
func printList[T any](a *app, all []T) error {
	out := a.list()
	for _, one := range all {
		if err := out.Row(one); err != nil {
			return err
		}
	}
	return out.Close("")
}

// printRowsOfAll writes the rows of one section of each report.
func (a *app) printRowsOfAll(all []report.Report, name string) error {
	var out *render.Writer
	if len(all) == 0 {
		out = a.listAll()
	}
	for i, r := range all {
		if stale := a.reportStale(r); stale != "" {
			a.note("note: workspace %s: %s", r.Workspace, stale)
		}
		s := a.rowsOf(r, name)
		if i == 0 {
			out = a.listAll(s.columns...)
		}
		out.Group(r.Workspace)
		for value, cells := range s.rows {
			if err := out.Lazy(value, cells); err != nil {
				return err
			}
		}
	}
	return out.Close("")
}

// printReports writes one report for people: how each workspace stands, then each section
// once, with the rows of all workspaces.
func (a *app) printReports(all []report.Report, name string, since, until time.Time) error {
	out, err := render.NewReport(a.env.stdout, a.options())
	if err != nil {
		return err
	}
	for _, r := range all {
		if stale := a.reportStale(r); stale != "" {
			out.Paragraph("Workspace " + r.Workspace + ": " + stale) // the error stays
		}
	}
	if err := out.Paragraph(fmt.Sprintf("All workspaces, %s to %s (%s).", render.Time(since, a.env.zone), render.Time(until, a.env.zone),
		render.Rounded(until.Sub(since)))); err != nil {
		return err
	}
	if overview := workspaceRows(all); overview != nil {
		if err := overview.writeTo(out.Section(overview.title, overview.columns...)); err != nil {
			return err
		}
	}
	var sections [][]section
	for _, r := range all {
		sections = append(sections, a.reportSections(r, a.overview(name)))
	}
	for _, s := range joinSections(all, sections) {
		if err := s.writeTo(out.Section(s.title, s.columns...)); err != nil {
			return err
		}
	}
	return out.Close(a.zoneNote())
}

// workspaceRows are how the workspaces stand; nil where that was not asked for.
func workspaceRows(all []report.Report) *section {
	s := &section{title: "Workspaces", columns: []render.Column{
		workspaceColumn, {Title: "Accounts", Right: true}, {Title: "Healthy", Right: true}, {Title: "Expired", Right: true}, {Title: "Failing", Right: true},
		{Title: "Unknown", Right: true, Drop: 2}, {Title: "Locked", Right: true, Drop: 1}, {Title: "Gone", Right: true}, {Title: "Status changes", Right: true},
	}, footer: none("None: the store has no workspace.")}
	if slices.ContainsFunc(all, func(r report.Report) bool { return r.Status == nil }) {
		return nil
	}
	s.rows = rowsFrom(all, func(r report.Report) []render.Cell {
		c := r.Status.Summary
		return []render.Cell{
			render.TextCell(r.Workspace), render.IntCell(c.Accounts), render.IntCell(c.Healthy), render.IntCell(c.Expired), render.IntCell(c.Failing),
			render.IntCell(c.Unknown), render.IntCell(c.Locked), render.IntCell(c.Gone), render.IntCell(len(r.Status.Transitions)),
		}
	})
	return s
}

// part is a section of the report of one workspace.
type part struct {
	workspace string
	section
	written int // how many rows were
}

// joinSections makes one section of those of the same title, with the workspace of each
// row in front.
func joinSections(all []report.Report, sections [][]section) (joined []section) {
	var titles []string
	byTitle := map[string][]*part{}
	for i, list := range sections {
		for _, s := range list {
			if byTitle[s.title] == nil {
				titles = append(titles, s.title)
			}
			byTitle[s.title] = append(byTitle[s.title], &part{workspace: all[i].Workspace, section: s})
		}
	}
	for _, title := range titles {
		joined = append(joined, joinSection(title, byTitle[title]))
	}
	return joined
}

// joinSection joins sections of one title. A column has a title if it has one in any of
// them: some leave a column out where it would be empty.
func joinSection(title string, parts []*part) section {
	columns := slices.Clone(parts[0].columns)
	for _, part := range parts[1:] {
		for i := range columns {
			columns[i].Title = cmp.Or(columns[i].Title, part.columns[i].Title)
		}
	}
	rows := func(yield func(func() any, func() []render.Cell) bool) {
		for _, part := range parts {
			for value, cells := range part.rows {
				part.written++
				if !yield(value, func() []render.Cell { return slices.Concat([]render.Cell{render.TextCell(part.workspace)}, cells()) }) {
					return
				}
			}
		}
	}
	columns = slices.Concat([]render.Column{workspaceColumn}, columns)
	return section{title: title, columns: columns, rows: rows, footer: func(n int) string { return joinFooters(n, parts) }}
}

// joinFooters has the footer of each workspace that has something to say. That there is no
// row is said once, if it is so of all.
func joinFooters(rows int, parts []*part) string {
	var lines []string
	nothing := ""
	for _, part := range parts {
		if part.footer == nil {
			continue
		}
		switch text := part.footer(part.written); {
		case text == "":
		case strings.HasPrefix(text, "None"):
			nothing = text
		case strings.Contains(text, "\n"):
			lines = append(lines, "Workspace "+part.workspace+":\n"+text)
		default:
			lines = append(lines, "Workspace "+part.workspace+": "+text)
		}
	}
	if len(lines) == 0 && rows == 0 {
		return nothing
	}
	return strings.Join(lines, "\n")
}

// summaryAll summarises a period for each workspace of the store.
func (a *app) summaryAll(ctx context.Context, s store.Store, since, until time.Time) error {
	var all []report.SummaryJSON
	err := a.eachWorkspace(ctx, s, nil, func() error {
		summary, err := a.readSummary(ctx, s, since, until)
		all = append(all, summary)
		return err
	})
	if err != nil {
		return err
	}
	switch format := render.Format(a.format); {
	case format == render.CSV:
		out := a.listAll(summaryColumns...)
		for _, summary := range all {
			out.Group(summary.Workspace)
			if err := writeSummaryRows(out, summary); err != nil {
				return err
			}
		}
		return out.Close("")
	case !format.ForPeople() && format != render.Slack:
		return printList(a, all)
	}
	for i, summary := range all {
		if i > 0 {
			fmt.Fprintln(a.env.stdout)
		}
		if err := a.printSummary(summary); err != nil {
			return err
		}
	}
	return nil
}
