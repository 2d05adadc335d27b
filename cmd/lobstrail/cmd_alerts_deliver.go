package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/notify"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

const deliverHelp = `Deliver the messages that still wait, of all workspaces or of the one of
--workspace. "snapshot" does this after each run; use this command in cron to
retry between runs. It first evaluates the alerts that depend only on the time:
no complete run for too long, reminders, the digest.

This command tries all waiting messages at once. After a run, a message that
failed is retried after a minute at the earliest, then after two, and so on up
to an hour. A sink that asked for more time (Retry-After) is never tried before
that time. Messages to one sink stay in order. Messages to a sink that is no
longer configured are dropped. The command takes at most 30 seconds, and holds
the lock of the store meanwhile.

Exit codes: 0 no message waits any more; 1 messages wait, with a line for each
sink that says why; 2 wrong usage; 10 there is no store; 11 the store is busy.`

func (a *app) newDeliverCmd() *cobra.Command {
	var lockWait time.Duration
	cmd := &cobra.Command{
		Use:   "deliver",
		Short: "Deliver the messages that still wait",
		Long:  deliverHelp,
		Example: `  lobstrail alerts deliver
  lobstrail alerts deliver --quiet --workspace acme`,
		Args: takes(0, 0, "", `"lobstrail alerts test SINK" tries one sink`),
		RunE: func(cmd *cobra.Command, _ []string) error {
			workspace := ""
			if named := cmd.Flags().Changed("workspace") || a.env.variable("LOBSTRAIL_WORKSPACE") != ""; named && a.workspace != "*" {
				workspace = a.workspace
			}
			return a.runDeliver(cmd.Context(), workspace, lockWait)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().DurationVar(&lockWait, "lock-wait", time.Minute, "how long to wait for another writer")
	return cmd
}

func (a *app) runDeliver(ctx context.Context, workspace string, lockWait time.Duration) error {
	if _, err := a.config(ctx); err != nil { // before anything waits for the lock
		return err
	}
	return a.changing(ctx, lockWait, func(s store.Store) error {
		if err := a.evaluateTime(ctx, s, workspace); err != nil {
			return err
		}
		results, err := a.deliver(ctx, s, workspace, true)
		if printed := a.printDeliveries(results); err == nil {
			err = printed
		}
		if err != nil {
			return err
		}
		return a.undelivered(ctx, results)
	})
}

// evaluateTime evaluates what depends on the time alone, such as that no run was complete
// for too long: of one workspace, or of all if it is "".
func (a *app) evaluateTime(ctx context.Context, s store.Store, workspace string) error {
	workspaces := []string{workspace}
	if workspace == "" {
		var err error
		if workspaces, err = s.Workspaces(ctx); err != nil {
			return err
		}
	}
	for _, workspace := range workspaces {
		if err := a.evaluateAlerts(ctx, s, workspace, nil); err != nil {
			return err
		}
	}
	return nil
}

// undelivered is the error of messages that still wait, with a line for each sink.
func (a *app) undelivered(ctx context.Context, results []notify.Result) error {
	var problems []string
	for _, r := range results {
		if problem := a.deliveryProblem(r); problem != "" {
			problems = append(problems, problem)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	hint := `"lobstrail alerts" shows what waits; "lobstrail alerts test SINK" tries a sink`
	if c, err := a.config(ctx); err == nil && len(c.Sinks) == 0 {
		hint = "no sink is configured: nothing is sent or dropped; \"lobstrail help sinks\" says how to configure one"
	}
	return &hintedError{errors.New(strings.Join(problems, "\n")), hint}
}

// deliveryJSON is what was done for one sink.
type deliveryJSON struct {
	Sink      string      `json:"sink"`
	Delivered int         `json:"delivered"`
	Failed    int         `json:"failed"` // attempts
	Waiting   int         `json:"waiting"`
	Dropped   int         `json:"dropped"`
	NextAt    report.Time `json:"next_at"` // null: none waits
	Error     *string     `json:"error"`   // null: none waits, or none was tried
}

func (a *app) printDeliveries(results []notify.Result) error {
	if a.format == string(render.Table) {
		return a.tellDeliveries(results)
	}
	out := a.list(render.Column{Title: "Sink", Key: "sink"}, render.Column{Title: "Delivered", Key: "delivered"}, render.Column{Title: "Failed", Key: "failed"},
		render.Column{Title: "Waiting", Key: "waiting"}, render.Column{Title: "Dropped", Key: "dropped"}, render.Column{Title: "Next at", Key: "next_at"},
		render.Column{Title: "Error", Key: "error"})
	for _, r := range results {
		j := deliveryJSON{r.Sink, r.Delivered, r.Failed, r.Waiting, r.Dropped, report.Time{Time: r.NextAt}, known(r.Error)}
		if err := out.Row(j, render.TextCell(r.Sink), render.IntCell(r.Delivered), render.IntCell(r.Failed), render.IntCell(r.Waiting),
			render.IntCell(r.Dropped), render.TimeCell(r.NextAt), render.TextCell(r.Error)); err != nil {
			return err
		}
	}
	return out.Close("")
}

// tellDeliveries says in a line for each sink what it took. What it did not take is the
// error of the command.
func (a *app) tellDeliveries(results []notify.Result) error {
	lines := []string{}
	waiting := 0
	for _, r := range results {
		waiting += r.Waiting
		if r.Delivered > 0 {
			lines = append(lines, fmt.Sprintf("sink %s: %s delivered", r.Sink, render.Count(r.Delivered, "message")))
		}
		if r.Dropped > 0 {
			lines = append(lines, fmt.Sprintf("sink %s: %s dropped", r.Sink, render.Count(r.Dropped, "message")))
		}
	}
	if len(lines) == 0 && waiting == 0 {
		lines = []string{"No message waits."}
	}
	if len(lines) == 0 || a.quiet {
		return nil
	}
	return render.Paragraph(a.env.stdout, a.options(), strings.Join(lines, "\n"))
}
