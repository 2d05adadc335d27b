package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// checkedJSON is the answer of check.
type checkedJSON struct {
	OK         bool                `json:"ok"`
	At         report.Time         `json:"at"`
	Workspaces []string            `json:"workspaces"` // that were checked
	Reasons    []report.ReasonJSON `json:"reasons"`    // none if and only if it is ok
}

// freshWithout is how old the newest complete run may be where nothing says how often there
// should be one.
const freshWithout = 24 * time.Hour

// checkedWorkspaces are the workspaces to check: of all, those of the store and those of the
// configuration, which may have no history and are not well then.
func (a *app) checkedWorkspaces(ctx context.Context, s store.Store) ([]string, error) {
	if a.workspace != allWorkspaces {
		return []string{a.workspace}, nil
	}
	c, err := a.config(ctx)
	if err != nil {
		return nil, err
	}
	names, err := s.Workspaces(ctx)
	names = slices.AppendSeq(names, maps.Keys(c.Workspaces))
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		names = []string{config.DefaultWorkspace}
	}
	return names, err
}

// checkOne checks the workspace that is chosen.
func (a *app) checkOne(ctx context.Context, s store.Store, o checkOptions, noOpen []store.Condition) (report.Overview, []report.ReasonJSON, error) {
	t := report.Thresholds{FreshFor: o.fresh, MinHealthy: o.minHealthy, MaxDown: o.maxDown, NoOpen: noOpen}
	if len(o.squids) > 0 {
		t.MinHealthy = max(t.MinHealthy, 1)
	}
	for _, reference := range o.squids {
		id, err := a.findSquid(ctx, s, reference, time.Time{})
		if err != nil {
			return report.Overview{}, nil, err
		}
		t.Squids = append(t.Squids, id)
	}
	rules, err := a.rulesOf(ctx, a.workspace)
	if err != nil {
		return report.Overview{}, nil, err
	}
	now, err := a.readOverview(ctx, s)
	t.FreshFor = cmp.Or(t.FreshFor, rules.StaleAfter(now.Complete), freshWithout)
	return now, report.Check(now, t), err
}

// printCheck writes OK, or a line for each reason.
func (a *app) printCheck(c checkedJSON, seen []report.Overview) error {
	switch format := render.Format(a.format); format {
	case render.JSON, render.NDJSON:
		return render.Object(a.env.stdout, a.options(), c)
	case render.CSV:
		return a.reasonRows(c.Reasons)
	}
	if c.OK {
		return a.printLine(okText(seen))
	}
	for _, reason := range c.Reasons {
		text := reason.Message
		if len(c.Workspaces) > 1 {
			text = reason.Workspace + ": " + text
		}
		if err := a.printLine("NOT OK: " + text); err != nil {
			return err
		}
	}
	return nil
}

// printLine writes a line that is never wrapped: programs read it.
func (a *app) printLine(text string) error {
	if render.Format(a.format) == render.Markdown {
		return render.List(a.env.stdout, a.options(), text)
	}
	_, err := fmt.Fprintln(a.env.stdout, render.Clean(text))
	return err
}

// okText sums up what was checked.
func okText(seen []report.Overview) string {
	accounts, healthy, oldest := 0, 0, time.Duration(0)
	for _, now := range seen {
		counts := now.Counts()
		accounts += counts.Accounts - counts.Gone
		healthy += counts.Healthy
		oldest = max(oldest, now.At.Sub(now.LastComplete().Finished))
	}
	text := fmt.Sprintf("OK: %d of %s healthy, newest complete run %s ago", healthy, render.Count(accounts, "account"), render.Rounded(oldest))
	if len(seen) > 1 {
		text += fmt.Sprintf(" or less, in %d workspaces", len(seen))
	}
	return text
}

func (a *app) reasonRows(reasons []report.ReasonJSON) error {
	out := a.list(render.Column{Key: "workspace"}, render.Column{Key: "check"}, render.Column{Key: "squid"}, render.Column{Key: "squid_name"},
		render.Column{Key: "condition"}, render.Column{Key: "value"}, render.Column{Key: "limit"}, render.Column{Key: "message"})
	number := func(n *float64) render.Cell {
		if n == nil {
			return render.Cell{}
		}
		return render.TextCell(strconv.FormatFloat(*n, 'f', -1, 64))
	}
	for _, r := range reasons {
		err := out.Row(r, render.TextCell(r.Workspace), render.TextCell(r.Check), render.TextCell(string(r.Squid)), render.TextCell(string(r.SquidName)),
			render.TextCell(string(r.Condition)), number(r.Value), number(&r.Limit), render.TextCell(r.Message))
		if err != nil {
			return err
		}
	}
	return out.Close("")
}

// parseFresh reads a span longer than 0.
func parseFresh(text string) (time.Duration, error) {
	length, err := config.ParseDuration(text)
	if err == nil && length == 0 {
		err = errors.New("no run is as fresh as that; give more than 0")
	}
	return length, err
}

// parseLeast reads a number of accounts from 1 on.
func parseLeast(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, errors.New("a whole number from 1 on is expected")
	}
	return n, nil
}

// parseMaxDown reads a number of accounts, or a percentage.
func parseMaxDown(text string) (*report.MaxDown, error) {
	number, percent := strings.CutSuffix(text, "%")
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil || percent && n > 100 {
		return nil, errors.New("a whole number from 0 on, or a percentage from 0% to 100%, is expected")
	}
	return &report.MaxDown{N: float64(n), Percent: percent}, nil
}
