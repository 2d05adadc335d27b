package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

type checkOptions struct {
	fresh      time.Duration
	squids     []string
	minHealthy int
	maxDown    *report.MaxDown // nil: any number
	noOpen     []string
}

const checkHelp = `Check for a script whether all is well: print "OK" and exit with 0, or print one
line for each reason why not and exit with 5. It only reads the store.

Without a threshold, no alert may be open. Silenced alerts do not count. With
thresholds, only those count, and the age of the newest complete run.

There must always be a complete run over all accounts that is not too old. The
limit is --fresh, else the rule "stale" of the configuration, else twice the
configured or usual interval, else a day.

--squid requires one healthy account of each squid named, or as many as
--min-healthy says. Without --squid, --min-healthy applies to the workspace.
--max-down counts accounts that are expired or failing. --no-open takes the
conditions of "lobstrail help config". Short forms are expired, failing, gone,
locked and any.

With --quiet there is no output when all is well, and the reasons go to stderr.

Exit codes: 0 all is well; 2 wrong usage, an unknown squid or condition; 5 there
are reasons; 10 there is no store.`

func (a *app) newCheckCmd() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Compare the current state with thresholds, for scripts",
		Long:  checkHelp,
		Example: `  lobstrail check --fresh 30m
  lobstrail check --squid "X Mentions" --min-healthy 2 && lobstr run ...
  lobstrail check --no-open expired,gone --max-down 10%
  lobstrail check --quiet --workspace '*'`,
		Args:              takes(0, 0, "", `"lobstrail check --squid ARGUMENT" checks a squid`),
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.runCheck(cmd.Context(), cmd, o) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.Var(parsedFlag(&o.fresh, "SPAN", parseFresh), "fresh", "the newest complete run must be no older than this `SPAN`, such as 30m")
	flags.StringArrayVar(&o.squids, "squid", nil, "this `SQUID` needs healthy accounts; may be repeated")
	flags.Var(parsedFlag(&o.minHealthy, "NUMBER", parseLeast), "min-healthy", "the `NUMBER` of accounts that must be healthy")
	flags.Var(parsedFlag(&o.maxDown, "NUMBER", parseMaxDown), "max-down", "the most accounts that may be expired or failing: a `NUMBER`, or a percentage such as 10%")
	flags.StringSliceVar(&o.noOpen, "no-open", nil, "no alert of these conditions may be open")
	a.completeFlag(cmd, "squid", a.squidNames)
	completeWords(cmd, "no-open", openWords())
	return coversWorkspaces(cmd)
}

// shortConditions are other words for conditions.
var shortConditions = map[store.Condition]store.Condition{
	"expired": store.AccountExpired, "failing": store.AccountFailing, "gone": store.AccountGone, "locked": store.AccountLocked,
}

// anyCondition stands for all conditions.
const anyCondition store.Condition = "any"

// openWords are the words that --no-open knows.
func openWords() []store.Condition {
	return append(append(slices.Clone(store.Conditions), slices.Sorted(maps.Keys(shortConditions))...), anyCondition)
}

// conditions are the conditions that were given in words.
func (o checkOptions) conditions() (conditions []store.Condition, err error) {
	words, err := knownWords("condition", o.noOpen, openWords())
	for _, word := range words {
		if word == anyCondition {
			return store.Conditions, err
		}
		conditions = append(conditions, cmp.Or(shortConditions[word], word))
	}
	return conditions, err
}

func (a *app) runCheck(ctx context.Context, cmd *cobra.Command, o checkOptions) error {
	conditions, err := o.conditions()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc([]string{"fresh", "squid", "min-healthy", "max-down", "no-open"}, cmd.Flags().Changed) {
		conditions = store.Conditions
	}
	if a.workspace == allWorkspaces && len(o.squids) > 0 {
		return usage("--squid is about one workspace, and --workspace '*' stands for all\nname the workspace of the squid")
	}
	return a.readingAll(ctx, func(s store.Store) error {
		answer := checkedJSON{At: report.Time{Time: a.env.now()}, Reasons: []report.ReasonJSON{}}
		if answer.Workspaces, err = a.checkedWorkspaces(ctx, s); err != nil {
			return err
		}
		var seen []report.Overview
		for _, name := range answer.Workspaces {
			err := a.inWorkspace(name, func() error {
				now, reasons, err := a.checkOne(ctx, s, o, conditions)
				seen = append(seen, now)
				answer.Reasons = append(answer.Reasons, reasons...)
				return err
			})
			if err != nil {
				return err
			}
		}
		answer.OK = len(answer.Reasons) == 0 && len(seen) > 0
		if err := a.report(!answer.OK, func() error { return a.printCheck(answer, seen) }); err != nil || answer.OK {
			return err
		}
		if a.workspace != allWorkspaces {
			if err := a.noteUnknownWorkspace(ctx, s); err != nil {
				return err
			}
		}
		return errDifference
	})
}
