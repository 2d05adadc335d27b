package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

type redactOptions struct {
	yes      bool
	lockWait time.Duration
}

const redactHelp = `Erase what is known of an account, for a person's right to be forgotten.

It erases, in every workspace: the username, all documents with whatever the API
said in them, counters, digests of what was received, messages of failures that
are about the account or name it, icons that no other account has, and the
values of changes. They are erased from the file, its free space and its
journal, or from the rows of the database. Hashes stay in their place, made with
a secret that is erased too: they reveal nothing, and with them everything else
still verifies. The redaction is an entry of the log.

What stays, under the account's id: when it was looked at, when it changed and
in which kind, its health, the codes of its status, its type, and which squids
used it. The account is called "redacted:" and some digits from then on.

From then on the account is withheld: what the API shows of it is not stored any
more, so that the next batch does not bring it all back. There is no way back.
Delete the account on lobstr.io first.

Out of reach are copies: backups, replicas, exports, what you have piped
elsewhere, blocks that the file system or the disk keeps. Names of squids stay.
Warnings of runs are part of the log and stay; a note says if one of them has
the username in it. A file is written anew, which needs as much free disk as it
takes. If the command could not finish, run it again.

PostgreSQL keeps the old versions of rows until VACUUM removes them, and others
hold them for longer: WAL archives, replicas, dumps, logs of statements. Those
are the operator's to erase ("lobstrail help postgres").

Exit codes: 0 done; 1 failed, for example because the disk is full; 2 wrong
usage; 10 there is no store; 11 another process writes to the store, or reads
its journal for too long.`

const redactExample = `  lobstrail redact marco.rinaldi
  lobstrail redact d3e97f2cd33658f301bdbe807402ab30 --yes --json`

func (a *app) newRedactCmd() *cobra.Command {
	var o redactOptions
	cmd := &cobra.Command{
		Use:               "redact ACCOUNT",
		Short:             "Erase what is known of an account",
		Long:              redactHelp,
		Example:           redactExample,
		Args:              takes(1, 1, "an ACCOUNT", `"lobstrail accounts" lists them`),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.runRedact(cmd.Context(), args[0], o) },
		ValidArgsFunction: a.completeAccounts(1),
	}
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	cmd.Flags().DurationVar(&o.lockWait, "lock-wait", time.Minute, "how long to wait for another writer")
	return cmd
}

func (a *app) runRedact(ctx context.Context, reference string, o redactOptions) error {
	if !o.yes && !a.env.stdinIsTerm {
		return usage("redact cannot be undone and asks first\ngive --yes, or answer on a terminal")
	}
	return a.changing(ctx, o.lockWait, func(s store.Store) error {
		id, err := a.findNamed(ctx, s, reference)
		if err != nil {
			return err
		}
		account, err := a.accountAt(ctx, s, store.AccountQuery{Workspace: a.workspace, Account: id})
		if err != nil {
			return err
		}
		if !o.yes {
			if err := a.askForName(ctx, account); err != nil {
				return err
			}
		}
		done, err := s.Redact(ctx, a.workspace, id)
		if err != nil {
			return redactionError(err)
		}
		if onServer(a.db) {
			a.note("note: WAL archives, replicas that lag, dumps and logs of the server may still have what was erased (\"lobstrail help postgres\")")
		}
		return a.report(false, func() error { return a.printRedacted(done) })
	})
}

// askForName has the user type which account it is.
func (a *app) askForName(ctx context.Context, account store.AccountState) error {
	name := account.Facts.Username
	fmt.Fprintf(a.env.stderr, "This erases %s (%s) for good. Type its id or its name: ", render.Clean(name), account.ID)
	line, err := interruptibly(ctx, func() ([]byte, error) {
		lines := bufio.NewScanner(a.env.stdin)
		lines.Scan() // what was not typed is not the name
		return lines.Bytes(), lines.Err()
	})
	if err != nil {
		return err
	}
	typed := strings.TrimSpace(string(line))
	if typed == "" || !strings.EqualFold(typed, account.ID) && typed != name {
		return usage("that is not the account: nothing was erased")
	}
	return nil
}

func redactionError(err error) error {
	if errors.Is(err, store.ErrBusy) {
		return &hintedError{err, "let the other programs end (\"lobstrail sql\", a replica, a dashboard), and run it again"}
	}
	return err
}

// redactJSON is the answer of redact.
type redactJSON struct {
	Account   string `json:"account"`
	Username  string `json:"username"`
	Documents int64  `json:"documents"`
	Received  int64  `json:"received"`
	Failures  int64  `json:"failures"`
	Icons     int64  `json:"icons"`
	Warnings  int64  `json:"warnings"`
}

func (a *app) printRedacted(done store.Redacted) error {
	v := redactJSON{done.Account, done.Name, done.Documents, done.Received, done.Failures, done.Icons, done.Warnings}
	if v.Warnings > 0 {
		a.note("note: %s of runs stay in the log and have the username in them", render.Count(v.Warnings, "warning"))
	}
	pairs := []render.Pair{
		{Title: "Account", Key: "account", Value: render.TextCell(v.Account)},
		{Title: "Name", Key: "username", Value: render.TextCell(v.Username)},
		{Title: "Documents", Key: "documents", Value: render.IntCell(v.Documents)},
		{Title: "Received", Key: "received", Value: render.IntCell(v.Received)},
		{Title: "Failures", Key: "failures", Value: render.IntCell(v.Failures)},
		{Title: "Icons", Key: "icons", Value: render.IntCell(v.Icons)},
		{Title: "Warnings", Key: "warnings", Value: render.IntCell(v.Warnings)},
	}
	return a.printOne(v, pairs, func() error {
		_, err := fmt.Fprintf(a.env.stdout, "Account %s is called %s now, and withheld from then on.\n"+
			"Erased: %s, %s of failures, %s.\n", v.Account, v.Username, render.Count(v.Documents, "document"),
			render.Count(v.Failures, "message"), render.Count(v.Icons, "icon"))
		return err
	})
}
