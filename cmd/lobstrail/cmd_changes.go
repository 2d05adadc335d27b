package main

import (
	"cmp"
	"context"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

type changesOptions struct {
	since, until   timeFlag
	account, squid string
	kinds, became  []string
	run, cursor    string
	exitCode       bool
	lockWait       time.Duration
}

func (a *app) newChangesCmd() *cobra.Command {
	var o changesOptions
	cmd := &cobra.Command{
		Use:   "changes",
		Short: "List what changed, and in which window of time",
		Long: `List what changed, oldest first: everything, or what was noticed after --since
and up to --until. A change happened after the first and at or before the second
instant of its window.

--cursor lists what the consumer of that name has not seen yet: what was noticed
by the runs that have ended since its last call. The store keeps the place only
when the whole answer is written, so the next call repeats one that failed, and
nothing is missed. The first call lists everything, or what was noticed after
--since, which later calls ignore. What other filters leave out counts as seen.

Exit codes: 0 done, also when nothing changed; 2 wrong usage; 5 something
changed and --exit-code asked to be told; 10 there is no store; 11 another
process writes to the store, so the cursor was not saved.`,
		Example: `  lobstrail changes --since 24h
  lobstrail changes --account trendwatch_eu --kind status,synced
  lobstrail changes --squid "X Mentions"
  lobstrail changes --run latest --became expired,failing
  lobstrail changes --cursor crm --format ndjson | ./push-to-crm
  lobstrail changes --since 7d --format ndjson | jq -r .kind | sort | uniq -c`,
		Args:              takes(0, 0, "", `"lobstrail changes --account ARGUMENT" lists those of one account`),
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runChanges(cmd.Context(), o) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.Var(&o.since, "since", "noticed after this `TIME`")
	flags.Var(&o.until, "until", "noticed up to this `TIME`; a date includes that day")
	flags.StringVar(&o.account, "account", "", "only of this `ACCOUNT`")
	flags.StringVar(&o.squid, "squid", "", "only assignments and names of this `SQUID`")
	flags.StringSliceVar(&o.kinds, "kind", nil, "only these kinds: "+kindNames())
	flags.StringSliceVar(&o.became, "became", nil, "only those with which the health became this: "+healthNames())
	flags.StringVar(&o.run, "run", "", `only those that this `+"`RUN`"+` noticed: its number, or "latest"`)
	flags.StringVar(&o.cursor, "cursor", "", "only what the consumer of this `NAME` has not seen yet")
	flags.DurationVar(&o.lockWait, "lock-wait", time.Minute, "how long to wait for another writer, to save the cursor")
	flags.BoolVar(&o.exitCode, "exit-code", false, "exit with 5 when something changed")
	a.completeFlag(cmd, "account", a.accountNames)
	a.completeFlag(cmd, "squid", a.squidNames)
	completeWords(cmd, "kind", store.Kinds)
	completeWords(cmd, "became", store.Healths)
	completeWords(cmd, "run", []string{latestRun})
	cmd.MarkFlagsMutuallyExclusive("cursor", "run")
	cmd.MarkFlagsMutuallyExclusive("cursor", "until")
	return coversWorkspaces(cmd)
}

func kindNames() string {
	var names []string
	for _, k := range store.Kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

func (a *app) changeQuery(ctx context.Context, s store.Store, o changesOptions) (q store.ChangeQuery, err error) {
	now := a.env.now()
	q.Workspace = a.workspace
	if q.Kinds, err = knownWords("kind of change", o.kinds, store.Kinds); err != nil {
		return q, err
	}
	if q.Became, err = knownWords("health", o.became, store.Healths); err != nil {
		return q, err
	}
	if q.Since, err = o.since.time(a, now); err != nil {
		return q, err
	}
	if q.Until, err = o.until.until(a, now); err != nil {
		return q, err
	}
	if !q.Until.IsZero() && q.Until.Before(q.Since) {
		return q, usage("--until is before --since\n%s", timeHint)
	}
	if q.Account, err = a.optionalAccount(ctx, s, o.account, time.Time{}); err != nil {
		return q, err
	}
	if q.Squid, err = a.optionalSquid(ctx, s, o.squid, time.Time{}); err != nil || o.run == "" {
		return q, err
	}
	q.Run, err = a.runNamed(ctx, s, o.run)
	return q, err
}

func (a *app) runChanges(ctx context.Context, o changesOptions) error {
	if o.run != "" && !strings.EqualFold(o.run, latestRun) {
		if err := a.oneWorkspace("the number of a run"); err != nil {
			return err
		}
	}
	switch {
	case o.cursor != "":
		if err := a.oneWorkspace("--cursor"); err != nil {
			return err
		}
		return a.changesSince(ctx, o)
	case o.exitCode:
		a.exitCodeTells()
	}
	return a.listChanges(ctx, o, func(store.Store, *store.ChangeQuery) error { return nil })
}

// listChanges lists what the options ask for; narrow may change what is read.
func (a *app) listChanges(ctx context.Context, o changesOptions, narrow func(store.Store, *store.ChangeQuery) error) error {
	return a.readingPaged(ctx, func(s store.Store) error {
		out, n, rows := a.listAll(changeColumns...), 0, 0
		err := a.eachWorkspace(ctx, s, out, func() error {
			q, err := a.changeQuery(ctx, s, o)
			if err == nil {
				err = narrow(s, &q)
			}
			if err != nil {
				return err
			}
			moreChanges, moreRows, err := a.writeChanges(ctx, s, out, s.Changes(ctx, q))
			n, rows = n+moreChanges, rows+moreRows
			return err
		})
		if err != nil {
			return err
		}
		footer := "Nothing changed."
		if n > 0 {
			footer = changeCount(n, rows, "change") + ". " + a.zoneNote()
		}
		if err := out.Close(footer); err != nil {
			return err
		}
		if o.exitCode && n > 0 {
			return errDifference
		}
		return nil
	})
}

// changeColumns are those of changes and differences.
var changeColumns = []render.Column{
	{Title: "When"},
	{Key: "account"},
	{Title: "Account", Key: "username", Flexible: 2},
	{Title: "Kind", Key: "kind", Drop: 1},
	{Title: "Change", Flexible: 1, Least: 24},
	{Key: "path"},
	{Key: "old"},
	{Key: "new"},
	{Key: "health_before"},
	{Key: "health_after"},
	{Key: "after"},
	{Key: "before"},
	{Title: "Run", Key: "run", Right: true, Drop: 2},
}

// writeChanges writes changes as rows and returns how many of both there were.
func (a *app) writeChanges(ctx context.Context, s store.Store, out *render.Writer, changes iter.Seq2[store.AccountChange, error]) (n, rows int, err error) {
	names, err := a.readNames(ctx, s)
	if err != nil {
		return 0, 0, err
	}
	for row, err := range a.changeRows(changes) {
		if err != nil {
			return n, rows, err
		}
		n, rows = n+len(row), rows+1
		row[0].Username = names.accounts.Of(row[0].Username, row[0].Account)
		err := out.Lazy(
			func() any { return report.NewChangeJSON(row[0]) },
			func() []render.Cell { return a.changeCells(row) })
		if err != nil {
			return n, rows, err
		}
	}
	return n, rows, nil
}

// changeCount says how many changes there were, and how many rows where that is
// another number.
func changeCount(n, rows int, noun string) string {
	if n == rows {
		return render.Count(n, noun)
	}
	return render.Count(n, noun) + " in " + render.Count(rows, "row")
}

func (a *app) changeCells(row changeRow) []render.Cell {
	c := row[0]
	text := render.TextCell(row.text(a.env.zone))
	if c.HealthAfter != "" {
		text = text.In(c.HealthAfter)
	}
	return []render.Cell{
		render.WindowCell(c.Window),
		render.TextCell(c.Account),
		render.TextCell(nameOf(c.Username, c.Account)).Exact(c.Username),
		render.TextCell(string(c.Kind)),
		text,
		render.TextCell(c.Path),
		render.TextCell(plainValue(c.Old)),
		render.TextCell(plainValue(c.New)),
		render.TextCell(string(c.HealthBefore)),
		render.TextCell(string(c.HealthAfter)),
		render.TimeCell(c.Window.After),
		render.TimeCell(c.Window.Before),
		render.IntCell(c.Run),
	}
}

// nameOf is what people call an account: its username, or its short id.
func nameOf(username, id string) string { return cmp.Or(username, shortID(id)) }
