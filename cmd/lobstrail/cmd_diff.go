package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

type diffOptions struct {
	from, to string
	account  string
	exitCode bool
}

func (a *app) newDiffCmd() *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff FROM [TO]",
		Short: "Show the net difference between two moments",
		Long: `Show how accounts at one moment differ from those at another, now if it is left
out. What changed and changed back in between is no difference. A moment is a
TIME or the number of a run, which stands for its end.

Exit codes: 0 done, also when nothing differs; 2 wrong usage; 5 something
differs and --exit-code asked to be told; 10 there is no store.`,
		Example: `  lobstrail diff 7d
  lobstrail diff 10d 3d --account kofi_reads_news
  lobstrail diff 41 42 --json          between the ends of two runs`,
		Args: takes(1, 2, "one or two moments", timeHint),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.from, o.to = args[0], "now"
			if len(args) == 2 {
				o.to = args[1]
			}
			return a.runDiff(cmd.Context(), o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().StringVar(&o.account, "account", "", "only this `ACCOUNT`")
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "exit with 5 when something differs")
	a.completeFlag(cmd, "account", a.accountNames)
	return coversWorkspaces(cmd)
}

func (a *app) runDiff(ctx context.Context, o diffOptions) error {
	if o.exitCode {
		a.exitCodeTells()
	}
	return a.readingPaged(ctx, func(s store.Store) error {
		from, err := a.moment(ctx, s, o.from)
		if err != nil {
			return err
		}
		to, err := a.moment(ctx, s, o.to)
		if err != nil {
			return err
		}
		if to.Before(from) {
			return usage("%s is after %s\ngive the earlier moment first", o.from, o.to)
		}
		n, err := a.listDifferences(ctx, s, o.account, from, to)
		if err == nil && o.exitCode && n > 0 {
			return errDifference
		}
		return err
	})
}

// moment reads a TIME or the number of a run.
func (a *app) moment(ctx context.Context, s store.Store, text string) (time.Time, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return parseTime(text, a.env.now(), a.env.zone)
	}
	if err := a.oneWorkspace("the number of a run"); err != nil {
		return time.Time{}, err
	}
	end, err := s.RunEnd(ctx, a.workspace, id)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, usage("no run %d in workspace %q\n\"lobstrail runs\" lists them; %s", id, a.workspace, timeHint)
	}
	return end, err
}

func (a *app) listDifferences(ctx context.Context, s store.Store, reference string, from, to time.Time) (int, error) {
	out, n, rows := a.listAll(changeColumns...), 0, 0
	err := a.eachWorkspace(ctx, s, out, func() error {
		account, err := a.optionalAccount(ctx, s, reference, to)
		if err != nil {
			return err
		}
		moreChanges, moreRows, err := a.writeChanges(ctx, s, out, a.differences(ctx, s, account, from, to))
		n, rows = n+moreChanges, rows+moreRows
		return err
	})
	if err != nil {
		return n, err
	}
	period := "between " + render.Time(from, a.env.zone) + " and " + render.Time(to, a.env.zone)
	footer := "Nothing differs " + period + "."
	if n > 0 {
		footer = changeCount(n, rows, "difference") + " " + period + ". " + a.zoneNote()
	}
	return n, out.Close(footer)
}

// differences streams the net changes of each account.
func (a *app) differences(ctx context.Context, s store.Store, account string, from, to time.Time) iter.Seq2[store.AccountChange, error] {
	return func(yield func(store.AccountChange, error) bool) {
		for pair, err := range s.Pairs(ctx, a.workspace, account, from, to) {
			if err != nil {
				yield(store.AccountChange{}, err)
				return
			}
			net, err := report.Net(pair)
			if err != nil { // the states were understood when they were stored
				yield(store.AccountChange{}, fmt.Errorf("account %s: %w: %w", pair.Account, store.ErrDamaged, err))
				return
			}
			for _, change := range net {
				if !yield(change, nil) {
					return
				}
			}
		}
	}
}
