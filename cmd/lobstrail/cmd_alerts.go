package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

func (a *app) newAlertsCmd() *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use:        "alerts",
		SuggestFor: []string{"silence", "silences", "unsilence", "notify"},
		Short:      "List open alerts, and whether their messages were sent",
		Long: `List the alerts that are open or pending: the condition, since when, whether a
message was sent (TOLD), and which sinks have it. A pending alert was not yet
seen by as many runs as its rule asks for ("for" in the configuration).
"snapshot" and "watch" evaluate the alerts after each run and send the messages.

Exit codes: 0 done, also when no alert is open; 2 wrong usage; 10 there is no
store.`,
		Example: `  lobstrail alerts
  lobstrail alerts --all --json | jq '.[] | select(.told | not)'
  lobstrail alerts silence --account marco.rinaldi --for 4h --reason "new phone"`,
		Args:              takes(0, 0, "", `"lobstrail alerts --help" lists the commands that follow "alerts"`),
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runAlerts(cmd.Context(), all) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().BoolVar(&all, "all", false, "also list alerts that have ended")
	a.addAlertCommands(cmd)
	return coversWorkspaces(cmd)
}

// addAlertCommands adds the commands that follow "alerts".
func (a *app) addAlertCommands(alerts *cobra.Command) {
	alerts.AddCommand(a.newSilenceCmd(), a.newSilencesCmd(), a.newUnsilenceCmd(), a.newDeliverCmd(), a.newTestSinkCmd())
}

func (a *app) runAlerts(ctx context.Context, all bool) error {
	return a.readingPaged(ctx, func(s store.Store) error {
		columns := alertFields(report.AlertJSON{}, subjects{})
		if i := slices.IndexFunc(columns, func(c render.Column) bool { return c.Key == "workspace" }); a.workspace == allWorkspaces {
			columns[i].Title = "Workspace"
		}
		out := a.list(columns...)
		footer, err := a.perWorkspace(ctx, s, func() (string, error) { return a.writeAlerts(ctx, s, out, all) })
		if err != nil {
			return err
		}
		return out.Close(footer)
	})
}

// writeAlerts writes the alerts of the workspace as rows, and returns what belongs below.
func (a *app) writeAlerts(ctx context.Context, s store.Store, out *render.Writer, all bool) (footer string, err error) {
	alerts, err := store.Collect(s.Alerts(ctx, store.AlertQuery{Workspace: a.workspace, Over: all}))
	if err != nil {
		return "", err
	}
	if err := alert.SetSilenced(ctx, s, a.workspace, a.env.now(), alerts); err != nil {
		return "", err
	}
	deliveries, err := store.Collect(s.Deliveries(ctx, store.DeliveryQuery{Workspace: a.workspace}))
	if err != nil {
		return "", err
	}
	var names subjects
	if len(alerts) > 0 {
		if names, err = a.readSubjects(ctx, s); err != nil {
			return "", err
		}
	}
	for _, one := range alerts {
		row := report.NewAlertJSON(a.workspace, one, toldBy(one, deliveries), a.env.now())
		names.nameAlert(&row)
		if err := out.Row(row, render.Values(alertFields(row, names))...); err != nil {
			return "", err
		}
	}
	return a.alertsFooter(ctx, s, alerts, deliveries)
}

// toldBy are the deliveries of the messages that tell of the alert: those about its
// condition and what it is about, from when it fired until it ended.
func toldBy(a store.Alert, deliveries []store.Delivery) (own []store.Delivery) {
	if a.FiredAt.IsZero() {
		return nil
	}
	for _, d := range deliveries {
		switch {
		case d.Condition != a.Condition, d.At.Before(a.FiredAt), !a.EndedAt.IsZero() && d.At.After(a.EndedAt):
		case a.Account != "" && !slices.Contains(d.Accounts, a.Account):
		case a.Squid != "" && !bytes.Contains(d.Body, []byte(a.Squid)):
		default:
			own = append(own, d)
		}
	}
	return own
}

// alertsFooter counts the alerts, and the messages that still wait.
func (a *app) alertsFooter(ctx context.Context, s store.Store, alerts []store.Alert, deliveries []store.Delivery) (string, error) {
	place, err := s.AlertPlace(ctx, a.workspace)
	if err != nil {
		return "", err
	}
	counts := map[report.AlertState]int{}
	for _, one := range alerts {
		counts[report.AlertStateOf(one)]++
	}
	var footer string
	switch {
	case len(alerts) > 0:
		footer = fmt.Sprintf("%s: %d open, %d pending", render.Count(len(alerts), "alert"), counts[report.AlertOpen], counts[report.AlertPending])
		if ended := counts[report.AlertEnded]; ended > 0 {
			footer += fmt.Sprintf(", %d ended", ended)
		}
		footer += ". " + a.zoneNote()
	case place.At.IsZero():
		footer = `No alert is open: alerts were not evaluated yet. "lobstrail snapshot" does that after each run.`
	default:
		footer = "No alert is open. They were last evaluated " + render.Time(place.At, a.env.zone) + ". " + a.zoneNote()
	}
	if waiting := waitingNote(deliveries); waiting != "" {
		footer += "\n" + waiting
	}
	return footer, nil
}

// waitingNote says how many deliveries wait, and why the one that was tried most often
// does; "" for none.
func waitingNote(deliveries []store.Delivery) string {
	waiting, worst := 0, store.Delivery{}
	for _, d := range deliveries {
		if d.State == store.Waiting {
			waiting++
			if d.Attempts > worst.Attempts {
				worst = d
			}
		}
	}
	switch {
	case waiting == 0:
		return ""
	case worst.Attempts == 0:
		return fmt.Sprintf("Deliveries that wait: %d.", waiting)
	}
	return fmt.Sprintf("Deliveries that wait: %d. The one to %s failed %s: %s", waiting, worst.Sink, times(worst.Attempts), worst.Error)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// alertFields are the columns of the list of alerts, with the values of one.
func alertFields(j report.AlertJSON, names subjects) []render.Column {
	window := store.Window{After: j.After.Time, Before: j.Before.Time}
	if window == (store.Window{}) {
		window.After = j.FiredAt.Time
	}
	var age, run render.Cell
	if j.Age != nil {
		age = render.DurationCell(time.Duration(*j.Age))
	}
	if j.Run != nil {
		run = render.IntCell(*j.Run)
	}
	return []render.Column{
		{Title: "Alert", Key: "alert", Right: true, Value: render.IntCell(j.Alert)},
		{Key: "workspace", Value: render.TextCell(j.Workspace)},
		{Title: "Condition", Key: "condition", Value: render.TextCell(string(j.Condition))},
		{Title: "What", Flexible: 1, Least: 16, Value: render.TextCell(names.what(j))},
		{Title: "State", Key: "state", Value: render.TextCell(string(j.State))},
		{Title: "Since", Drop: 3, Value: render.WindowCell(window)},
		{Title: "Age", Drop: 1, Value: age},
		{Title: "Told", Drop: 2, Value: render.TextCell(toldText(j))},
		{Title: "Deliveries", Flexible: 2, Drop: 4, Value: render.TextCell(deliveriesText(j.Deliveries))},
		{Key: "account", Value: render.TextCell(string(j.Account))},
		{Key: "username", Value: render.TextCell(string(j.Username))},
		{Key: "type", Value: render.TextCell(string(j.Type))},
		{Key: "squid", Value: render.TextCell(string(j.Squid))},
		{Key: "squid_name", Value: render.TextCell(string(j.SquidName))},
		{Key: "limit", Value: render.TextCell(string(j.Limit))},
		{Key: "after", Value: render.TimeCell(j.After.Time)},
		{Key: "before", Value: render.TimeCell(j.Before.Time)},
		{Key: "run", Value: run},
		{Key: "age_seconds", Value: age},
		{Key: "polls", Value: render.IntCell(j.Polls)},
		{Key: "fired_at", Value: render.TimeCell(j.FiredAt.Time)},
		{Key: "ended_at", Value: render.TimeCell(j.EndedAt.Time)},
		{Key: "told", Value: render.TextCell(fmt.Sprint(j.Told))},
		{Key: "silenced", Value: render.TextCell(fmt.Sprint(j.Silenced))},
		{Key: "reminders", Value: render.IntCell(j.Reminders)},
		{Key: "deliveries", Value: render.TextCell(deliveriesText(j.Deliveries))},
	}
}

// toldText says whether a message was sent, and whether the next ones are held back.
func toldText(j report.AlertJSON) string {
	text := "no"
	switch {
	case j.Told && j.Reminders > 0:
		text = "yes, " + render.Count(j.Reminders, "reminder")
	case j.Told:
		text = "yes"
	case j.Silenced:
		return "silenced"
	}
	if j.Silenced && j.State != report.AlertEnded {
		text += "; silenced"
	}
	return text
}

// deliveriesText lists the deliveries, the newest of each sink.
func deliveriesText(deliveries []report.AlertDeliveryJSON) string {
	newest := map[string]string{}
	var sinks []string
	for _, d := range deliveries {
		text := d.Sink + " " + string(d.State)
		if d.State != store.Delivered && d.Attempts > 0 {
			text += fmt.Sprintf(" after %s", render.Count(d.Attempts, "attempt"))
		}
		if d.Error != "" {
			text += ": " + string(d.Error)
		}
		if newest[d.Sink] == "" {
			sinks = append(sinks, d.Sink)
		}
		newest[d.Sink] = text
	}
	for i, sink := range sinks {
		sinks[i] = newest[sink]
	}
	return strings.Join(sinks, "; ")
}
