package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

type copyOptions struct {
	from, to string
	follow   bool
	every    durationFlag
	lockWait time.Duration
	all      bool // workspaces
}

const copyHelp = `Copy a store to another one: files or PostgreSQL databases, in any combination.
TO is created if there is none. If it is an earlier copy of FROM, only what it
lacks is copied. FROM may be written to meanwhile.

The copy goes by the log: each transaction copies some entries whole, and checks
them against the tree of the log. A copy that was interrupted or killed goes on
where it stopped when it is run again. In the end, the logs of both must have
the same root, and all rows that they have in common are compared. So every
command gives the same answers on both, and checkpoints and proofs of one hold
for the other.

TO is for copies only. Once something else has written to its log (snapshot,
import, prune, redact), it is refused. What was pruned or redacted in FROM is
pruned or redacted in TO. Alerts, messages, silences and cursors are in no log:
TO gets those of FROM each time. --workspace copies one workspace, and leaves
others in TO as they are.

--follow mirrors: it copies what is new every 5 seconds (--every) until it is
stopped. When the server of FROM or TO cannot be reached, it says so and tries
again, also when it has just been started.

Give a URL without a password: "lobstrail help copy" says where it can be kept.

Exit codes: 0 done, or --follow was stopped by SIGTERM; 1 failed; 2 wrong usage,
or both are the same store; 4 FROM is damaged, or TO is not a copy of it; 10
there is no store FROM; 11 another process writes to TO; 130 interrupted: run it
again to go on.`

func (a *app) newCopyCmd() *cobra.Command {
	var o copyOptions
	cmd := &cobra.Command{
		Use:   "copy FROM TO",
		Short: "Copy a store between files and databases, or mirror it",
		Long:  copyHelp,
		Example: `  lobstrail copy lobstrail.db postgres://db.example.org/lobstrail
  lobstrail copy postgres://db.example.org/lobstrail lobstrail.db
  lobstrail copy lobstrail.db postgres://db.example.org/lobstrail --follow --every 1m`,
		Args: takes(2, 2, "the stores FROM and TO: files or postgres:// URLs", ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.from, o.to = args[0], args[1]
			o.all = !cmd.Flags().Changed("workspace") || a.workspace == allWorkspaces
			if cmd.Flags().Changed("db") || cmd.Flags().Changed("db-file") {
				return usage("copy does not use --db\nname both stores: lobstrail copy FROM TO")
			}
			return a.runCopy(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.follow, "follow", false, "mirror: copy what is new until it is stopped")
	flags.Var(&o.every, "every", "with --follow, how often to look for what is new (default 5s)")
	flags.DurationVar(&o.lockWait, "lock-wait", time.Minute, "how long to wait for another writer of TO")
	must(cmd.RegisterFlagCompletionFunc("every", cobra.NoFileCompletions))
	return coversWorkspaces(cmd)
}

func (o *copyOptions) validate() error {
	for _, location := range []string{o.from, o.to} {
		if location == "" || location == "-" {
			return usage("copy needs two stores\nname a file or a postgres:// URL for each")
		}
		if onServer(location) {
			continue
		}
		if err := notURL("a store", location); err != nil {
			return err
		}
	}
	switch {
	case o.every.given && !o.follow:
		return usage("--every is for --follow\nwithout --follow, copy ends when all is copied")
	case o.every.given && (o.every.length < shortestEvery || o.every.length > longestEvery):
		return usage("--every must be from 1s to 366d")
	}
	return nil
}

func (a *app) runCopy(ctx context.Context, o copyOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	if o.follow {
		return a.mirror(ctx, o)
	}
	done, err := a.copyOnce(ctx, o, false)
	if err != nil {
		return a.explainCopy(o, err)
	}
	return a.report(false, func() error { return a.printCopied(o, done) })
}

// copyOnce copies what is new. again says that the copy was made before: a store that is
// not there is then not made anew.
func (a *app) copyOnce(ctx context.Context, o copyOptions, again bool) (done []store.Copied, err error) {
	from, err := a.openReaderAt(ctx, o.from)
	if err != nil {
		return nil, err
	}
	defer from.Close() // a reader has nothing to lose
	if !o.all {
		if err := a.isThere(ctx, from); err != nil {
			return nil, err
		}
	}
	to, created, err := a.openMirrorAt(ctx, o.to, o.lockWait, again)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if created {
		a.note("created the store %s", shownLocation(o.to))
	}
	bar := a.newProgress("copy", "entries")
	defer bar.done()
	options := store.CopyOptions{Progress: bar.showShare, Trusting: again}
	if !o.all {
		options.Workspaces = []string{a.workspace}
	}
	return to.CopyFrom(ctx, from, options)
}

// isThere returns an error unless the store has the workspace: nothing is made for it then.
func (a *app) isThere(ctx context.Context, s store.Store) error {
	tree, err := s.Tree(ctx, a.workspace)
	if err == nil && tree.N == 0 {
		err = usage("workspace %q has no history in %s\n--workspace names another", a.workspace, s.Path())
	}
	return err
}

// explainCopy makes wrong usage of what is that.
func (a *app) explainCopy(o copyOptions, err error) error {
	if errors.Is(err, store.ErrSame) {
		return usage("%s and %s are the same store\nname another place for the copy", shownLocation(o.from), shownLocation(o.to))
	}
	return err
}

var copyColumns = []render.Column{
	{Title: "Workspace", Key: "workspace", Flexible: 1},
	{Title: "Copied", Key: "copied", Right: true},
	{Title: "Entries", Key: "size", Right: true},
	{Title: "Root", Key: "root", Drop: 1},
	{Key: "responses"},
	{Key: "snapshots"},
	{Key: "pruned"},
	{Key: "redacted"},
	{Key: "alerts"},
}

func (a *app) printCopied(o copyOptions, done []store.Copied) error {
	out := a.list(copyColumns...)
	for _, c := range done {
		j := report.NewCopiedJSON(c)
		err := out.Row(j, render.TextCell(c.Workspace), render.IntCell(j.Copied), render.IntCell(j.Size), render.TextCell(j.Root),
			render.IntCell(j.Responses), render.IntCell(j.Snapshots), render.IntCell(j.Pruned), render.IntCell(j.Redacted), render.TextCell(fmt.Sprint(j.Alerts)))
		if err != nil {
			return err
		}
	}
	return out.Close(fmt.Sprintf("Copied %s to %s, and verified: the logs have the same roots.", shownLocation(o.from), shownLocation(o.to)))
}
