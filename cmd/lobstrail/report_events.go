package main

import (
	"context"
	"iter"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// mostPlatforms bounds what is read of platforms: there are a few dozen in truth,
// and a type is any text.
const mostPlatforms = 100

// readPlatforms reads what the accounts that have expired need and, for a page, the
// icons of all.
func (a *app) readPlatforms(ctx context.Context, s store.Store, accounts []store.AccountState) ([]store.Platform, error) {
	all := render.Format(a.format) == render.HTML
	seen, samples := map[string]bool{}, []string{}
	for _, account := range accounts {
		health, kind := account.Facts.Health, account.Facts.Type
		if len(samples) < mostPlatforms && !seen[kind] && (health == store.Expired || all && health != store.Gone) {
			seen[kind] = true
			samples = append(samples, account.ID)
		}
	}
	if len(samples) == 0 {
		return nil, nil
	}
	return s.Platforms(ctx, a.workspace, samples)
}

// readEvents reads what a report tells of changes and runs, and how fresh all of it is.
func (a *app) readEvents(ctx context.Context, s store.Store, in *report.Input) (err error) {
	if in.Freshness, err = a.readFreshness(ctx, s, in.Until); err != nil {
		return err
	}
	if in.Sections.Changes {
		q := store.ChangeQuery{Workspace: a.workspace, Since: in.Since, Until: in.Until}
		if in.Changes, err = collect(s.Changes(ctx, q)); err != nil {
			return err
		}
	}
	if !in.Sections.Runs {
		return nil
	}
	for run, err := range s.Runs(ctx, a.workspace) { // the newest first
		if err != nil {
			return err
		}
		if run.Started.Before(in.Since) {
			break
		}
		in.Runs = append(in.Runs, run)
	}
	return nil
}

// changeSection has the rows of `changes`.
func (a *app) changeSection(changes []report.ChangeJSON) section {
	s := section{title: "Changes", columns: changeColumns, footer: none("None: nothing changed.")}
	s.rows = func(yield func(func() any, func() []render.Cell) bool) {
		for row := range a.changeRows(accountChanges(changes)) {
			if !yield(func() any { return report.NewChangeJSON(row[0]) }, func() []render.Cell { return a.changeCells(row) }) {
				return
			}
		}
	}
	return s
}

// accountChanges are the changes that were made JSON. There are no errors.
func accountChanges(changes []report.ChangeJSON) iter.Seq2[store.AccountChange, error] {
	return func(yield func(store.AccountChange, error) bool) {
		for _, c := range changes {
			if !yield(accountChange(c), nil) {
				return
			}
		}
	}
}

// accountChange is the change that was made JSON.
func accountChange(c report.ChangeJSON) store.AccountChange {
	change := store.AccountChange{
		Account: c.Account, Username: string(c.Username), Run: c.Run,
		Window: store.Window{After: c.After.Time, Before: c.Before.Time},
		Change: store.Change{Kind: c.Kind, Path: c.Path, Old: c.Old, New: c.New},
	}
	if c.HealthBefore != nil {
		change.HealthBefore = store.Health(*c.HealthBefore)
	}
	if c.HealthAfter != nil {
		change.HealthAfter = store.Health(*c.HealthAfter)
	}
	return change
}

// runDayRows are the runs, a day a row.
func runDayRows(runs *report.RunSection) section {
	s := section{title: "Runs", footer: none("None: no run began.")}
	s.columns = []render.Column{
		{Title: "Day (UTC)", Key: "day"}, {Title: "Runs", Key: "runs", Right: true},
		{Title: "Complete", Key: "complete", Right: true}, {Title: "Incomplete", Key: "incomplete", Right: true, Drop: 1},
		{Title: "Interrupted", Key: "interrupted", Right: true, Drop: 3}, {Title: "Failed", Key: "failed", Right: true, Drop: 2},
		{Key: "running"}, {Key: "requested"}, {Title: "Captured", Key: "captured", Right: true, Drop: 4},
		{Title: "Failures", Key: "failures", Right: true, Drop: 5}, {Title: "Calls", Key: "requests", Right: true, Drop: 6},
	}
	s.rows = rowsFrom(runs.Days, func(d report.RunDayJSON) []render.Cell {
		return []render.Cell{
			render.TextCell(d.Day), render.IntCell(d.Runs), render.IntCell(d.Complete), render.IntCell(d.Incomplete),
			render.IntCell(d.Interrupted), render.IntCell(d.Failed), render.IntCell(d.Running), render.IntCell(d.Requested),
			render.IntCell(d.Captured), render.IntCell(d.Failures), render.IntCell(d.Requests),
		}
	})
	return s
}
