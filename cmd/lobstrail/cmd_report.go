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

// defaultPeriod is how far back a report goes.
const defaultPeriod = 7 * 24 * time.Hour

type reportOptions struct {
	since, until timeFlag
	section      string
	output       string
	summary      bool
}

// sectionNames are the sections that can be asked for alone.
var sectionNames = []string{"status", "squids", "limits", "changes", "runs"}

func (a *app) newReportCmd() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report [status|squids|limits|changes|runs]",
		Short: "The status-change report of a period",
		Long: `Report a period, the last 7 days if nothing else is said: which accounts
changed their status and when, how long each was in each health, which squids
used which account, how much of each limit was used, every change, and the runs.
One section can be asked for alone. For people the whole report leaves out what
stayed as it was (accounts that were healthy, assignments that lasted, limits
that were not nearly used up) and the lists of changes and runs. A section
alone, JSON and the page have everything.

The format html is one self-contained page with pictures, to be read in a
browser or sent along; svg is its timeline alone.

A change happened somewhere within a window, so time in a health is given as at
least ... at most. Time in which nobody looked is counted apart; all of it adds
up to the period.

--summary is ten lines for a chat or a manager: the numbers of the period, and
in brackets those of the period of the same length before it. The format slack
is the summary in Slack's mrkdwn.

CSV and NDJSON hold one section: name it. Of status, they have the changes, the
time of each account in each health, and the accounts to re-synchronise, which
the column "section" tells apart. -o writes a file, whole or not at all; the
format is that of its name (.html, .svg, .csv, .md, .json, .ndjson) if no other
is given.

Exit codes: 0 done; 2 wrong usage; 10 there is no store.`,
		Example: `  lobstrail report
  lobstrail report status --since 2w
  lobstrail report --summary --format markdown
  lobstrail report --format slack --since 7d
  lobstrail report --since 10d --until 3d --format markdown
  lobstrail report -o report.html
  lobstrail report limits -o limits.csv`,
		Args:      takes(0, 1, "one section", ""),
		ValidArgs: sectionNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			sections, err := knownWords("section of the report", args, sectionNames)
			if err != nil {
				return err
			}
			o.section = strings.Join(sections, "") // one, or none
			return a.runReport(cmd.Context(), o)
		},
	}
	cmd.Flags().Var(&o.since, "since", "from this `TIME` on (default 7d)")
	cmd.Flags().Var(&o.until, "until", "up to this `TIME`; a date includes that day (default now)")
	cmd.Flags().BoolVar(&o.summary, "summary", false, "ten lines, with the numbers of the period before")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "write to this `FILE` instead of stdout")
	return coversWorkspaces(cmd)
}

// period is what the report is about.
func (a *app) period(o reportOptions) (since, until time.Time, err error) {
	now := a.env.now()
	if until, err = o.until.until(a, now); err != nil {
		return since, until, err
	}
	if until.IsZero() {
		until = now.UTC().Truncate(time.Millisecond)
	}
	if since, err = o.since.time(a, now); err != nil {
		return since, until, err
	}
	if since.IsZero() {
		since = until.Add(-defaultPeriod)
	}
	if !since.Before(until) {
		return since, until, usage("--since is not before --until\n%s", timeHint)
	}
	return since, until, nil
}

func (a *app) runReport(ctx context.Context, o reportOptions) error {
	if err := a.formatByName(o.output); err != nil {
		return err
	}
	if err := a.validateReportOfAll(); err != nil {
		return err
	}
	since, until, err := a.period(o)
	if err != nil {
		return err
	}
	o.summary = o.summary || a.format == string(render.Slack)
	if o.summary {
		if err := a.validateSummary(o); err != nil {
			return err
		}
	}
	format := render.Format(a.format)
	if o.section == "" && !o.summary && (format == render.CSV || format == render.NDJSON) {
		return usage("a report in %s holds one section\nname it: lobstrail report %s --format %s", format,
			strings.Join(sectionNames, "|"), format)
	}
	if format == render.SVG && o.section != "" && o.section != "status" {
		return usage("the picture is of healthy and expired accounts, not of %[1]s\ntry: lobstrail report %[1]s --format csv, or --format html", o.section)
	}
	return a.writingTo(o.output, func() error {
		return a.readingPaged(ctx, func(s store.Store) error {
			if o.summary {
				return a.runSummary(ctx, s, since, until)
			}
			if a.workspace == allWorkspaces {
				return a.reportAll(ctx, s, o.section, since, until)
			}
			in, err := a.reportInput(ctx, s, a.wanted(o.section), a.overview(o.section), since, until)
			if err != nil {
				return err
			}
			return a.printReport(in, report.Build(in), o.section)
		})
	})
}

// wanted are the sections of a report: the one named, else all, and for an overview
// those that have something to leave out.
func (a *app) wanted(section string) report.Sections {
	if section == "" {
		all := !a.overview(section)
		return report.Sections{Status: true, Squids: true, Limits: true, Changes: all, Runs: all}
	}
	return report.Sections{
		Status: section == "status", Squids: section == "squids", Limits: section == "limits",
		Changes: section == "changes", Runs: section == "runs",
	}
}

// overview reports whether people are to read of all sections what happened, and
// not what stayed as it was.
func (a *app) overview(section string) bool {
	format := render.Format(a.format)
	return section == "" && (format == render.Table || format == render.Markdown)
}

// reportInput reads what the wanted sections are made of, with names that tell accounts
// and squids apart; of an overview only what happened.
func (a *app) reportInput(ctx context.Context, s store.Store, wanted report.Sections, overview bool, since, until time.Time) (report.Input, error) {
	in, err := report.ReadInput(ctx, s, report.Query{
		Workspace: a.workspace, Since: since, Until: until, Sections: wanted, Overview: overview,
		Latest: a.env.now().Sub(until) <= time.Second, Icons: render.Format(a.format) == render.HTML,
	})
	if err != nil {
		return in, err
	}
	names, err := a.readNames(ctx, s)
	return in.Distinguish(names.accounts, names.squids), err
}
