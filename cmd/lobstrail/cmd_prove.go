package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

type proveOptions struct {
	at              timeFlag
	key             string
	checkpoint      string
	output          string
	withoutDocument bool
}

const proveHelp = `Write a proof that a snapshot is in the log: a small text that anybody can check
with "lobstrail verify-proof", without the store and without a network. It is
that of the last snapshot of the account that was taken at or before the TIME.

It holds the account object as the log committed to it (counters are null, an
icon is its digest), when it was asked for and when it came, and the checkpoint
it leads to: one signed now with --key, or the newest one of a file that was
written by "lobstrail checkpoint --to". The latter shows that it was in the log
when that checkpoint was made. Of other accounts it only tells how many the
answer showed, and which failed in it.

Of an account that was redacted it can prove no more than that it was seen, with
--without-document. What "lobstrail prune" has thinned out cannot be proven: the
snapshots before and after it are named.

The form of the text is in the documentation of package store/ledger.

Exit codes: 0 done; 2 wrong usage, no such account, no snapshot then, or a file
is in the way; 4 the store is damaged, or its log does not extend the
checkpoint; 10 there is no store.`

func (a *app) newProveCmd() *cobra.Command {
	var o proveOptions
	cmd := &cobra.Command{
		Use:   "prove ACCOUNT",
		Short: "Write a proof that a snapshot is in the log",
		Long:  proveHelp,
		Example: `  lobstrail prove trendwatch_eu --at 3d --key lobstrail.key -o lead.proof
  lobstrail prove trendwatch_eu --at 7d --checkpoint checkpoints -o lead.proof
  lobstrail verify-proof lead.proof --verifier lobstrail.pub`,
		Args:              takes(1, 1, "an ACCOUNT", `"lobstrail accounts" lists them`),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.runProve(cmd.Context(), args[0], o) },
		ValidArgsFunction: a.completeAccounts(1),
	}
	flags := cmd.Flags()
	flags.Var(&o.at, "at", "the snapshot that held at a `TIME` (default now)")
	flags.StringVar(&o.key, "key", "", "sign a checkpoint with the signer key in a `FILE`")
	flags.StringVar(&o.checkpoint, "checkpoint", "", "use the newest checkpoint in a `FILE`")
	flags.StringVarP(&o.output, "output", "o", "-", "write to a `FILE` that is not there (- is standard output)")
	flags.BoolVar(&o.withoutDocument, "without-document", false, "leave out what the account object was")
	cmd.MarkFlagsOneRequired("key", "checkpoint")
	cmd.MarkFlagsMutuallyExclusive("key", "checkpoint")
	return cmd
}

// seal makes the checkpoint that a tree leads to.
type seal func(c ledger.Checkpoint) (ledger.Signed, error)

func (a *app) runProve(ctx context.Context, reference string, o proveOptions) error {
	if o.output == "-" && a.format != string(render.Table) {
		return usage("the proof itself goes to standard output\nname a file with -o to get its summary as %s", a.format)
	}
	if err := notURL("the proof", o.output); err != nil {
		return err
	}
	at, err := o.at.time(a, a.env.now())
	if err != nil {
		return err
	}
	return a.reading(ctx, func(s store.Store) error {
		id, err := a.findAccount(ctx, s, reference, at)
		if err != nil {
			return err
		}
		q := store.ProofQuery{Workspace: a.workspace, Account: id, At: at, WithoutDocument: o.withoutDocument}
		proof, err := a.prove(ctx, s, q, o)
		if err != nil {
			return err
		}
		// It is read as others will, so that none is given away that does not hold.
		read, proven, err := readProof(ledger.FormatProof(proof.Proof), nil)
		if err != nil {
			return fmt.Errorf("%w: the proof would not hold: %s", store.ErrDamaged, err)
		}
		return a.giveProof(read, proven, proof, o)
	})
}

// prove makes the proof, with its checkpoint.
func (a *app) prove(ctx context.Context, s store.Store, q store.ProofQuery, o proveOptions) (p store.Proof, err error) {
	sign, err := a.sealer(ctx, s, o, &q.Size)
	if err != nil {
		return p, err
	}
	p, err = s.Prove(ctx, q)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return p, usage("account %s was not known then\n\"lobstrail show\" tells when it was first seen", q.Account)
	case errors.Is(err, store.ErrLater):
		return p, usage("%s in %s\nmake a new one with \"lobstrail checkpoint\", or sign one with --key", err, o.checkpoint)
	case errors.Is(err, store.ErrRedacted):
		return p, usage("%s\n--without-document proves that it was seen, and when", err)
	case err != nil:
		return p, err
	}
	c, err := sign(ledger.Checkpoint{Tree: p.Tree})
	p.Checkpoint = c.Note
	return p, err
}

// sealer returns how the checkpoint is made: by signing one, or by taking the newest
// one of a file, whose size is then that of the log.
func (a *app) sealer(ctx context.Context, s store.Store, o proveOptions, size *int64) (seal, error) {
	if o.key != "" {
		signer, own, err := a.signingKey(ctx, o.key)
		return func(c ledger.Checkpoint) (ledger.Signed, error) {
			c.Origin = ledger.Origin(signer.Name(), a.workspace)
			return signCheckpoint(c, signer, own)
		}, err
	}
	known, err := a.verifiers(ctx, nil)
	if err != nil {
		return nil, err
	}
	file, err := a.readCheckpoints(ctx, o.checkpoint)
	if err != nil {
		return nil, err
	}
	newest, err := file.newest(a.workspace, known)
	if err != nil {
		return nil, err
	}
	if newest == nil || newest.N == 0 {
		return nil, usage("there is no checkpoint of anything in %s\n\"lobstrail checkpoint --to %s\" makes one", o.checkpoint, o.checkpoint)
	}
	if err := s.Extends(ctx, a.workspace, newest.Tree); err != nil {
		return nil, fmt.Errorf("%s and the newest checkpoint of %s: %w", s.Path(), o.checkpoint, err)
	}
	*size = newest.N
	return func(ledger.Checkpoint) (ledger.Signed, error) { return *newest, nil }, nil
}

// giveProof writes the proof where it is wanted.
func (a *app) giveProof(p ledger.Proof, proven ledger.Proven, made store.Proof, o proveOptions) error {
	if !made.Next.IsZero() {
		a.note("note: later snapshots were thinned out; this is the last that is left, of %s, and the next is of %s",
			render.Stamp(made.Taken), render.Stamp(made.Next))
	}
	text := ledger.FormatProof(p)
	if o.output == "-" {
		_, err := a.env.stdout.Write(text)
		return err
	}
	if err := createFile(o.output, text); err != nil {
		return notWritten(err)
	}
	answer := report.NewProofJSON(p, proven, o.output)
	return a.report(false, func() error { return a.printProven(answer) })
}

func (a *app) printProven(answer report.ProofJSON) error {
	return a.printOne(answer, proofPairs(answer), func() error {
		_, err := fmt.Fprintf(a.env.stdout, "Wrote %s: the snapshot of %s is in entry %d of the %s that %s has signed.\n",
			render.Clean(string(answer.File)), render.Stamp(answer.ReceivedAt.Time), answer.Entry, many(answer.Size, "entry", "entries"), render.Clean(answer.Origin))
		return err
	})
}
