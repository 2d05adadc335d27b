package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store/ledger"
)

type keyOptions struct {
	name   string
	output string
	public string
}

const keyHelp = `Make an Ed25519 key that signs checkpoints of the log (see "lobstrail help
checkpoint"). The signer key, a secret, goes to a new file that only you may
read; an existing file is never overwritten. The verifier key is printed: give
it to everybody who is to check a checkpoint or a proof.

The first line of a checkpoint is the name of the key, a slash and the
workspace. Choose a name that nobody else uses, like a URL without its scheme. A
key that replaces another one must have the same name.

Exit codes: 0 done; 1 failed; 2 wrong usage, or the file is there already.`

func (a *app) newKeyCmd() *cobra.Command {
	var o keyOptions
	cmd := &cobra.Command{
		Use:   "key -o FILE",
		Short: "Make a key that signs checkpoints",
		Long:  keyHelp,
		Example: `  lobstrail key --name example.com/lobstrail -o lobstrail.key
  lobstrail key --public lobstrail.key > lobstrail.pub`,
		Args:              takes(0, 0, "", ""),
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runKey(cmd.Context(), o) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.output, "output", "o", "", "write the signer key to a `FILE` that is not there")
	flags.StringVar(&o.name, "name", "", "the name of the key and its log (default HOSTNAME/lobstrail)")
	flags.StringVar(&o.public, "public", "", "print the verifier key of the signer key in a `FILE`")
	cmd.MarkFlagsOneRequired("output", "public")
	cmd.MarkFlagsMutuallyExclusive("output", "public")
	cmd.MarkFlagsMutuallyExclusive("name", "public")
	return cmd
}

func (a *app) runKey(ctx context.Context, o keyOptions) error {
	if o.public != "" {
		key, _, err := a.readSigner(ctx, o.public)
		if err != nil {
			return err
		}
		verifier, err := ledger.VerifierKey(key)
		if err != nil {
			return err
		}
		return a.printKey(verifier, o.public)
	}
	verifier, err := a.makeKey(o)
	if err != nil {
		return err
	}
	a.note("wrote the signer key to %s: keep it secret, and a copy of it; what is printed is for everybody", o.output)
	return a.printKey(verifier, o.output)
}

func (a *app) makeKey(o keyOptions) (verifier string, err error) {
	switch {
	case notURL("the signer key", o.output) != nil:
		return "", notURL("the signer key", o.output)
	case o.output == "" || o.output == "-":
		return "", usage("the signer key goes to a file, not to a terminal or a log\nname one with -o FILE")
	case o.name == "" && a.env.hostname == "":
		return "", usage("this machine has no host name to name the key after\ngive one: --name example.com/lobstrail")
	case o.name == "":
		o.name = a.env.hostname + "/lobstrail"
	}
	if err := ledger.CheckName(o.name); err != nil {
		return "", usage("name of the key: %s\nfor example --name example.com/lobstrail", err)
	}
	signer, verifier, err := ledger.NewKey(o.name)
	if err != nil {
		return "", err
	}
	return verifier, notWritten(createFile(o.output, []byte(signer+"\n")))
}

func (a *app) printKey(line, file string) error {
	verifier, err := note.NewVerifier(line)
	if err != nil {
		return err
	}
	key := report.KeyJSON{Name: verifier.Name(), Key: ledger.KeyID(verifier), Verifier: line, File: file}
	return a.printOne(key, []render.Pair{
		{Title: "Name", Key: "name", Value: render.TextCell(key.Name)},
		{Title: "Key", Key: "key", Value: render.TextCell(key.Key)},
		{Title: "Verifier", Key: "verifier", Value: render.TextCell(key.Verifier)},
		{Title: "File", Key: "file", Value: render.TextCell(key.File)},
	}, func() error {
		_, err := fmt.Fprintln(a.env.stdout, line)
		return err
	})
}
