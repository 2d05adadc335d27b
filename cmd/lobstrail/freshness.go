package main

import (
	"context"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// readFreshness reads how old the newest complete run was at a moment (zero: now);
// nil when there are too few to tell.
func (a *app) readFreshness(ctx context.Context, s store.Store, at time.Time) (*report.FreshnessJSON, error) {
	if at.IsZero() {
		at = a.env.now()
	}
	runs, err := s.CompleteRuns(ctx, a.workspace, at, report.RecentRuns)
	return report.NewFreshness(runs, at), err
}

// staleText warns of old data; "" when they are as fresh as usual.
func (a *app) staleText(f *report.FreshnessJSON, when string) string {
	if f == nil || !f.Stale {
		return ""
	}
	return fmt.Sprintf("Out of date: the newest complete run ended %s, %s %s. Usually there is one every %s.",
		render.Time(f.FinishedAt.Time, a.env.zone), render.Rounded(time.Duration(f.Age)), when, render.Rounded(time.Duration(f.UsualInterval)))
}

// staleOf warns where the data were old at the end of a period.
func (a *app) staleOf(f *report.FreshnessJSON, until time.Time) string {
	if a.env.now().Sub(until) <= time.Second {
		return a.staleText(f, "ago")
	}
	return a.staleText(f, "before the end of this period")
}

// warnStale returns the warning for the top of an answer about a moment (zero: now); "" when
// there is no reason for it. CSV, which has no room for it, gets it as a note.
func (a *app) warnStale(ctx context.Context, s store.Store, at time.Time) (string, error) {
	f, err := a.readFreshness(ctx, s, at)
	if err != nil {
		return "", err
	}
	when := "ago"
	if !at.IsZero() {
		when = "before that moment"
	}
	text := a.staleText(f, when)
	if text != "" && render.Format(a.format) == render.CSV {
		a.note("note: %s", text)
	}
	return text, nil
}
