package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

type squidsOptions struct {
	at      timeFlag
	history bool
}

func (a *app) newSquidsCmd() *cobra.Command {
	var o squidsOptions
	cmd := &cobra.Command{
		Use:   "squids [SQUID]",
		Short: "List which accounts a squid uses, now, at a moment, or over time",
		Long: `List the squids and the accounts that each uses, as the accounts' own documents
say: now, at a moment with --at, or with --history every assignment there ever
was, each with the windows in which it began and ended.

Exit codes: 0 done; 2 wrong usage, no such squid, or an ambiguous name; 10 there
is no store.`,
		Example: `  lobstrail squids
  lobstrail squids "X Mentions" --history
  lobstrail squids --at 2w --json | jq '.[] | select(.accounts == [])'`,
		Args: takes(0, 1, "one SQUID", ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			reference := ""
			if len(args) == 1 {
				reference = args[0]
			}
			return a.runSquids(cmd.Context(), reference, o)
		},
		ValidArgsFunction: a.completeArgs(1, a.squidNames),
	}
	cmd.Flags().Var(&o.at, "at", "as it was at a `TIME`")
	cmd.Flags().BoolVar(&o.history, "history", false, "every assignment, with the windows of its beginning and end")
	cmd.MarkFlagsMutuallyExclusive("at", "history")
	return coversWorkspaces(cmd)
}

func (a *app) runSquids(ctx context.Context, reference string, o squidsOptions) error {
	at, err := o.at.time(a, a.env.now())
	if err != nil {
		return err
	}
	return a.readingPaged(ctx, func(s store.Store) error {
		if o.history {
			return a.listAssignments(ctx, s, reference, at)
		}
		return a.listSquids(ctx, s, reference, at)
	})
}

// listSquids shows each squid with the accounts it uses. One that no account
// names any more is shown without accounts: that may be an assignment lost.
func (a *app) listSquids(ctx context.Context, s store.Store, reference string, at time.Time) error {
	warning, err := a.perWorkspace(ctx, s, func() (string, error) { return a.warnStale(ctx, s, at) })
	if err != nil {
		return err
	}
	out, n := a.listAll(squidFields(report.SquidJSON{})...), 0
	out.Lead(warning)
	err = a.eachWorkspace(ctx, s, out, func() error {
		squid, err := a.optionalSquid(ctx, s, reference, at)
		if err != nil {
			return err
		}
		q := store.AssignmentQuery{Workspace: a.workspace, Squid: squid, At: at, Open: at.IsZero()}
		more, err := a.writeSquids(ctx, s, out, q)
		n += more
		return err
	})
	if err != nil {
		return err
	}
	return out.Close(render.Count(n, "squid") + ".")
}

// writeSquids writes the squids of the workspace as rows, and returns how many there were.
func (a *app) writeSquids(ctx context.Context, s store.Store, out *render.Writer, q store.AssignmentQuery) (n int, err error) {
	names, err := a.readNames(ctx, s)
	if err != nil {
		return n, err
	}
	uses := map[string][]store.Assignment{}
	for use, err := range s.Assignments(ctx, q) {
		if err != nil {
			return n, err
		}
		uses[use.Squid] = append(uses[use.Squid], names.assignment(use))
	}
	for squid, err := range s.Squids(ctx, a.workspace, q.At) {
		if err != nil {
			return n, err
		}
		if q.Squid != "" && squid.ID != q.Squid {
			continue
		}
		n++
		squid.Name = names.squids.Of(squid.Name, squid.ID)
		row := report.NewSquidJSON(squid, uses[squid.ID])
		if err := out.Lazy(func() any { return row }, func() []render.Cell { return render.Values(squidFields(row)) }); err != nil {
			return n, err
		}
	}
	return n, nil
}

// squidFields are the columns of the list of squids, with the values of one.
func squidFields(squid report.SquidJSON) []render.Column {
	healthy := squid.Healthy()
	worst := store.Healthy
	if healthy == 0 {
		worst = store.Expired
	}
	return []render.Column{
		{Title: "Squid", Key: "id", Drop: 1, Value: render.TextCell(shortID(squid.ID)).Exact(squid.ID)},
		{Title: "Name", Key: "name", Flexible: 1, Value: render.TextCell(string(squid.Name))},
		{Title: "Healthy", Key: "healthy_accounts", Right: true, Value: render.IntCell(healthy).In(worst)},
		{Title: "Accounts", Key: "accounts", Flexible: 2, Least: 24, Value: render.TextCell(accountNames(squid))},
	}
}

// accountNames are the names of the accounts of a squid, each with its health unless it is
// healthy.
func accountNames(squid report.SquidJSON) string {
	names := make([]string, len(squid.Accounts))
	for i, account := range squid.Accounts {
		names[i] = nameOf(string(account.Username), account.ID)
		if account.Health != store.Healthy {
			names[i] += " (" + string(account.Health) + ")"
		}
	}
	return strings.Join(names, ", ")
}

func (a *app) listAssignments(ctx context.Context, s store.Store, reference string, at time.Time) error {
	out, n := a.listAll(assignmentFields(store.Assignment{})...), 0
	err := a.eachWorkspace(ctx, s, out, func() error {
		squid, err := a.optionalSquid(ctx, s, reference, at)
		if err != nil {
			return err
		}
		more, err := a.writeAssignments(ctx, s, out, squid)
		n += more
		return err
	})
	if err != nil {
		return err
	}
	return out.Close(render.Count(n, "assignment") + ". " + a.zoneNote())
}

// writeAssignments writes every assignment of the squid, or of all squids of the
// workspace, as rows, and returns how many there were.
func (a *app) writeAssignments(ctx context.Context, s store.Store, out *render.Writer, squid string) (n int, err error) {
	names, err := a.readNames(ctx, s)
	if err != nil {
		return n, err
	}
	for use, err := range s.Assignments(ctx, store.AssignmentQuery{Workspace: a.workspace, Squid: squid}) {
		if err != nil {
			return n, err
		}
		n++
		use = names.assignment(use)
		err := out.Lazy(func() any { return report.NewAssignmentJSON(use) }, func() []render.Cell { return render.Values(assignmentFields(use)) })
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// assignmentFields are the columns of the list of assignments, with the values of one.
func assignmentFields(use store.Assignment) []render.Column {
	to, end := render.TextCell("still"), store.Window{}
	if use.To != nil {
		end = *use.To
		to = render.WindowCell(end)
	}
	return []render.Column{
		{Key: "squid", Value: render.TextCell(use.Squid)},
		{Title: "Squid", Key: "squid_name", Flexible: 1, Value: render.TextCell(nameOf(use.SquidName, use.Squid)).Exact(use.SquidName)},
		{Key: "account", Value: render.TextCell(use.Account)},
		{Title: "Account", Key: "username", Flexible: 2, Value: render.TextCell(nameOf(use.Username, use.Account)).Exact(use.Username)},
		{Title: "From", Value: render.WindowCell(use.From)},
		{Title: "To", Value: to},
		{Key: "from_after", Value: render.TimeCell(use.From.After)},
		{Key: "from_before", Value: render.TimeCell(use.From.Before)},
		{Key: "to_after", Value: render.TimeCell(end.After)},
		{Key: "to_before", Value: render.TimeCell(end.Before)},
	}
}
