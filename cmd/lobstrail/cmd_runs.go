package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

func (a *app) newRunsCmd() *cobra.Command {
	return coversWorkspaces(&cobra.Command{
		Use:   "runs [RUN]",
		Short: "List the jobs that took snapshots, and their failures",
		Long: `List the jobs that took snapshots, the newest first, or show one with its
failures. A run whose process died is shown as interrupted.

Exit codes: 0 done; 2 wrong usage, or no such run; 10 there is no store.`,
		Example: `  lobstrail runs
  lobstrail runs 7
  lobstrail runs --json | jq '.[] | select(.complete | not)'`,
		Args: takes(0, 1, "one RUN", ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.readingPaged(cmd.Context(), func(s store.Store) error {
				if len(args) == 1 {
					if err := a.oneWorkspace("a RUN"); err != nil {
						return err
					}
					return a.showRun(cmd.Context(), s, args[0])
				}
				return a.listRuns(cmd.Context(), s)
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	})
}

func (a *app) showRun(ctx context.Context, s store.Store, text string) error {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return usage("%q is not the number of a run\n\"lobstrail runs\" lists them", text)
	}
	run, err := s.Run(ctx, a.workspace, id)
	if errors.Is(err, store.ErrNotFound) {
		return a.noRun(id)
	}
	if err != nil {
		return err
	}
	return a.printOne(report.NewRunJSON(run), runPairs(run), func() error { return a.printRunText(run) })
}

func (a *app) listRuns(ctx context.Context, s store.Store) error {
	out, n := a.listAll(runFields(store.Run{})...), 0
	err := a.eachWorkspace(ctx, s, out, func() error {
		for run, err := range s.Runs(ctx, a.workspace) {
			if err != nil {
				return err
			}
			n++
			if err := out.Row(report.NewRunJSON(run), render.Values(runFields(run))...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return out.Close(render.Count(n, "run") + ". " + a.zoneNote())
}

// runFields are the columns of the list of runs, with the values of one.
func runFields(run store.Run) []render.Column {
	var took render.Cell
	if !run.Finished.IsZero() {
		took = render.DurationCell(run.Finished.Sub(run.Started))
	}
	notes := strings.Join(append(clockNotes(run), run.Warnings...), "; ")
	return []render.Column{
		{Title: "Run", Key: "run", Right: true, Value: render.IntCell(run.ID)},
		{Title: "State", Key: "state", Value: render.TextCell(string(run.State))},
		{Title: "Started", Key: "started_at", Value: render.TimeCell(run.Started)},
		{Title: "Took", Drop: 6, Value: took},
		{Key: "finished_at", Value: render.TimeCell(run.Finished)},
		{Title: "Captured", Right: true, Drop: 1, Value: render.TextCell(fmt.Sprintf("%d of %d", run.Captured(), run.Requested))},
		{Key: "requested", Value: render.IntCell(run.Requested)},
		{Key: "captured", Value: render.IntCell(run.Captured())},
		{Title: "Changed", Key: "changed", Right: true, Drop: 3, Value: render.IntCell(run.Changed)},
		{Key: "unchanged", Value: render.IntCell(run.Unchanged)},
		{Title: "Gone", Key: "gone", Right: true, Drop: 5, Value: render.IntCell(run.Gone)},
		{Title: "Failed", Key: "failed", Right: true, Drop: 4, Value: render.IntCell(run.Failed)},
		{Title: "Calls", Key: "requests", Right: true, Drop: 7, Value: render.IntCell(run.Requests)},
		{Title: "Notes", Key: "warnings", Flexible: 1, Drop: 2, Value: render.TextCell(notes).Exact(strings.Join(run.Warnings, "; "))},
		{Key: "clock_skew_seconds", Value: skewCell(run)},
		{Key: "clock_held_seconds", Value: render.DurationCell(run.Held)},
	}
}
