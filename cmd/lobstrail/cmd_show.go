package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

type showOptions struct {
	at       timeFlag
	document bool
	icon     bool
}

func (a *app) newShowCmd() *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use:   "show ACCOUNT",
		Short: "Show everything known of one account, now or at a moment",
		Long: `Show what is known of one account: its health, its limits with the peak of the
last week, its last changes, and with --document the account object as the API
gave it. With --at, as it was last seen at or before that moment. JSON has the
account object always, and neither limits nor changes.

Exit codes: 0 done; 2 wrong usage, no such account, or an ambiguous name; 10
there is no store.`,
		Example: `  lobstrail show trendwatch_eu
  lobstrail show marco.rinaldi --at 7d
  lobstrail show trendwatch_eu --document
  lobstrail show trendwatch_eu --json | jq .document.params`,
		Args:              takes(1, 1, "an ACCOUNT", `"lobstrail accounts" lists them`),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.runShow(cmd.Context(), args[0], o) },
		ValidArgsFunction: a.completeAccounts(1),
	}
	cmd.Flags().Var(&o.at, "at", "as it was at a `TIME`")
	cmd.Flags().BoolVar(&o.document, "document", false, "with the account object as the API gave it")
	cmd.Flags().BoolVar(&o.icon, "icon", false, "with the account object and the icon in it")
	return cmd
}

func (a *app) runShow(ctx context.Context, reference string, o showOptions) error {
	at, err := o.at.time(a, a.env.now())
	if err != nil {
		return err
	}
	return a.readingPaged(ctx, func(s store.Store) error {
		id, err := a.findAccount(ctx, s, reference, at)
		if err != nil {
			return err
		}
		query := store.AccountQuery{Workspace: a.workspace, Account: id, At: at}
		account, err := a.accountAt(ctx, s, query)
		if err != nil {
			return err
		}
		if account.Document, err = s.Document(ctx, query, o.icon); err != nil {
			return err
		}
		if render.Format(a.format).ForPeople() {
			return a.printShow(ctx, s, account, o, at)
		}
		warning, err := a.warnStale(ctx, s, at)
		if err != nil {
			return err
		}
		value := report.NewShowJSON(account)
		value.Stale = warning != ""
		return a.printOne(value, showPairs(account), nil)
	})
}

// accountAt reads one account, or says that it was not known at the moment.
func (a *app) accountAt(ctx context.Context, s store.Store, q store.AccountQuery) (store.AccountState, error) {
	for account, err := range s.Accounts(ctx, q) {
		return account, err
	}
	if q.At.IsZero() {
		return store.AccountState{}, usage("account %s is not in the store\n\"lobstrail snapshot %s\" fetches it", q.Account, q.Account)
	}
	return store.AccountState{}, usage("account %s was not known at %s\nleave --at out to see it now",
		q.Account, render.Stamp(q.At))
}

func showPairs(account store.AccountState) []render.Pair {
	f := account.Facts
	pairs := []render.Pair{
		{Title: "Account", Key: "id", Value: render.TextCell(account.ID)},
		{Title: "Name", Key: "username", Value: render.TextCell(f.Username)},
		{Title: "Type", Key: "type", Value: render.TextCell(f.Type)},
		{Title: "Workspace", Key: "workspace", Value: render.TextCell(account.Workspace)},
		{Title: "Health", Key: "health", Value: render.HealthCell(f.Health)},
		{Title: "Health since", Value: render.WindowCell(account.HealthSince)},
		{Key: "health_since_after", Value: render.TimeCell(account.HealthSince.After)},
		{Key: "health_since_before", Value: render.TimeCell(account.HealthSince.Before)},
		{Title: "Status", Key: "status", Value: render.TextCell(f.Status)},
		{Title: "Status info", Key: "status_code_info", Value: render.TextCell(f.Info)},
		{Title: "Description", Key: "status_code_description", Value: render.TextCell(f.Description)},
		{Title: "Last sync", Key: "last_synchronization_time", Value: render.TextCell(f.LastSync)},
		{Title: "Squids", Key: "squids", Value: render.TextCell(squidsLine(f.Squids))},
		{Title: "First seen", Key: "first_seen_at", Value: render.TimeCell(account.FirstSeen)},
		{Title: "Seen", Key: "seen_at", Value: render.TimeCell(account.SeenAt)},
		{Title: "Unlisted since", Key: "unlisted_since", Value: render.TimeCell(account.UnlistedSince)},
		{Title: "Versions", Key: "versions", Value: render.IntCell(account.Versions)},
		{Title: "Document", Key: "document", Value: render.TextCell(string(account.Document))},
	}
	return pairs
}

func squidsLine(squids []store.Squid) string {
	names := make([]string, len(squids))
	for i, s := range squids {
		names[i] = fmt.Sprintf("%s (%s)", s.Name, shortID(s.ID))
	}
	return strings.Join(names, ", ")
}
