package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// maxProof bounds a proof. An account object without its icon is a few kilobytes.
const maxProof = 64 << 20

const verifyProofHelp = `Check a proof that "lobstrail prove" wrote, and say what it shows. No store and
no network are needed.

Only the signature shows whose log it is. Give the verifier key of the log with
--verifier, as a line or as a file of lines (or in $LOBSTRAIL_VERIFIER). Get it
from the owner of the log, not from whoever gave you the proof. Without a key,
everything but the signature is checked, and the result says so: anybody could
have made such a proof.

Exit codes: 0 the proof holds; 2 wrong usage; 4 it does not hold, or is not
signed by a key that was given.`

func (a *app) newVerifyProofCmd() *cobra.Command {
	var given []string
	cmd := &cobra.Command{
		Use:   "verify-proof FILE",
		Short: "Check a proof, without a store",
		Long:  verifyProofHelp,
		Example: `  lobstrail verify-proof lead.proof --verifier lobstrail.pub
  lobstrail verify-proof lead.proof --verifier lobstrail.pub --json | jq .document`,
		Args: takes(1, 1, "the FILE of a proof", `"lobstrail prove" writes one`),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runVerifyProof(cmd.Context(), args[0], given) },
	}
	cmd.Flags().StringArrayVar(&given, "verifier", nil, "a verifier key of the log, or a file of them; repeatable (`KEY|FILE`)")
	return cmd
}

func (a *app) runVerifyProof(ctx context.Context, file string, given []string) error {
	known, err := a.verifiers(ctx, given)
	if err != nil {
		return err
	}
	text, err := a.readInput(ctx, file, maxProof)
	if err == nil && len(text) == 0 {
		err = fmt.Errorf("%s: there is nothing in it", file)
	}
	if err != nil {
		return &usageError{err.Error(), `name a file that "lobstrail prove" wrote, or - for standard input`}
	}
	proof, proven, err := readProof(text, known)
	if err != nil {
		return &hintedError{fmt.Errorf("%s: %w", file, err), "the proof does not hold"}
	}
	if len(known) == 0 {
		a.note("warning: the signature was not checked, for no --verifier was given")
	}
	answer := report.NewProofJSON(proof, proven, file)
	return a.report(false, func() error {
		return a.printOne(answer, proofPairs(answer), func() error { return a.printProof(answer, len(proof.Document)) })
	})
}

// readProof reads a proof and checks it.
func readProof(text []byte, known []note.Verifier) (ledger.Proof, ledger.Proven, error) {
	proof, err := ledger.ParseProof(tidyLines(plainText(text)))
	if err != nil {
		return proof, ledger.Proven{}, err
	}
	proven, err := proof.Verify(known...)
	return proof, proven, err
}

// sourceWords say where the API showed an account.
var sourceWords = map[string]string{
	"list":   "in the list of accounts",
	"detail": "when asked for this account alone",
	"import": "in an answer that was saved, and imported later",
}

// printProof says in plain words what a proof shows.
func (a *app) printProof(p report.ProofJSON, documentBytes int) error {
	where := ""
	if p.Workspace != "" {
		where = fmt.Sprintf(" of workspace %q", string(p.Workspace))
	}
	what := fmt.Sprintf("as an object of %d bytes with the SHA-256 %s", documentBytes, p.DocumentSHA256)
	switch {
	case p.Gone:
		what = "as gone (404)"
	case p.DocumentSHA256 == "":
		what = "as an object that the proof does not tell"
	}
	verdict, signature := "The proof holds. It shows", "Signature: checked, by "+strings.Join(p.SignedBy, ", ")+"."
	if len(p.SignedBy) == 0 {
		verdict = "The signature was NOT checked: anybody could have made this proof. If it is right, it shows"
		signature = "Signature: not checked; it says that it is by " + strings.Join(p.AlsoBy, ", ") + "."
	}
	lines := []string{
		verdict + " that this stood in the log:",
		fmt.Sprintf("  The API showed account %s%s", p.Account, where),
		"  " + what + ",",
		fmt.Sprintf("  %s, asked for at %s", sourceWords[p.Source], render.Stamp(p.SentAt.Time)),
		fmt.Sprintf("  and received at %s, by the clock of the machine that asked.", render.Stamp(p.ReceivedAt.Time)),
		fmt.Sprintf("Log: %s, entry %d of %d, root %s.", p.Origin, p.Entry, p.Size, p.Root),
		signature,
		"It does not show that the API told the truth, or that the clock was right.",
	}
	for i := range lines {
		lines[i] = render.Clean(lines[i])
	}
	_, err := fmt.Fprintln(a.env.stdout, strings.Join(lines, "\n"))
	return err
}

func proofPairs(p report.ProofJSON) []render.Pair {
	return []render.Pair{
		{Title: "Account", Key: "account", Value: render.TextCell(p.Account)},
		{Title: "Workspace", Key: "workspace", Value: render.TextCell(string(p.Workspace))},
		{Title: "Source", Key: "source", Value: render.TextCell(p.Source)},
		{Title: "Asked for", Key: "sent_at", Value: render.TimeCell(p.SentAt.Time)},
		{Title: "Received", Key: "received_at", Value: render.TimeCell(p.ReceivedAt.Time)},
		{Title: "Server's clock", Key: "server_at", Value: render.TimeCell(p.ServerAt.Time)},
		{Title: "Document", Key: "document", Value: render.TextCell(string(p.Document))},
		{Title: "Its SHA-256", Key: "document_sha256", Value: render.TextCell(string(p.DocumentSHA256))},
		{Title: "Log", Key: "origin", Value: render.TextCell(p.Origin)},
		{Title: "Entry", Key: "entry", Value: render.IntCell(p.Entry)},
		{Title: "Entries", Key: "size", Value: render.IntCell(p.Size)},
		{Title: "Root", Key: "root", Value: render.TextCell(p.Root)},
		{Title: "Signature", Key: "signature", Value: render.TextCell(p.Signature)},
		{Title: "Signed by", Key: "signed_by", Value: render.TextCell(strings.Join(p.SignedBy, ", "))},
		{Title: "Not checked", Key: "not_checked", Value: render.TextCell(strings.Join(p.AlsoBy, ", "))},
	}
}
