package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// All has to fit on a screen.
const (
	mostCommands = 2 // to copy: one takes two lines
	mostOf       = 3 // names in a line
)

func secondsCell(s report.Seconds) render.Cell { return render.DurationCell(time.Duration(s)) }

// printStatusText writes one screen.
func (a *app) printStatusText(s report.StatusJSON) error {
	title := fmt.Sprintf("Workspace %s, %s (%s)", s.Workspace, render.Time(s.At.Time, a.env.zone), render.ZoneName(a.env.zone, s.At.Time))
	if old := a.oldText(s); old != "" {
		title = old + "\n" + title
	}
	if err := render.List(a.env.stdout, a.options(), title, a.statusLines(s)...); err != nil {
		return err
	}
	fmt.Fprintln(a.env.stdout)
	out, err := render.NewReport(a.env.stdout, a.options())
	if err != nil {
		return err
	}
	out.Paragraph(handsText(s)) // the error stays
	return out.Close("")
}

// oldText warns of data that are older than expected, or missing; "" if they are neither.
func (a *app) oldText(s report.StatusJSON) string {
	switch {
	case s.Complete == nil:
		return "No complete run over all accounts yet: what is shown here may be out of date, or not all."
	case s.Stale:
		return fmt.Sprintf("Out of date: the newest complete run ended %s ago. It should be no older than %s.",
			render.Rounded(time.Duration(s.Complete.Age)), render.Rounded(time.Duration(*s.StaleAfter)))
	}
	return ""
}

func (a *app) statusLines(s report.StatusJSON) []render.Pair {
	var lines []render.Pair
	line := func(title, text string, health store.Health) {
		lines = append(lines, render.Pair{Title: title, Value: render.TextCell(text).In(health)})
	}
	line("Last complete run", a.lastRunText(s), map[bool]store.Health{true: store.Expired}[s.Stale])
	if n := s.Newest; n != nil && n.State != store.Complete {
		line("Newest run", fmt.Sprintf("%s: run %d, started %s ago", n.State, n.Run, render.Rounded(s.At.Sub(n.Started.Time))), store.Failing)
	}
	line("Accounts", accountsText(s.Accounts), worstHealth(s.Accounts))
	squids := fmt.Sprint(s.Squids.Squids)
	if s.Squids.Squids > 0 {
		squids += fmt.Sprintf(": %d without a healthy account, %d on a single one", s.Squids.WithoutHealthy, s.Squids.OnSingle)
	}
	line("Squids", squids, map[bool]store.Health{true: store.Expired}[s.Squids.WithoutHealthy > 0])
	line("Open alerts", alertsText(s.Alerts), "")
	line("Deliveries", a.deliveriesText(s.Deliveries), "")
	return lines
}

func (a *app) lastRunText(s report.StatusJSON) string {
	if s.Complete == nil {
		return "none"
	}
	return fmt.Sprintf("%s ago: run %d, ended %s", render.Rounded(time.Duration(s.Complete.Age)), s.Complete.Run, render.Time(s.Complete.Finished.Time, a.env.zone))
}

// accountsText counts the accounts that are not gone, and those by health, the best first.
func accountsText(c report.HealthCounts) string {
	byHealth := []struct {
		n      int
		health store.Health
	}{{c.Healthy, store.Healthy}, {c.Locked, store.Locked}, {c.Unknown, store.Unknown}, {c.Failing, store.Failing}, {c.Expired, store.Expired}}
	var parts []string
	for _, part := range byHealth {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.health))
		}
	}
	text := fmt.Sprint(c.Accounts - c.Gone)
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if c.Gone > 0 {
		text += fmt.Sprintf("; %d gone", c.Gone)
	}
	return text
}

// worstHealth gives the line of accounts its colour.
func worstHealth(c report.HealthCounts) store.Health {
	switch {
	case c.Expired > 0:
		return store.Expired
	case c.Failing > 0:
		return store.Failing
	}
	return ""
}

// alertsText counts open alerts by condition.
func alertsText(alerts []report.OpenAlertJSON) string {
	counts, silenced := map[store.Condition]int{}, 0
	for _, alert := range alerts {
		if alert.Silenced {
			silenced++
			continue
		}
		counts[alert.Condition]++
	}
	var parts []string
	for _, condition := range store.Conditions {
		if n := counts[condition]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", condition, n))
		}
	}
	text := cmp.Or(strings.Join(parts, ", "), "none")
	if silenced > 0 {
		text += fmt.Sprintf("; %d silenced", silenced)
	}
	return text
}

// deliveriesText tells which sinks do not take their messages, and why the first does not.
func (a *app) deliveriesText(queues []report.QueueJSON) string {
	var failing []string
	var parts []string
	waiting, oldest := 0, time.Duration(0)
	for _, q := range queues {
		waiting += q.Messages
		if q.Failing > 0 {
			failing = append(failing, q.Sink)
			oldest = max(oldest, time.Duration(q.Age))
		}
	}
	if len(failing) > 0 {
		verb := map[bool]string{true: "fails", false: "fail"}[len(failing) == 1]
		parts = append(parts, fmt.Sprintf("%s %s: %s", firstOf(failing), verb, short(string(queues[0].Error), 60)))
	}
	if waiting > 0 {
		text := waitText(waiting)
		if oldest > 0 {
			text += ", the oldest since " + render.Rounded(oldest)
		}
		parts = append(parts, text)
	}
	return cmp.Or(strings.Join(parts, "; "), "none waiting")
}

func waitText(n int) string {
	if n == 1 {
		return "1 message waiting"
	}
	return fmt.Sprintf("%d messages waiting", n)
}

// short cuts a text to so many characters.
func short(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}

// handsText says what somebody has to do, with the vendor's commands.
func handsText(s report.StatusJSON) string {
	if len(s.NeedResync)+len(s.WithoutHealthy) == 0 {
		if len(s.Alerts) > 0 {
			return `No account needs to be re-synchronised. "lobstrail alerts" lists the open alerts.`
		}
		return "Nothing to do."
	}
	var lines []string
	if n := len(s.WithoutHealthy); n > 0 {
		names := make([]string, 0, n)
		for _, squid := range s.WithoutHealthy {
			names = append(names, short(nameOf(string(squid.Name), squid.ID), 30))
		}
		lines = append(lines, "Squids without a healthy account: "+firstOf(names)+".")
	}
	if len(s.NeedResync) > 0 {
		lines = append(lines, "To re-synchronise, where cookies.json holds names and values of cookies:")
	}
	for i, r := range s.NeedResync {
		if i == mostCommands {
			lines = append(lines, fmt.Sprintf(`... and %d more; "lobstrail report -o report.html" has all`, len(s.NeedResync)-mostCommands))
			break
		}
		lines = append(lines, short(nameOf(string(r.Username), r.ID), 40)+" ("+short(cookieNames(r.Cookies), 30)+"):", "    "+r.Command)
	}
	return strings.Join(lines, "\n")
}

// firstOf names the first few.
func firstOf(names []string) string {
	if more := len(names) - mostOf; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostOf], ", "), more)
	}
	return strings.Join(names, ", ")
}
