package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

type checkpointOptions struct {
	key string
	to  string
}

const checkpointHelp = `Print a signed checkpoint of the log of the workspace: the name of the log (that
of the key, a slash and the workspace), how many entries it has, and one hash
over all of them (https://c2sp.org/tlog-checkpoint). Whoever keeps it can check
later whether anything stored until now has been changed or removed since. Each
workspace has a log of its own; --workspace names another.

Keep checkpoints away from the store: mail them, commit them to git on another
machine, or put them into a write-once bucket. A checkpoint beside the store
proves little: anyone who can rewrite the store can replace the checkpoint too.

--to also appends it to a file of checkpoints, unless the last one of this log
there is the same. Several logs may share a file. The log must extend that last
checkpoint; if it does not, the store was tampered with or replaced.

"lobstrail key" makes the key.

Exit codes: 0 done; 2 wrong usage; 4 the log does not extend the last checkpoint
of the file, or the file was changed; 10 there is no store.`

func (a *app) newCheckpointCmd() *cobra.Command {
	var o checkpointOptions
	cmd := &cobra.Command{
		Use:   "checkpoint --key FILE",
		Short: "Sign the state of the log, to be kept elsewhere",
		Long:  checkpointHelp,
		Example: `  lobstrail checkpoint --key lobstrail.key
  lobstrail checkpoint --key lobstrail.key --to /mnt/elsewhere/checkpoints
  0 * * * * lobstrail checkpoint --key lobstrail.key | mail -s log audit@example.com`,
		Args:              takes(0, 0, "", ""),
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runCheckpoint(cmd.Context(), o) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.key, "key", "", "sign with the signer key in a `FILE`")
	flags.StringVar(&o.to, "to", "", "append to a `FILE` of checkpoints too")
	must(cmd.MarkFlagRequired("key"))
	return cmd
}

func (a *app) runCheckpoint(ctx context.Context, o checkpointOptions) error {
	if err := notURL("what checkpoints are appended to", o.to); err != nil {
		return err
	}
	signer, own, err := a.signingKey(ctx, o.key)
	if err != nil {
		return err
	}
	return a.reading(ctx, func(s store.Store) error {
		tree, err := s.Tree(ctx, a.workspace)
		if err != nil {
			return err
		}
		c, err := signCheckpoint(ledger.Checkpoint{Origin: ledger.Origin(signer.Name(), a.workspace), Tree: tree}, signer, own)
		if err != nil {
			return err
		}
		answer := report.NewCheckpointJSON(c)
		if o.to == "" {
			return a.printCheckpoint(answer)
		}
		answer.File = report.Text(o.to)
		if answer.Appended, err = a.appendCheckpoint(ctx, s, o.to, c, own); err != nil {
			return notWritten(err)
		}
		if !answer.Appended {
			a.note("%s ends with this checkpoint already: nothing was stored since", o.to)
		}
		return a.report(false, func() error { return a.printCheckpoint(answer) })
	})
}

// signCheckpoint signs, and reads what came out as others will.
func signCheckpoint(c ledger.Checkpoint, signer note.Signer, own note.Verifier) (ledger.Signed, error) {
	signed, err := ledger.SignCheckpoint(c, signer)
	if err != nil {
		return ledger.Signed{}, err
	}
	return ledger.OpenCheckpoint(signed, own)
}

func (a *app) printCheckpoint(c report.CheckpointJSON) error {
	return a.printOne(c, []render.Pair{
		{Title: "Log", Key: "origin", Value: render.TextCell(c.Origin)},
		{Title: "Entries", Key: "size", Value: render.IntCell(c.Size)},
		{Title: "Root", Key: "root", Value: render.TextCell(c.Root)},
		{Title: "Signed by", Key: "signed_by", Value: render.TextCell(strings.Join(c.SignedBy, ", "))},
		{Title: "File", Key: "file", Value: render.TextCell(string(c.File))},
		{Title: "Checkpoint", Key: "checkpoint", Value: render.TextCell(c.Checkpoint)},
	}, func() error {
		_, err := fmt.Fprint(a.env.stdout, c.Checkpoint)
		return err
	})
}
