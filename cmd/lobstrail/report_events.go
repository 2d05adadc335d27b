package main

import (
	"iter"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

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
