package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/impact"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// What people read fits one screen: so many squids, accounts that could stand in, and
// remarks.
const (
	mostImpactSquids = 10
	mostStandIns     = 4
	mostRemarks      = 4
)

// printImpact writes the answer. CSV and NDJSON have a row for each squid.
func (a *app) printImpact(r impact.Impact, warning string) error {
	switch render.Format(a.format) {
	case render.JSON:
		return render.Object(a.env.stdout, a.options(), r)
	case render.CSV, render.NDJSON:
		for _, remark := range a.impactRemarks(r) {
			if a.note("note: %s", remark); !r.Complete && a.quiet {
				a.warn("%s", remark)
			}
		}
		s := impactSquids(r, len(r.Squids))
		return s.writeTo(a.list(s.columns...))
	}
	out, err := render.NewReport(a.env.stdout, a.options())
	if err != nil {
		return err
	}
	if warning != "" {
		out.Paragraph(warning) // the error stays
	}
	out.Paragraph(a.impactVerdict(r))
	if squids := impactSquids(r, a.mostOf(mostImpactSquids)); len(r.Squids) > 0 {
		if err := squids.writeTo(out.Section("Squids", squids.columns...)); err != nil {
			return err
		}
	}
	if instead := standIns(r, a.mostOf(mostStandIns)); len(r.Accounts) > 0 && len(r.Squids) > 0 {
		if err := instead.writeTo(out.Section("Healthy accounts that could be used instead", instead.columns...)); err != nil {
			return err
		}
	}
	if remarks := a.impactRemarks(r); len(remarks) > 0 {
		out.Paragraph(strings.Join(remarks, "\n"))
	}
	return out.Close(a.zoneNote())
}

// mostOf is how many rows are shown: --wide shows all.
func (a *app) mostOf(most int) int {
	if a.wide {
		return int(^uint(0) >> 1)
	}
	return most
}

// impactVerdict is the answer in a sentence.
func (a *app) impactVerdict(r impact.Impact) string {
	verdict := "nothing would break"
	switch {
	case r.Breaks:
		verdict = fmt.Sprintf("%s would break", render.Count(r.Breaking, "squid"))
		if !r.NextLaunchAt.IsZero() {
			verdict += ", the first at " + render.Time(r.NextLaunchAt.Time, a.env.zone)
		}
	case len(r.Squids) == 0:
		verdict = "nothing would break: no squid uses " + map[bool]string{true: "it", false: "them"}[len(r.Accounts) == 1]
	}
	if !r.Complete && !r.Breaks {
		verdict = "nothing is known to break, but the API did not tell everything"
	} else if !r.Complete {
		verdict += ", and perhaps more: the API did not tell everything"
	}
	return "Without " + render.Clean(impactSubject(r)) + ": " + verdict + "."
}

// mostNamed is how many accounts or squids the first sentence names.
const mostNamed = 3

func impactSubject(r impact.Impact) string {
	var names []string
	for _, account := range r.Accounts {
		names = append(names, fmt.Sprintf("%s (%s, %s)", nameOf(string(account.Username), account.ID), nameOf(string(account.Type), "type not known"), account.Health))
	}
	for _, squid := range r.Squids {
		if squid.Why == impact.Stopped {
			names = append(names, "the squid "+nameOf(string(squid.Name), squid.ID))
		}
	}
	if rest := len(names) - mostNamed; rest > 1 {
		names = append(names[:mostNamed], fmt.Sprintf("%d more", rest))
	}
	return strings.Join(names, ", ")
}

func impactSquids(r impact.Impact, most int) section {
	shown := r.Squids[:min(most, len(r.Squids))]
	s := section{columns: []render.Column{
		{Key: "id"}, {Title: "Squid", Key: "name", Flexible: 1}, {Title: "Next launch", Key: "next_launch_at"},
		{Title: "Without it", Flexible: 2, Least: 14}, {Key: "why"}, {Key: "breaks"}, {Key: "working_now"}, {Key: "working_after"}, {Key: "account_type"},
	}}
	if !r.Live {
		s.columns[2].Title = "" // not known of any
	}
	names := map[string]string{}
	for _, squid := range r.Squids {
		names[squid.ID] = nameOf(string(squid.Name), squid.ID)
	}
	s.rows = rowsFrom(shown, func(squid impact.SquidImpact) []render.Cell {
		health := store.Healthy
		if squid.Breaks {
			health = store.Expired
		}
		return []render.Cell{
			render.TextCell(squid.ID), render.TextCell(names[squid.ID]).Exact(string(squid.Name)), launchCell(squid.NextLaunchAt.Time),
			render.TextCell(squidVerdict(squid, names) + inactive(squid)).In(health), render.TextCell(string(squid.Why)),
			render.TextCell(fmt.Sprint(squid.Breaks)), render.IntCell(squid.WorkingNow), render.IntCell(squid.WorkingAfter),
			render.TextCell(string(squid.AccountType)),
		}
	})
	s.footer = func(int) string {
		if len(shown) == len(r.Squids) {
			return ""
		}
		return fmt.Sprintf("... and %d more; --wide shows all.", len(r.Squids)-len(shown))
	}
	return s
}

func launchCell(next time.Time) render.Cell {
	if next.IsZero() {
		return render.TextCell("none").Exact("")
	}
	return render.TimeCell(next)
}

// squidVerdict says what becomes of a squid.
func squidVerdict(s impact.SquidImpact, names map[string]string) string {
	switch {
	case s.Why == impact.Stopped && s.Breaks:
		return "stopped"
	case s.Why == impact.Stopped:
		return "deleted already"
	case s.StartedBy != "":
		return "breaks: " + names[string(s.StartedBy)] + " no longer starts it"
	case s.Breaks && s.WorkingNow == 0:
		return "breaks: no account of it works now either"
	case s.Breaks && len(s.Others) == 0:
		return "breaks: it has no other account"
	case s.Breaks && len(s.Others) == 1:
		return "breaks: its other account does not work"
	case s.Breaks:
		return fmt.Sprintf("breaks: none of its %d other accounts works", len(s.Others))
	case s.NeedsAccount != nil && !*s.NeedsAccount:
		return "goes on: it needs no account"
	}
	return fmt.Sprintf("goes on with %s", render.Count(s.WorkingAfter, "other account"))
}

// inactive says of a squid that it is switched off: its launches wait.
func inactive(s impact.SquidImpact) string {
	if s.Active != nil && !*s.Active {
		return " (it is not active)"
	}
	return ""
}

func standIns(r impact.Impact, most int) section {
	shown := r.Replacements[:min(most, len(r.Replacements))]
	s := section{columns: []render.Column{{Title: "Account", Flexible: 1}, {Title: "Type", Flexible: 2}, {Title: "Squids", Right: true}}}
	s.rows = rowsFrom(shown, func(account impact.Replacement) []render.Cell {
		return []render.Cell{
			render.TextCell(nameOf(string(account.Username), account.ID)), render.TextCell(string(account.Type)), render.IntCell(account.Squids),
		}
	})
	s.footer = func(int) string {
		switch {
		case len(r.Replacements) == 0:
			return "None: no further account of this type is healthy."
		case len(shown) < len(r.Replacements):
			return fmt.Sprintf("... and %d more; --wide shows all.", len(r.Replacements)-len(shown))
		}
		return ""
	}
	return s
}

// notKnown is what nobody can know who does not ask the API.
const notKnown = "Offline: it is not known when squids start next and which other squids they start."

// impactRemarks are lines about what is not known, what differs, and who has nothing to
// do any more. A name does not break a line.
func (a *app) impactRemarks(r impact.Impact) (lines []string) {
	add := func(title string, remarks []report.Text) {
		for i, remark := range remarks {
			if i == a.mostOf(mostRemarks) {
				lines = append(lines, fmt.Sprintf("... and %d more; --json has all", len(remarks)-i))
				break
			}
			lines = append(lines, render.Clean(title+string(remark)+"."))
		}
	}
	if !r.Live {
		lines = append(lines, notKnown)
	}
	add("Problem: ", r.Problems)
	add("The store and the API differ: ", r.Differences)
	if len(r.IdleAccounts) > 0 {
		names := make([]string, len(r.IdleAccounts))
		for i, account := range r.IdleAccounts {
			names[i] = nameOf(string(account.Username), account.ID)
		}
		lines = append(lines, render.Clean("Accounts that no squid would use any more: "+strings.Join(names, ", ")+"."))
	}
	return lines
}
