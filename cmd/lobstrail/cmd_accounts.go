package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

type accountsOptions struct {
	at      timeFlag
	healths []string
	types   []string
	squid   string
	all     bool
}

func (a *app) newAccountsCmd() *cobra.Command {
	var o accountsOptions
	cmd := &cobra.Command{
		Use:   "accounts",
		Short: "List accounts and their health, now or at a moment",
		Long: `List the accounts of the workspace with their health, as last seen or as they
were at a moment of the past. Accounts that are gone are hidden without --all.

Health is gone (deleted), expired (status 401 or 429, or the cookies expired:
re-synchronise it), failing (any other status than 200), unknown (no status, or
a synchronisation is under way), locked (clears by itself) or healthy.

The column of the last 14 days has the worst health of each day: a point is
healthy, E expired, F failing, L locked, U unknown and G gone. A small letter
says that it may have been so; a blank, that nobody looked.

Exit codes: 0 done; 2 wrong usage; 10 there is no store.`,
		Example: `  lobstrail accounts
  lobstrail accounts --health expired,failing
  lobstrail accounts --at 3d --squid "X Mentions"
  lobstrail accounts --json | jq -r '.[] | select(.health != "healthy") | .username'`,
		Args:              takes(0, 0, "", `"lobstrail show ARGUMENT" shows one account`),
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runAccounts(cmd.Context(), o) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.Var(&o.at, "at", "as it was at a `TIME`")
	flags.StringSliceVar(&o.healths, "health", nil, "only these healths: "+healthNames())
	flags.StringSliceVar(&o.types, "type", nil, "only these account types, such as twitter-sync")
	flags.StringVar(&o.squid, "squid", "", "only accounts that this `SQUID` uses")
	flags.BoolVar(&o.all, "all", false, "show gone accounts too")
	a.completeFlag(cmd, "squid", a.squidNames)
	completeWords(cmd, "health", store.Healths)
	return coversWorkspaces(cmd)
}

func healthNames() string {
	var names []string
	for _, h := range store.Healths {
		names = append(names, string(h))
	}
	return strings.Join(names, ", ")
}

// accountFilter says which accounts are shown; an empty list or text is no filter.
type accountFilter struct {
	healths []store.Health
	types   []string
	squid   string // its id
	all     bool
}

// accountFilter finds the types and the squid in the store. A value that can match
// nothing is wrong usage.
func (a *app) accountFilter(ctx context.Context, s store.Store, o accountsOptions, healths []store.Health, at time.Time) (accountFilter, error) {
	f := accountFilter{healths: healths, all: o.all}
	if len(o.types) > 0 {
		known, err := a.accountTypes(ctx, s)
		if err != nil {
			return f, err
		}
		if f.types, err = knownWords("account type", o.types, known); err != nil {
			return f, err
		}
	}
	var err error
	f.squid, err = a.optionalSquid(ctx, s, o.squid, at)
	return f, err
}

// accountTypes are the types of all accounts of the workspace, sorted.
func (a *app) accountTypes(ctx context.Context, s store.Store) ([]string, error) {
	types := map[string]bool{}
	for account, err := range s.Accounts(ctx, store.AccountQuery{Workspace: a.workspace}) {
		if err != nil {
			return nil, err
		}
		if account.Facts.Type != "" {
			types[account.Facts.Type] = true
		}
	}
	return slices.Sorted(maps.Keys(types)), nil
}

// keep reports whether an account is to be shown, and whether it is hidden only
// because it is gone.
func (f accountFilter) keep(account store.AccountState) (show, hidden bool) {
	facts := account.Facts
	uses := func(s store.Squid) bool { return s.ID == f.squid }
	if len(f.types) > 0 && !slices.Contains(f.types, facts.Type) ||
		f.squid != "" && !slices.ContainsFunc(facts.Squids, uses) ||
		len(f.healths) > 0 && !slices.Contains(f.healths, facts.Health) {
		return false, false
	}
	if facts.Health == store.Gone && !f.all && !slices.Contains(f.healths, facts.Health) {
		return false, true
	}
	return true, false
}

func (a *app) runAccounts(ctx context.Context, o accountsOptions) error {
	at, err := o.at.time(a, a.env.now())
	if err != nil {
		return err
	}
	healths, err := knownWords("health", o.healths, store.Healths)
	if err != nil {
		return err
	}
	return a.readingPaged(ctx, func(s store.Store) error {
		warning, err := a.perWorkspace(ctx, s, func() (string, error) { return a.warnStale(ctx, s, at) })
		if err != nil {
			return err
		}
		out := a.listAll(accountColumns(a.newFortnight(at))...)
		out.Lead(warning)
		shown, gone := 0, 0
		err = a.eachWorkspace(ctx, s, out, func() error {
			filter, err := a.accountFilter(ctx, s, o, healths, at)
			if err != nil {
				return err
			}
			more, moreGone, err := a.writeAccounts(ctx, s, out, filter, at)
			shown, gone = shown+more, gone+moreGone
			return err
		})
		if err != nil {
			return err
		}
		footer := render.Count(shown, "account")
		if gone > 0 {
			footer += fmt.Sprintf(", %d gone hidden (--all shows them)", gone)
			a.noteHidden(gone)
		}
		return out.Close(footer + ". " + a.zoneNote())
	})
}

// writeAccounts writes the accounts of the workspace that the filter keeps. It returns how
// many there were, and how many were hidden only because they are gone.
func (a *app) writeAccounts(ctx context.Context, s store.Store, out *render.Writer, filter accountFilter, at time.Time) (shown, gone int, err error) {
	past, err := a.lastFortnight(ctx, s, at)
	if err != nil {
		return 0, 0, err
	}
	freshness, err := a.readFreshness(ctx, s, at)
	if err != nil {
		return 0, 0, err
	}
	names, err := a.readNames(ctx, s)
	if err != nil {
		return 0, 0, err
	}
	var account store.AccountState // one place for all: there may be tens of thousands
	value := func() any {
		row := report.NewAccountJSON(account)
		row.Stale = freshness != nil && freshness.Stale
		return row
	}
	cells := func() []render.Cell { return accountCells(account, past) }
	for state, err := range s.Accounts(ctx, store.AccountQuery{Workspace: a.workspace, At: at}) {
		if err != nil {
			return shown, gone, err
		}
		account = state
		account.Facts.Username = names.accounts.Of(state.Facts.Username, state.ID)
		show, hidden := filter.keep(account)
		if hidden {
			gone++
		}
		if !show {
			continue
		}
		shown++
		if err := out.Lazy(value, cells); err != nil {
			return shown, gone, err
		}
	}
	return shown, gone, nil
}

// noteHidden says on stderr what a format without a footer cannot say.
func (a *app) noteHidden(gone int) {
	if !render.Format(a.format).ForPeople() {
		a.note("note: %s gone hidden; --all shows them", render.Count(gone, "account"))
	}
}

// accountColumns are those of the list.
func accountColumns(past *fortnight) []render.Column {
	return []render.Column{
		{Title: "Account", Key: "id", Drop: 3},
		{Title: "Name", Key: "username", Flexible: 1},
		{Title: "Type", Key: "type", Flexible: 2, Drop: 6},
		{Title: "Health", Key: "health"},
		{Title: past.title(), Drop: 4},
		{Title: "Since", Drop: 1},
		{Title: "Status", Key: "status", Flexible: 2, Least: 8, Drop: 2},
		{Key: "status_code_info"},
		{Key: "status_code_description"},
		{Key: "last_synchronization_time"},
		{Title: "Squids", Key: "squids", Right: true, Drop: 5},
		{Key: "health_since_after"},
		{Key: "health_since_before"},
		{Title: "Seen", Key: "seen_at", Drop: 7},
		{Key: "unlisted_since"},
	}
}

func accountCells(account store.AccountState, past *fortnight) []render.Cell {
	f := account.Facts
	status := f.Status
	if f.Info != "" && f.Info != "synchronized" {
		status += " " + f.Info
	}
	if !account.UnlistedSince.IsZero() && f.Health != store.Gone {
		status += " (unlisted)"
	}
	since := account.HealthSince
	return []render.Cell{
		render.TextCell(shortID(account.ID)).Exact(account.ID),
		render.TextCell(f.Username),
		render.TextCell(f.Type),
		render.HealthCell(f.Health),
		render.StripCell(past.sparkline(account)),
		render.TimeCell(since.Before),
		render.TextCell(status).Exact(f.Status),
		render.TextCell(f.Info),
		render.TextCell(f.Description),
		render.TextCell(f.LastSync),
		render.IntCell(len(f.Squids)),
		render.TimeCell(since.After),
		render.TimeCell(since.Before),
		render.TimeCell(account.SeenAt),
		render.TimeCell(account.UnlistedSince),
	}
}

// shortID is the beginning of an id, for tables: a prefix names an account too.
func shortID(id string) string { return report.ShortID(id) }
