package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/store"
)

type pruneOptions struct {
	keep     store.Keep
	given    bool // one of the flags of keep
	dryRun   bool
	lockWait time.Duration
}

const pruneHelp = `Thin out snapshots that show nothing new, and give the space back.

Every 15 minutes, nearly all snapshots show what the one before showed. They
prove that somebody looked. Say how many of them to keep:

  --keep-within SPAN   all that are no older than that (90m, 36h, 7d, 2w), as
                       seen from the newest snapshot of the workspace
  --keep-hourly N      of each account, the newest of each of the last N hours
                       (days, ISO weeks, months; UTC) in which it has any;
                       "unlimited" for all of them. --keep-daily, --keep-weekly
                       and --keep-monthly likewise

Give at least one. prune keeps or drops whole answers of the API: a page of the
list, or the details of an account, with all snapshots in it. The counts are per
page of the list, and per account for details.

These answers always stay: those that showed something new (a change, a status
step, counters that moved, an absence that ended), the last ones before each of
them (the windows of changes rest on those), and the newest of each page. Runs,
failures and assignments stay too. So changes, report, squids --history and all
views but "snapshots" say the same before and after. A state as of a moment
(--at) is that of the last snapshot that was kept.

The log keeps the hashes of what was dropped and gets an entry for each
transaction, so verify and older checkpoints still hold. A prune that was
interrupted can be run again. prune works on one workspace (--workspace).

Giving the space of a file back needs as much free disk as the store takes
afterwards. In PostgreSQL, autovacuum makes the space free for new rows; only
VACUUM FULL gives it back to the disk.

Exit codes: 0 done; 1 failed, for example because the disk is full; 2 wrong
usage; 10 there is no store; 11 another process writes to the store; 130
interrupted.`

const pruneExample = `  lobstrail prune --keep-within 7d --keep-hourly 720 --keep-daily 365 --dry-run
  lobstrail prune --keep-within 7d --keep-daily unlimited
  lobstrail prune --keep-within 30d --json --quiet`

func (a *app) newPruneCmd() *cobra.Command {
	var o pruneOptions
	cmd := &cobra.Command{
		Use:     "prune",
		Short:   "Thin out snapshots that show nothing new",
		Long:    pruneHelp,
		Example: pruneExample,
		Args:    takes(0, 0, "", ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range keepFlags {
				o.given = o.given || cmd.Flags().Changed(name)
			}
			return a.runPrune(cmd.Context(), o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.Var(parsedFlag(&o.keep.Within, "SPAN", parseKeptSpan), "keep-within", "keep all that are no older")
	flags.Var(parsedFlag(&o.keep.Hourly, "N", parseKept), "keep-hourly", "keep one of each of the last N hours")
	flags.Var(parsedFlag(&o.keep.Daily, "N", parseKept), "keep-daily", "keep one of each of the last N days")
	flags.Var(parsedFlag(&o.keep.Weekly, "N", parseKept), "keep-weekly", "keep one of each of the last N weeks")
	flags.Var(parsedFlag(&o.keep.Monthly, "N", parseKept), "keep-monthly", "keep one of each of the last N months")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would be done, and do nothing")
	flags.DurationVar(&o.lockWait, "lock-wait", time.Minute, "how long to wait for another writer")
	for _, flag := range keepFlags {
		must(cmd.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions))
	}
	return cmd
}

var keepFlags = []string{"keep-within", "keep-hourly", "keep-daily", "keep-weekly", "keep-monthly"}

func (a *app) runPrune(ctx context.Context, o pruneOptions) error {
	if !o.given {
		return usage("prune needs a policy that says what to keep\n" +
			"--keep-within 30d --keep-daily 365, for example; --dry-run shows what would go (\"lobstrail help prune\")")
	}
	open := func(ctx context.Context, fn func(store.Store) error) error { return a.changing(ctx, o.lockWait, fn) }
	prune := store.Store.Prune
	if o.dryRun {
		open = a.reading
		prune = func(s store.Store, ctx context.Context, workspace string, keep store.Keep, _ func(int64, int64)) (store.Pruned, error) {
			return s.PlanPrune(ctx, workspace, keep)
		}
	}
	return open(ctx, func(s store.Store) error {
		bar := a.newProgress("prune", "responses")
		done, err := prune(s, ctx, a.workspace, o.keep, bar.showShare)
		bar.done()
		switch {
		case errors.Is(err, store.ErrNotFound):
			return usage("workspace %q has no history in %s\n--workspace names another", a.workspace, a.storeName())
		case err != nil && done.Thinned > 0 && done.BytesBefore > 0:
			return a.prunedWithoutRoom(o, done, err)
		case err != nil:
			return err
		}
		return a.report(false, func() error { return a.printPruned(o, done) })
	})
}

// prunedWithoutRoom tells of a prune that was done, but for the space.
func (a *app) prunedWithoutRoom(o pruneOptions, done store.Pruned, err error) error {
	if printed := a.report(true, func() error { return a.printPruned(o, done) }); printed != nil {
		return printed
	}
	return &hintedError{err, fmt.Sprintf("the snapshots are thinned out and nothing is lost; with %s free here and in the folder for "+
		"temporary files, run it again", bytesText(done.BytesBefore))}
}

// errKeepsNothing is for a policy that would remove nearly everything at once, most
// likely a variable that was not what it should be.
var errKeepsNothing = errors.New("0 keeps nothing; leave the flag out, or give more than 0")

// parseKept reads how many to keep: a number, or "unlimited".
func parseKept(text string) (int, error) {
	if strings.EqualFold(text, "unlimited") {
		return store.Unlimited, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	switch {
	case err != nil:
		return 0, errors.New(`not a number and not "unlimited"`)
	case n == 0:
		return 0, errKeepsNothing
	}
	return int(n), nil
}

// parseKeptSpan reads for how long to keep all.
func parseKeptSpan(text string) (time.Duration, error) {
	length, err := parseSpan(text)
	if err == nil && length == 0 {
		err = errKeepsNothing
	}
	return length, err
}
