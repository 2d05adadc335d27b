package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

type snapshotOptions struct {
	accounts    []string
	from        string
	tokenFile   string
	timeout     time.Duration
	retries     int
	maxWait     time.Duration
	deadline    time.Duration
	lockWait    time.Duration
	concurrency int
	acceptGone  bool
	all         bool // workspaces
}

const snapshotHelp = `Take snapshots now: of the accounts named, one call each, or of all accounts of
the workspace, a hundred a call. Every snapshot is stored, also when nothing has
changed. The store is created when there is none.

The API key is that in --token-file, else the one that the configuration names
for the workspace. Without either it is $LOBSTR_TOKEN, else [auth] token of the
vendor's configuration ($XDG_CONFIG_HOME/lobstr/config.toml). If the
configuration has workspaces, those two are only for the workspace "default".
LOBSTR_API_BASE moves the API.

An ACCOUNT is an id, a unique prefix of one, an @alias of the vendor's
configuration, or a username (a unique part will do).

A 404 makes an account gone only if it has the API's own error body and a known
account was seen under the key. When most known accounts (or all of three or
more named ones) would disappear at once, nothing is concluded about them: exit
3, and --accept-gone confirms that they were really deleted. Use that flag by
hand only, never in a schedule.

--all-workspaces takes snapshots of each workspace of the configuration in turn.
One that fails does not stop the others. The exit code is the worst one: 130, 4,
1, 11, 12, 2, 3, 0, in this order. Errors name the workspace; --deadline is for
each. JSON is a list of runs, without the workspaces where none could begin.

Exit codes: 0 everything asked for was captured; 1 nothing could be stored; 3
incomplete, what was seen is stored; 11 another process writes to the store; 12
the key is missing or refused.`

const snapshotExample = `  lobstrail snapshot                          all accounts
  lobstrail snapshot claire.moreau 3c4831bb   two accounts
  lobstrail snapshot --from important.txt     those in a file, one a line
  lobstrail snapshot --json | jq .failures    for scripts
  lobstrail snapshot --quiet                  for cron: see "lobstrail help cron"
  lobstrail snapshot --all-workspaces         each client of an agency`

func (a *app) newSnapshotCmd() *cobra.Command {
	var o snapshotOptions
	cmd := &cobra.Command{
		Use:     "snapshot [ACCOUNT...]",
		Short:   "Take snapshots now, of all accounts or those named",
		Long:    snapshotHelp,
		Example: snapshotExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.accounts = args
			if !o.all {
				err := a.runSnapshot(cmd.Context(), o)
				a.afterSnapshot(cmd.Context(), err)
				return err
			}
			if err := errors.Join(o.validate(), o.validateAll(cmd.Flags().Changed("workspace"))); err != nil {
				return err
			}
			return a.snapshotAll(cmd.Context(), o)
		},
		ValidArgsFunction: a.completeAccounts(-1),
	}
	flags := cmd.Flags()
	o.addFetchFlags(flags)
	flags.StringVar(&o.from, "from", "", "read accounts from a `FILE`, one a line (- is standard input)")
	flags.BoolVar(&o.acceptGone, "accept-gone", false, "confirm that accounts which all disappeared at once were really deleted")
	flags.BoolVar(&o.all, "all-workspaces", false, "of each workspace of the configuration in turn, each with its own key")
	return cmd
}

// addFetchFlags adds the flags that say how the API is asked.
func (o *snapshotOptions) addFetchFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.tokenFile, "token-file", "", "read the API key from a `FILE`")
	flags.DurationVar(&o.timeout, "timeout", fetcher.DefaultTimeout, "the longest one request may take, with its body")
	flags.IntVar(&o.retries, "retries", fetcher.DefaultRetries, "how often a request is tried again")
	flags.DurationVar(&o.maxWait, "max-wait", fetcher.DefaultMaxWait, "the longest wait the API may ask for; beyond it the job stops")
	flags.DurationVar(&o.deadline, "deadline", time.Hour, "the longest the whole job may take")
	flags.DurationVar(&o.lockWait, "lock-wait", time.Minute, "how long to wait for another writer")
	flags.IntVar(&o.concurrency, "concurrency", fetcher.DefaultConcurrency, "how many accounts are asked for at the same time")
}

func (o *snapshotOptions) validate() error {
	switch {
	case o.timeout <= 0 || o.maxWait <= 0 || o.deadline <= 0:
		return usage("--timeout, --max-wait and --deadline must be more than 0\nfor example --timeout 30s")
	case o.retries < 0 || o.retries > 100:
		return usage("--retries must be from 0 to 100")
	case o.concurrency < 1 || o.concurrency > 64:
		return usage("--concurrency must be from 1 to 64")
	}
	return nil
}

func (a *app) runSnapshot(ctx context.Context, o snapshotOptions) error {
	if err := errors.Join(o.validate(), a.checkNewWorkspace()); err != nil {
		return err
	}
	client, err := a.newClient(ctx, o)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	references, err := a.references(ctx, o)
	if err != nil {
		return err
	}
	ids, err := a.resolveForSnapshot(ctx, references)
	if err != nil {
		return err
	}
	return a.writing(ctx, o.lockWait, func(s store.Store) error {
		run, err := a.takeSnapshots(ctx, s, client, ids, o.deadline)
		if run.ID == 0 {
			return err
		}
		if printed := a.report(err != nil, func() error { return a.printRun(run) }); printed != nil {
			return printed
		}
		return err
	})
}

// confirmGone tells how to confirm that accounts which all disappeared were deleted.
const confirmGone = "if the accounts were really deleted, confirm it with --accept-gone"

func (a *app) newClient(ctx context.Context, o snapshotOptions) (*fetcher.Client, error) {
	token, err := a.token(ctx, o.tokenFile)
	if err != nil {
		return nil, err
	}
	client, err := fetcher.New(fetcher.Config{
		Token:       token,
		BaseURL:     a.env.variable("LOBSTR_API_BASE"),
		UserAgent:   userAgent(),
		Timeout:     o.timeout,
		Retries:     &o.retries,
		MaxWait:     o.maxWait,
		Concurrency: o.concurrency,
		AcceptGone:  o.acceptGone,
		ConfirmGone: "check the API key, --workspace and LOBSTR_API_BASE; " + confirmGone,
		Now:         a.env.now,
		Transport:   a.env.transport,
		Logger:      a.fetchLog,
	})
	if err != nil && !errors.Is(err, fetcher.ErrNoToken) {
		return nil, &usageError{err.Error(), "check LOBSTR_API_BASE and the API key"}
	}
	return client, err
}

// references are what the user named; nil means all accounts.
func (a *app) references(ctx context.Context, o snapshotOptions) ([]string, error) {
	if o.from == "" {
		return o.accounts, nil
	}
	raw, err := a.readInput(ctx, o.from, maxReferences)
	if err != nil {
		return nil, &usageError{"--from: " + err.Error(), "name a file of accounts, one a line, or - for standard input"}
	}
	named, err := readReferences(bytes.NewReader(plainText(raw)))
	if err != nil {
		return nil, fmt.Errorf("--from %s: %w", o.from, err)
	}
	if named = append(slices.Clone(o.accounts), named...); len(named) == 0 {
		return nil, usage("--from %s names no account\ntake all accounts by leaving --from out", o.from)
	}
	return named, nil
}

// maxReferences bounds a list of accounts: a million ids.
const maxReferences = 64 << 20

// readReferences reads one reference a line; blank lines and # comments are
// skipped.
func readReferences(in io.Reader) (references []string, err error) {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		references = append(references, line)
	}
	return references, lines.Err()
}

// finder looks a reference up among accounts.
type finder func(ctx context.Context, workspace, reference string) (store.Name, error)

// resolveForSnapshot returns the ids of the references, each once. The store is
// asked when there is one; without one only ids and aliases are known.
func (a *app) resolveForSnapshot(ctx context.Context, references []string) (ids []string, err error) {
	if len(references) == 0 {
		return nil, nil
	}
	var withheld map[string]bool
	find := func(context.Context, string, string) (store.Name, error) { return store.Name{}, store.ErrNotFound }
	s, err := a.openReader(ctx)
	switch {
	case err == nil:
		defer s.Close()
		find = func(ctx context.Context, workspace, reference string) (store.Name, error) {
			return s.FindAccount(ctx, workspace, reference, time.Time{})
		}
		if withheld, err = s.Withheld(ctx, a.workspace); err != nil {
			return nil, err
		}
	case !errors.Is(err, store.ErrNoStore) && !errors.Is(err, store.ErrOlder):
		return nil, err
	}
	seen := map[string]bool{}
	for _, reference := range references {
		id, err := a.snapshotID(ctx, reference, find)
		if err != nil {
			return nil, err
		}
		if withheld[id] {
			return nil, usage("account %s was redacted: nothing of it is stored any more", id)
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// snapshotID returns the id of an account, which the store need not know yet.
func (a *app) snapshotID(ctx context.Context, reference string, find finder) (string, error) {
	reference, err := a.withoutAlias(ctx, reference)
	if err != nil {
		return "", err
	}
	found, err := find(ctx, a.workspace, reference)
	if !errors.Is(err, store.ErrNotFound) {
		return found.ID, err
	}
	if id := strings.ToLower(reference); store.IsAccountID(id) {
		return id, nil
	}
	return "", usage("no account %q in workspace %q\n"+
		"\"lobstrail accounts --all\" lists them; one that the store does not know yet can be given by its id (32 hex digits)", reference, a.workspace)
}

// takeSnapshots runs the job, evaluates the alerts, tells of them, and returns the run as
// it is stored. The run is zero if it could not begin: then nothing is evaluated or told.
func (a *app) takeSnapshots(ctx context.Context, s store.Store, client *fetcher.Client, ids []string, deadline time.Duration) (store.Run, error) {
	bar := a.newProgress("snapshot", "accounts")
	defer bar.done()
	job := fetcher.Job{
		Client: client, Store: s, Workspace: a.workspace, Deadline: deadline, Progress: bar.show, Remarks: heldRemarks,
	}
	run, err := job.Snapshot(ctx, ids...)
	bar.done()
	if err = notWhole(err); run.ID > 0 {
		err = a.afterRun(ctx, s, client, run, err)
	}
	return run, err
}

// heldRemarks warns of a run whose instants had to be moved.
func heldRemarks(run store.Run) []string {
	if run.Held < notableHeld {
		return nil
	}
	return []string{heldWarning(run)}
}

// notWhole returns what the exit code of a run follows from: errIncomplete or
// errNothingStored for a run that did not get everything, else the error as it is.
func notWhole(err error) error {
	var ended *fetcher.RunError
	switch {
	case !errors.As(err, &ended):
		return err
	case ended.Run.State == store.Failed:
		return errNothingStored
	}
	return errIncomplete
}

// endRun ends a run, which err ended if it is not nil, and returns the run as it
// is stored; it is zero when that failed. The error is err; if that is nil and the
// run was not complete, it is that of notWhole.
func (a *app) endRun(ctx context.Context, s store.Store, writer store.RunWriter, outcome store.Outcome, err error) (store.Run, error) {
	if err != nil && ctx.Err() == nil { // so that --json and "runs" tell the reason too
		outcome.Warnings = append(outcome.Warnings, withoutSecrets(err.Error()))
	}
	run, ended := store.End(ctx, s, a.workspace, writer, outcome)
	if err = errors.Join(err, ended); err == nil && run.State != store.Complete {
		err = notWhole(&fetcher.RunError{Run: run})
	}
	return run, err
}

func (a *app) printRun(run store.Run) error {
	return a.printOne(report.NewRunJSON(run), runPairs(run), func() error { return a.printRunText(run) })
}
