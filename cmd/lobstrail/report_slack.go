package main

import (
	"fmt"
	"strings"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/notify"
)

// slackName is how many characters of a name a summary for Slack has, slackLine how many
// of any other text.
const (
	slackName = 80
	slackLine = 500
)

// printSlack writes a summary as a message in Slack's mrkdwn: a title, and a line for each
// figure that says what it was in the period before.
func (a *app) printSlack(s report.SummaryJSON) error {
	var lines []string
	if stale := a.staleOf(s.Freshness, s.Until.Time); stale != "" {
		lines = append(lines, ":warning: "+notify.SlackText(stale, slackLine))
	}
	period := strings.TrimPrefix(a.summaryTitle(s), "Workspace "+s.Workspace)
	period = strings.Replace(period, "in brackets ", "compared with ", 1)
	lines = append(lines, "*Workspace* "+notify.SlackCode(s.Workspace, slackName)+notify.SlackText(period, slackLine))
	for _, line := range summaryLines(s) {
		lines = append(lines, line.slack(s.Previous != nil))
	}
	_, err := fmt.Fprintln(a.env.stdout, strings.Join(lines, "\n"))
	return err
}

func (l summaryLine) slack(previous bool) string {
	text := fmt.Sprintf("• *%s:* %s", l.title, notify.SlackText(l.now, slackLine))
	switch {
	case previous && l.now == l.previous:
		text += " (as before)"
	case previous:
		text += fmt.Sprintf(" (before: %s)", notify.SlackText(l.previous, slackLine))
	}
	names := l.shownNames()
	for i := range min(len(l.names), mostNames) {
		names[i] = notify.SlackCode(names[i], slackName)
	}
	if len(names) > 0 {
		text += ": " + strings.Join(names, ", ")
	}
	return text
}
