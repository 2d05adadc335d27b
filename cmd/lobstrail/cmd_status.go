package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

func (a *app) newStatusCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show on one screen the current state, and what to do",
		Long: `Show the current state: when the newest complete run ended, the accounts by
health, open alerts, messages that could not be delivered, the accounts to
re-synchronise with the vendor's command for each, and squids without a healthy
account. When the data are older than expected, the first line says so.

It reads only the store. "lobstrail check" is the same for scripts: it compares
the state with thresholds and sets the exit code.

Exit codes: 0 done, also with open alerts; 2 wrong usage; 10 there is no store.`,
		Example: `  lobstrail status
  lobstrail status --json | jq '.accounts.expired'
  watch -n 60 lobstrail status`,
		Args:              takes(0, 0, "", `"lobstrail show ARGUMENT" shows one account`),
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runStatus(cmd.Context()) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	return coversWorkspaces(cmd)
}

func (a *app) runStatus(ctx context.Context) error {
	return a.readingAll(ctx, func(s store.Store) error {
		if a.workspace != allWorkspaces {
			status, err := a.readStatus(ctx, s)
			if err != nil {
				return err
			}
			if err := a.printStatus(status); err != nil {
				return err
			}
			return a.noteUnknownWorkspace(ctx, s)
		}
		workspaces, err := s.Workspaces(ctx)
		if err != nil {
			return err
		}
		var all []report.StatusJSON
		for _, name := range workspaces {
			err := a.inWorkspace(name, func() error {
				status, err := a.readStatus(ctx, s)
				all = append(all, status)
				return err
			})
			if err != nil {
				return err
			}
		}
		return a.printStatuses(all)
	})
}

// readOverview reads how the workspace stands, with names that tell accounts and squids
// apart for people.
func (a *app) readOverview(ctx context.Context, s store.Store) (report.Overview, error) {
	now, err := report.ReadOverview(ctx, s, a.workspace, a.env.now().UTC().Truncate(time.Millisecond))
	if err != nil {
		return now, err
	}
	if err := alert.SetSilenced(ctx, s, a.workspace, now.At, now.Alerts); err != nil {
		return now, err
	}
	names, err := a.readNames(ctx, s)
	return now.Distinguish(names.accounts, names.squids), err
}

func (a *app) readStatus(ctx context.Context, s store.Store) (report.StatusJSON, error) {
	rules, err := a.rulesOf(ctx, a.workspace)
	if err != nil {
		return report.StatusJSON{}, err
	}
	now, err := a.readOverview(ctx, s)
	return report.NewStatusJSON(now, rules.StaleAfter(now.Complete)), err
}

// printStatus writes the status of one workspace.
func (a *app) printStatus(s report.StatusJSON) error {
	switch format := render.Format(a.format); {
	case format.ForPeople():
		return a.printStatusText(s)
	case format == render.CSV:
		return a.printStatuses([]report.StatusJSON{s})
	}
	return render.Object(a.env.stdout, a.options(), s)
}

// printStatuses writes the status of several workspaces: a screen for each, or a row.
func (a *app) printStatuses(all []report.StatusJSON) error {
	if render.Format(a.format).ForPeople() {
		for i, s := range all {
			if i > 0 {
				fmt.Fprintln(a.env.stdout)
			}
			if err := a.printStatusText(s); err != nil {
				return err
			}
		}
		if len(all) == 0 {
			return render.Paragraph(a.env.stdout, a.options(), "No run was ever taken.")
		}
		return nil
	}
	out := a.list(statusColumns...)
	for _, s := range all {
		if err := out.Row(s, statusCells(s)...); err != nil {
			return err
		}
	}
	return out.Close("")
}

var statusColumns = []render.Column{
	{Key: "workspace"}, {Key: "at"}, {Key: "last_complete_run"}, {Key: "finished_at"}, {Key: "age_seconds"},
	{Key: "stale_after_seconds"}, {Key: "stale"}, {Key: "accounts"}, {Key: "gone"}, {Key: "expired"}, {Key: "failing"}, {Key: "unknown"},
	{Key: "locked"}, {Key: "healthy"}, {Key: "squids"}, {Key: "squids_without_healthy_account"}, {Key: "squids_on_single_account"},
	{Key: "alerts"}, {Key: "deliveries"}, {Key: "deliveries_failing"},
}

func statusCells(s report.StatusJSON) []render.Cell {
	var run, finished, age, after render.Cell
	if s.Complete != nil {
		run, finished = render.IntCell(s.Complete.Run), render.TimeCell(s.Complete.Finished.Time)
		age = secondsCell(s.Complete.Age)
	}
	if s.StaleAfter != nil {
		after = secondsCell(*s.StaleAfter)
	}
	messages, failing := 0, 0
	for _, queue := range s.Deliveries {
		messages += queue.Messages
		failing += queue.Failing
	}
	c := s.Accounts
	return []render.Cell{
		render.TextCell(s.Workspace), render.TimeCell(s.At.Time), run, finished, age, after, render.TextCell(fmt.Sprint(s.Stale)),
		render.IntCell(c.Accounts), render.IntCell(c.Gone), render.IntCell(c.Expired), render.IntCell(c.Failing), render.IntCell(c.Unknown),
		render.IntCell(c.Locked), render.IntCell(c.Healthy), render.IntCell(s.Squids.Squids), render.IntCell(s.Squids.WithoutHealthy),
		render.IntCell(s.Squids.OnSingle), render.IntCell(len(s.Alerts)), render.IntCell(messages), render.IntCell(failing),
	}
}
