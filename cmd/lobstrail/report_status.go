package main

import (
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
)

// The rows of the status section for programs. Section tells which of the three
// lists a row is of.
type (
	statusChange struct {
		Section string `json:"section"` // change
		report.TransitionJSON
	}
	// healthTime is the time of one account in one health. Beside the healths there
	// are "uncertain" and "not_watched", whose least and most are the same: the
	// least of all rows of an account add up to the period.
	healthTime struct {
		Section  string         `json:"section"` // time
		Account  string         `json:"account"`
		Username report.Text    `json:"username"`
		Type     report.Text    `json:"type"`
		Health   string         `json:"health"`
		Min      report.Seconds `json:"min_seconds"`
		Max      report.Seconds `json:"max_seconds"`
	}
	resync struct {
		Section string `json:"section"` // resync
		report.ResyncJSON
	}
)

// statusRows are the changes of the status, the time of each account in each
// health, and the accounts to re-synchronise, in one table for programs. Its first
// columns are those of the changes.
func statusRows(status *report.StatusSection) section {
	s := transitionRows(status)
	own := len(s.columns)
	for _, key := range []string{"section", "type", "health", "min_seconds", "max_seconds", "squids", "cookies", "command"} {
		s.columns = append(s.columns, render.Column{Key: key})
	}
	changes, columns := s.rows, s.columns
	s.rows = func(yield func(func() any, func() []render.Cell) bool) {
		n := 0
		for _, cells := range changes {
			change := statusChange{"change", status.Transitions[n]}
			n++
			if !yield(func() any { return change }, func() []render.Cell {
				return append(cells(), byKey(columns[own:], map[string]render.Cell{"section": render.TextCell("change")})...)
			}) {
				return
			}
		}
		for _, t := range healthTimes(status.Accounts) {
			if !yield(func() any { return t }, func() []render.Cell { return byKey(columns, timeCells(t)) }) {
				return
			}
		}
		for _, r := range status.NeedResync {
			if !yield(func() any { return resync{"resync", r} }, func() []render.Cell { return byKey(columns, resyncCells(r)) }) {
				return
			}
		}
	}
	return s
}

// byKey puts cells in the order of the columns; a column without one is empty.
func byKey(columns []render.Column, cells map[string]render.Cell) []render.Cell {
	row := make([]render.Cell, len(columns))
	for i, column := range columns {
		row[i] = cells[column.Key]
	}
	return row
}

func timeCells(t healthTime) map[string]render.Cell {
	return map[string]render.Cell{
		"section": render.TextCell(t.Section), "account": render.TextCell(t.Account), "username": render.TextCell(string(t.Username)),
		"type": render.TextCell(string(t.Type)), "health": render.TextCell(t.Health),
		"min_seconds": render.DurationCell(time.Duration(t.Min)), "max_seconds": render.DurationCell(time.Duration(t.Max)),
	}
}

func resyncCells(r report.ResyncJSON) map[string]render.Cell {
	var squids []string
	for _, squid := range r.Squids {
		squids = append(squids, nameOf(string(squid.Name), squid.ID))
	}
	return map[string]render.Cell{
		"section": render.TextCell("resync"), "account": render.TextCell(r.ID), "username": render.TextCell(string(r.Username)),
		"type": render.TextCell(string(r.Type)), "status_after": render.TextCell(string(r.Status)), "info_after": render.TextCell(string(r.Info)),
		"after": render.TimeCell(r.Since.After.Time), "before": render.TimeCell(r.Since.Before.Time),
		"squids": render.TextCell(strings.Join(squids, ", ")), "cookies": render.TextCell(cookieNames(r.Cookies)), "command": render.TextCell(r.Command),
	}
}

func healthTimes(accounts []report.AccountTimeJSON) (all []healthTime) {
	for _, account := range accounts {
		add := func(health string, least, most report.Seconds) {
			all = append(all, healthTime{"time", account.ID, account.Username, account.Type, health, least, most})
		}
		for _, t := range account.Times {
			add(string(t.Health), t.Min, t.Max)
		}
		add("uncertain", account.Uncertain, account.Uncertain)
		add("not_watched", account.NotWatched, account.NotWatched)
	}
	return all
}
