package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/report/impact"
	"github.com/lobstrail/lobstrail/store"
)

type impactOptions struct {
	accounts []string
	squids   []string
	offline  bool
	exitCode bool
	client   snapshotOptions // its flags about the API
}

const impactHelp = `Say what would break if accounts were deleted, changed or re-synchronised, or
squids stopped: the squids that would have no working account of the right type
left, when they start next, the squids that they start in turn, and which
healthy accounts could be used instead. Several accounts and squids are checked
together.

It asks the API for launches, chains and the accounts of each squid. If the API
and the store differ, the answer says so and assumes the worse. Nothing is
changed. With --offline it reads only the store, without launches and chains.

Exit codes: 0 done; 1 the API cannot be reached, or the key is that of another
workspace; 2 wrong usage, no such account or squid, or an ambiguous name; 3 the
API did not answer everything, so more may break; 5 something would break and
--exit-code was given; 10 there is no store; 12 the key is missing or refused.`

func (a *app) newImpactCmd() *cobra.Command {
	var o impactOptions
	cmd := &cobra.Command{
		Use:   "impact [ACCOUNT...]",
		Short: "Say what would break if accounts were deleted or changed",
		Long:  impactHelp,
		Example: `  lobstrail impact trendwatch_eu --offline
  lobstrail impact claire.moreau tom.becker
  lobstrail impact --squid "X Mentions"
  lobstrail impact ines.carvalho --exit-code && lobstr accounts delete ...`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.accounts = args
			return a.runImpact(cmd.Context(), o)
		},
		ValidArgsFunction: a.completeAccounts(-1),
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.squids, "squid", nil, "what stopping this `SQUID` would break; may be repeated")
	flags.BoolVar(&o.offline, "offline", false, "read only the store: launches and chains are not known")
	flags.BoolVar(&o.exitCode, "exit-code", false, "exit with 5 when something would break")
	flags.StringVar(&o.client.tokenFile, "token-file", "", "read the API key from a `FILE`")
	flags.DurationVar(&o.client.deadline, "deadline", 2*time.Minute, "the longest time for all requests to the API")
	cmd.MarkFlagsMutuallyExclusive("offline", "token-file")
	cmd.MarkFlagsMutuallyExclusive("offline", "deadline")
	a.completeFlag(cmd, "squid", a.squidNames)
	return cmd
}

func (o *impactOptions) validate() error {
	switch {
	case len(o.accounts)+len(o.squids) == 0:
		return usage("lobstrail impact needs an ACCOUNT or --squid\n\"lobstrail accounts\" and \"lobstrail squids\" list them")
	case o.client.deadline <= 0:
		return usage("--deadline must be more than 0\nfor example --deadline 30s")
	}
	return nil
}

func (a *app) runImpact(ctx context.Context, o impactOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	if o.exitCode {
		a.exitCodeTells()
	}
	return a.reading(ctx, func(s store.Store) error {
		in, err := a.impactInput(ctx, s, o)
		if err != nil {
			return err
		}
		warning, err := a.warnStale(ctx, s, time.Time{})
		if err != nil {
			return err
		}
		result := impact.Of(in)
		if err := a.printImpact(result, warning); err != nil {
			return err
		}
		switch {
		case result.Breaks && o.exitCode:
			return errDifference
		case !result.Complete:
			return errIncomplete
		}
		return nil
	})
}

// impactInput reads what the store knows, and what the API says unless the user is
// offline.
func (a *app) impactInput(ctx context.Context, s store.Store, o impactOptions) (in impact.Input, err error) {
	in = impact.Input{Workspace: a.workspace, Live: !o.offline}
	if err := a.impactNames(ctx, s, o, &in); err != nil {
		return in, err
	}
	names, err := a.readNames(ctx, s)
	if err != nil {
		return in, err
	}
	for account, err := range s.Accounts(ctx, store.AccountQuery{Workspace: a.workspace}) {
		if err != nil {
			return in, err
		}
		account.Facts.Username = names.accounts.Of(account.Facts.Username, account.ID)
		in.Accounts = append(in.Accounts, account)
	}
	for squid, err := range s.Squids(ctx, a.workspace, time.Time{}) {
		if err != nil {
			return in, err
		}
		in.Squids = append(in.Squids, impact.Squid{ID: squid.ID, Name: names.squids.Of(squid.Name, squid.ID)})
	}
	if o.offline {
		return in, nil
	}
	return in, a.askImpact(ctx, o, &in)
}

// impactNames finds the accounts and squids that the user named.
func (a *app) impactNames(ctx context.Context, s store.Store, o impactOptions, in *impact.Input) error {
	redacted, err := s.Withheld(ctx, a.workspace)
	if err != nil {
		return err
	}
	for _, reference := range o.accounts {
		id, err := a.findAccount(ctx, s, reference, time.Time{})
		switch {
		case err != nil:
			return err
		case redacted[id]:
			return usage("account %s was redacted: nothing of it is stored any more", id)
		case !slices.Contains(in.Named, id):
			in.Named = append(in.Named, id)
		}
	}
	for _, reference := range o.squids {
		id, err := a.findSquid(ctx, s, reference, time.Time{})
		if err != nil {
			return err
		}
		if !slices.Contains(in.Stopped, id) {
			in.Stopped = append(in.Stopped, id)
		}
	}
	return nil
}

// askImpact adds what the API says.
func (a *app) askImpact(ctx context.Context, o impactOptions, in *impact.Input) error {
	o.client.timeout, o.client.maxWait = fetcher.DefaultTimeout, fetcher.DefaultMaxWait
	o.client.retries, o.client.concurrency = 2, fetcher.DefaultConcurrency
	client, err := a.newClient(ctx, o.client)
	if err == nil {
		defer client.CloseIdleConnections()
		err = a.askWithin(ctx, client, o.client.deadline, in)
	}
	var usage *usageError
	switch {
	case err == nil, ctx.Err() != nil, errors.As(err, &usage):
		return err
	case errors.Is(err, fetcher.ErrNoToken), errors.Is(err, fetcher.ErrKeyRefused):
		return &hintedError{err, nextStep(err) + "\n" + offlineHint}
	}
	return &hintedError{err, offlineHint}
}

const offlineHint = "--offline reads only the store, without launches and chains"
