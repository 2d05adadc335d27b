package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

func unservedRows(squids *report.SquidSection) section {
	s := section{title: "Squids without a healthy account", columns: []render.Column{
		{Title: "Squid", Flexible: 1}, {Title: "Accounts", Flexible: 2},
	}}
	s.rows = rowsFrom(squids.WithoutHealthy, func(squid report.SquidJSON) []render.Cell {
		return []render.Cell{
			render.TextCell(nameOf(string(squid.Name), squid.ID)).In(store.Expired), render.TextCell(cmp.Or(accountNames(squid), "none")),
		}
	})
	s.footer = none("None: every squid has a healthy account.")
	return s
}

// assignmentUse is a row of squids for programs.
type assignmentUse struct {
	Squid     string             `json:"squid"`
	SquidName report.Text        `json:"squid_name"`
	Account   string             `json:"account"`
	Username  report.Text        `json:"username"`
	Health    store.Health       `json:"health"`
	From      report.WindowJSON  `json:"from"`
	To        *report.WindowJSON `json:"to"`
}

func squidRows(squids *report.SquidSection) section {
	s := section{title: "Squids and the accounts they used", columns: []render.Column{
		{Key: "squid"}, {Title: "Squid", Key: "squid_name", Flexible: 1}, {Key: "account"},
		{Title: "Account", Key: "username", Flexible: 2}, {Key: "health"}, {Title: "From"}, {Title: "To"},
		{Key: "from_after"}, {Key: "from_before"}, {Key: "to_after"}, {Key: "to_before"},
	}}
	s.rows = func(yield func(func() any, func() []render.Cell) bool) {
		for _, squid := range squids.BySquid {
			for _, use := range squid.Accounts {
				value := func() any {
					return assignmentUse{squid.ID, squid.Name, use.ID, use.Username, use.Health, use.From, use.To}
				}
				if !yield(value, func() []render.Cell { return useCells(squid.SquidRefJSON, use) }) {
					return
				}
			}
		}
	}
	s.footer = none("None: no squid used any account.")
	return s
}

// movedRows are the assignments of an overview: it has no others.
func movedRows(squids *report.SquidSection) section {
	s := squidRows(squids)
	s.title = "Assignments that began or ended"
	s.footer = func(int) string { return `Those that lasted are not shown; "lobstrail report squids" lists all.` }
	return s
}

func useCells(squid report.SquidRefJSON, use report.AccountUseJSON) []render.Cell {
	to, end := useEnd(use.To)
	from := windowOf(use.From)
	return []render.Cell{
		render.TextCell(squid.ID), render.TextCell(nameOf(string(squid.Name), squid.ID)).Exact(string(squid.Name)),
		render.TextCell(use.ID), render.TextCell(nameOf(string(use.Username), use.ID)).Exact(string(use.Username)),
		render.TextCell(string(use.Health)), render.WindowCell(from), to, render.TimeCell(from.After),
		render.TimeCell(from.Before), render.TimeCell(end.After), render.TimeCell(end.Before),
	}
}

func windowOf(w report.WindowJSON) store.Window {
	return store.Window{After: w.After.Time, Before: w.Before.Time}
}

func useEnd(to *report.WindowJSON) (render.Cell, store.Window) {
	if to == nil {
		return render.TextCell("still"), store.Window{}
	}
	return render.WindowCell(windowOf(*to)), windowOf(*to)
}

func accountSquidRows(squids *report.SquidSection) section {
	s := section{title: "Accounts and the squids that used them", columns: []render.Column{
		{Title: "Account", Flexible: 1}, {Title: "Now", Drop: 1}, {Title: "Squids", Flexible: 2}, {Title: "Ended", Flexible: 3, Drop: 2},
	}}
	s.rows = rowsFrom(squids.ByAccount, func(account report.AccountSquidsJSON) []render.Cell {
		var lasting, ended []string
		for _, squid := range account.Squids {
			if name := nameOf(string(squid.Name), squid.ID); squid.To == nil {
				lasting = append(lasting, name)
			} else {
				ended = append(ended, name)
			}
		}
		return []render.Cell{
			render.TextCell(nameOf(string(account.Username), account.ID)), render.HealthCell(account.Health),
			render.TextCell(strings.Join(lasting, ", ")), render.TextCell(strings.Join(ended, ", ")),
		}
	})
	return s
}

// limitRows are the limits with the day of the period on which each was used most:
// what is used now says little, for counters begin anew every day.
func limitRows(limits *report.LimitSection) section {
	s := section{title: "Limits", columns: []render.Column{
		{Key: "account"}, {Title: "Account", Key: "username", Flexible: 1}, {Title: "Limit", Key: "limit", Flexible: 2},
		{Title: "Peak", Right: true, Drop: 1}, {Title: "Share", Right: true}, {Title: "On (UTC)", Drop: 3}, {Title: "Now", Right: true, Drop: 2},
		{Key: "value"}, {Key: "max"}, {Key: "share"}, {Title: "Resets", Key: "resets_at", Drop: 4}, {Key: "seen_at"},
		{Key: "peak"}, {Key: "peak_max"}, {Key: "peak_share"}, {Key: "peak_day"},
	}}
	s.rows = rowsFrom(limits.Limits, limitCells)
	s.footer = none("None: no account has a limit.")
	return s
}

func limitCells(l report.LimitJSON) []render.Cell {
	var peak report.DayUseJSON
	highest := ""
	if p := l.Peak(); p != nil {
		peak, highest = *p, useText(p.Highest, p.Max)
	}
	return []render.Cell{
		render.TextCell(l.Account),
		render.TextCell(nameOf(string(l.Username), l.Account)).Exact(string(l.Username)),
		render.TextCell(l.Limit),
		render.TextCell(highest), shareCell(peak.Share), render.TextCell(peak.Day), render.TextCell(useText(l.Value, l.Max)),
		render.TextCell(plainValue(l.Value)), render.TextCell(plainValue(l.Max)), shareCell(l.Share),
		render.TimeCell(l.ResetsAt.Time), render.TimeCell(l.SeenAt.Time),
		render.TextCell(plainValue(peak.Highest)), render.TextCell(plainValue(peak.Max)), shareCell(peak.Share), render.TextCell(peak.Day),
	}
}

// useText is a counter and its limit: "42 of 50".
func useText(value, limit json.RawMessage) string {
	if plainValue(limit) == "" {
		return valueText(value)
	}
	return valueText(value) + " of " + valueText(limit)
}

// nearLimitRows are the limits of an overview: it has no others.
func nearLimitRows(limits *report.LimitSection) section {
	s := limitRows(limits)
	s.title = "Limits that were nearly used up"
	s.footer = func(int) string {
		return fmt.Sprintf(`Those that stayed below %.0f %% are not shown; "lobstrail report limits" lists all.`, 100*report.NearlyUsed)
	}
	return s
}

func shareCell(share *float64) render.Cell {
	if share == nil {
		return render.TextCell("")
	}
	health := store.Healthy
	if *share >= 0.9 {
		health = store.Locked
	}
	return render.TextCell(fmt.Sprintf("%.0f %%", *share*100)).Exact(fmt.Sprintf("%.3f", *share)).In(health)
}
