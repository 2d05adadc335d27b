package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// printOne writes one object: its value or its pairs as the format wants it, and
// for the table format what text writes.
func (a *app) printOne(value any, pairs []render.Pair, text func() error) error {
	if a.format == string(render.Table) && text != nil {
		return text()
	}
	return render.Object(a.env.stdout, a.options(), value, pairs...)
}

// report prints what a command has done, by calling fn. With --quiet, people are
// told only if it failed, and then on stderr; so they are if standard output is
// closed. An answer for programs, which was asked for with --json or --format, goes
// to stdout in any case.
func (a *app) report(failed bool, fn func() error) error {
	switch {
	case a.format != string(render.Table), !a.unheard() && !a.quiet:
		return fn()
	case !failed:
		return nil
	}
	stdout, width := a.env.stdout, a.env.stdoutWidth
	a.env.stdout, a.env.stdoutWidth = a.env.stderr, a.env.stderrWidth
	defer func() { a.env.stdout, a.env.stdoutWidth = stdout, width }()
	return fn()
}

// list begins an answer of many rows.
func (a *app) list(columns ...render.Column) *render.Writer {
	return render.New(a.env.stdout, a.options(), columns...)
}

// runPairs are the properties of a run for people and CSV.
func runPairs(run store.Run) []render.Pair {
	j := report.NewRunJSON(run)
	return []render.Pair{
		{Title: "Run", Key: "run", Value: render.IntCell(run.ID)},
		{Title: "Workspace", Key: "workspace", Value: render.TextCell(run.Workspace)},
		{Title: "State", Key: "state", Value: render.TextCell(string(run.State))},
		{Title: "Started", Key: "started_at", Value: render.TimeCell(run.Started)},
		{Title: "Finished", Key: "finished_at", Value: render.TimeCell(run.Finished)},
		{Title: "Requested", Key: "requested", Value: render.IntCell(j.Requested)},
		{Title: "Captured", Key: "captured", Value: render.IntCell(j.Captured)},
		{Title: "Changed", Key: "changed", Value: render.IntCell(j.Changed)},
		{Title: "Unchanged", Key: "unchanged", Value: render.IntCell(j.Unchanged)},
		{Title: "Gone", Key: "gone", Value: render.IntCell(j.Gone)},
		{Title: "Failed", Key: "failed", Value: render.IntCell(j.Failed)},
		{Title: "Requests", Key: "requests", Value: render.IntCell(j.Requests)},
		{Title: "Warnings", Key: "warnings", Value: render.TextCell(strings.Join(run.Warnings, "; "))},
		{Title: "Failures", Key: "failures", Value: render.TextCell(failuresLine(run.Failures))},
		{Title: "Clock", Value: render.TextCell(strings.Join(clockNotes(run), "; "))},
		{Key: "clock_skew_seconds", Value: skewCell(run)},
		{Key: "clock_held_seconds", Value: render.DurationCell(run.Held)},
	}
}

func failuresLine(failures []store.Failure) string {
	lines := make([]string, len(failures))
	for i, f := range failures {
		lines[i] = failureText(f)
	}
	return strings.Join(lines, "; ")
}

// failureText is a failure in one line.
func failureText(f store.Failure) string {
	return fmt.Sprintf("%s: %s: %s", cmp.Or(f.Account, "(no account)"), f.Kind, f.Message)
}

// printRunText says in a few lines how a run went.
func (a *app) printRunText(run store.Run) error {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, render.Clean(fmt.Sprintf(format, args...))) }
	took := ""
	if !run.Finished.IsZero() {
		took = " in " + render.Duration(run.Finished.Sub(run.Started))
	}
	noun, cost := "account", " with "+render.Count(run.Requests, "request")
	if run.Requests == 0 { // an import, which may hold an account many times
		noun, cost = "snapshot", ""
	}
	add("Run %d %s: %s of %d captured%s%s.", run.ID, run.State, render.Count(run.Captured(), noun), run.Requested, cost, took)
	add("%d changed or new, %d unchanged, %d newly gone, %d failed.", run.Changed, run.Unchanged, run.Gone, run.Failed)
	for _, w := range run.Warnings {
		add("warning: %s", w)
	}
	for _, note := range clockNotes(run) {
		add("clock: %s", note)
	}
	const most = 20
	for i, f := range run.Failures {
		if i == most {
			add("failed: ... and %d more; \"lobstrail runs %d --json\" lists all", len(run.Failures)-most, run.ID)
			break
		}
		add("failed: %s", failureText(f))
	}
	return render.Paragraph(a.env.stdout, a.options(), strings.Join(lines, "\n"))
}
