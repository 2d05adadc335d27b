package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

type verifyOptions struct {
	checkpoint string
	verifiers  []string
}

const verifyHelp = `Check that the store is what was written to it. Everything is computed again
from the rows and compared: documents and icons with their digests, snapshots
with the entries of the log, entries with the tree over them, and everything
derived (versions, changes, assignments) with what it derives from. A file is
also checked by SQLite. Alerts, messages and silences are no evidence: only
their form is checked. verify covers all workspaces, changes nothing, and may
run while snapshots are taken.

Anyone with write access to the store can rewrite all of it, log included. So
--checkpoint compares the log with the signed checkpoints in a file that was
kept elsewhere: the log must begin as each of them says.

Exit codes: 0 everything is as it was written; 1 failed; 2 wrong usage; 4 damage
or tampering was found; 10 there is no store.`

func (a *app) newVerifyCmd() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that the store is what was written to it",
		Long:  verifyHelp,
		Example: `  lobstrail verify
  lobstrail verify --checkpoint /mnt/elsewhere/checkpoints --verifier lobstrail.pub
  lobstrail verify --checkpoint checkpoints --quiet || mail -s tampering ops@example.com`,
		Args: takes(0, 0, "", `"lobstrail verify-proof ARGUMENT" checks a proof`),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("since") {
				a.note("note: --since is --checkpoint now: all is checked each time")
			}
			return a.runVerify(cmd.Context(), o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.checkpoint, "checkpoint", "", "the log must begin as the checkpoints in a `FILE` say")
	flags.StringVar(&o.checkpoint, "since", "", "")
	must(flags.MarkHidden("since")) // it once left out what came before the last checkpoint
	flags.StringArrayVar(&o.verifiers, "verifier", nil,
		"a verifier `KEY` that must have signed the last checkpoint, or a file of them (default $LOBSTRAIL_VERIFIER)")
	return coversWorkspaces(cmd)
}

// verifyMemory is about what a check may use itself, beside SQLite: the collector
// works harder when it comes near.
const verifyMemory = 70 << 20

func (a *app) runVerify(ctx context.Context, o verifyOptions) error {
	options, checkpoints, err := a.verifyOptions(ctx, o)
	if err != nil {
		return err
	}
	return a.readingAll(ctx, func(s store.Store) error {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(verifyMemory))
		bar := a.newProgress("verify", "responses")
		options.Progress = bar.showShare
		var first []store.Finding
		const most = 1000
		done, err := s.Verify(ctx, options, func(f store.Finding) {
			if len(first) < most {
				first = append(first, f)
			}
		})
		bar.done()
		if err != nil {
			return err
		}
		slices.SortStableFunc(first, func(a, b store.Finding) int { // those that look at once have found them in any order
			return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(len(a.Row), len(b.Row)), cmp.Compare(a.Row, b.Row))
		})
		answer := report.NewVerifyJSON(done, first)
		answer.Checkpoints = checkpoints
		if err := a.report(!answer.OK, func() error { return a.printVerified(answer) }); err != nil || answer.OK {
			return err
		}
		return &hintedError{
			fmt.Errorf("store %s: %w: %s", s.Path(), store.ErrDamaged, render.Count(answer.Found, "finding")),
			"keep the store as it is, and restore a backup that verifies",
		}
	})
}

// verifyOptions reads the checkpoints, and returns how many there are.
func (a *app) verifyOptions(ctx context.Context, o verifyOptions) (options store.VerifyOptions, checkpoints int, err error) {
	known, err := a.verifiers(ctx, o.verifiers)
	if err != nil || o.checkpoint == "" {
		return options, 0, err
	}
	file, err := a.readCheckpoints(ctx, o.checkpoint)
	switch {
	case err != nil:
		return options, 0, err
	case len(file.notes) == 0:
		return options, 0, usage("there is no checkpoint in %s\n\"lobstrail checkpoint\" makes one", file.path)
	case len(known) == 0:
		a.note("note: no signature in %s was checked; --verifier names who must have signed", file.path)
	}
	options.Trees, err = file.trees(known)
	return options, len(file.notes), err
}

// trees reads all checkpoints of the file, by workspace. If any key is known, the one
// with the most entries of each workspace must be signed by such a key.
func (f checkpointFile) trees(known []note.Verifier) (map[string][]tlog.Tree, error) {
	trees := map[string][]tlog.Tree{}
	for _, n := range f.notes {
		c, err := openIfKnown(n, known)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
		workspace, err := c.Workspace()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
		trees[workspace] = append(trees[workspace], c.Tree)
	}
	if len(known) == 0 {
		return trees, nil
	}
	for workspace := range trees {
		last, err := f.newest(workspace, known)
		if err == nil {
			_, err = ledger.OpenCheckpoint(last.Note, known...)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
	}
	return trees, nil
}

func (a *app) printVerified(v report.VerifyJSON) error {
	var findings []string
	for _, f := range v.Findings {
		findings = append(findings, strings.TrimSpace(string(f.Table)+" "+string(f.Row))+": "+f.Problem)
	}
	state := "ok"
	if !v.OK {
		state = "not ok"
	}
	return a.printOne(v, []render.Pair{
		{Title: "Store", Key: "ok", Value: render.TextCell(state)},
		{Title: "Entries", Key: "entries", Value: render.IntCell(v.Entries)},
		{Title: "Root", Key: "root", Value: render.TextCell(string(v.Root))},
		{Title: "Responses", Key: "responses", Value: render.IntCell(v.Responses)},
		{Title: "Snapshots", Key: "snapshots", Value: render.IntCell(v.Snapshots)},
		{Title: "Documents", Key: "documents", Value: render.IntCell(v.Documents)},
		{Title: "Versions", Key: "versions", Value: render.IntCell(v.Versions)},
		{Title: "Checkpoints", Key: "checkpoints", Value: render.IntCell(v.Checkpoints)},
		{Title: "Found", Key: "found", Value: render.IntCell(v.Found)},
		{Title: "Findings", Key: "findings", Value: render.TextCell(strings.Join(findings, "; "))},
	}, func() error { return a.printVerifiedText(v) })
}

// printVerifiedText lists the findings and says what was checked.
func (a *app) printVerifiedText(v report.VerifyJSON) error {
	out := a.list(render.Column{Title: "Table"}, render.Column{Title: "Row"}, render.Column{Title: "Problem", Flexible: 1})
	for _, f := range v.Findings {
		if err := out.Row(f, render.TextCell(string(f.Table)), render.TextCell(string(f.Row)), render.TextCell(f.Problem)); err != nil {
			return err
		}
	}
	var lines []string
	if more := v.Found - int64(len(v.Findings)); more > 0 {
		lines = append(lines, fmt.Sprintf("... and %d more.", more))
	}
	what := "Checked"
	if v.OK {
		what = "All is as it was written:"
	}
	lines = append(lines, fmt.Sprintf("%s %s, %s, %s, %s.", what, many(v.Entries, "entry", "entries"),
		render.Count(v.Snapshots, "snapshot"), render.Count(v.Documents, "document"), render.Count(v.Versions, "version")))
	if v.Checkpoints > 0 && v.OK {
		lines = append(lines, fmt.Sprintf("The log begins as %s.", many(int64(v.Checkpoints), "checkpoint says", "checkpoints say")))
	}
	for _, log := range v.Logs {
		lines = append(lines, fmt.Sprintf("Root %s of workspace %s.", log.Root, log.Workspace))
	}
	return out.Close(strings.Join(lines, "\n"))
}

// many writes a number with its noun.
func many(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
