package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Query says what to read for a report.
type Query struct {
	Workspace    string
	Since, Until time.Time // the period; Until is not part of it
	Sections     Sections
	// Latest says that Until is now: then accounts are read as they are, which is faster
	// than as they were at a moment.
	Latest bool
	// Overview leaves out assignments that lasted all the time, and limits that were not
	// nearly used up.
	Overview bool
	// Icons asks for the platforms of all accounts, with their icons, instead of those
	// that have an expired account.
	Icons bool
}

// Read makes the report of a period of a workspace, with all sections. The error
// matches [store.ErrNotFound] if the store has no such workspace; otherwise it is that
// of the store.
func Read(ctx context.Context, s store.Reader, workspace string, since, until time.Time) (Report, error) {
	if !since.Before(until) {
		return Report{}, fmt.Errorf("report: the period must begin before it ends: %s to %s", since, until)
	}
	known, err := s.Workspaces(ctx)
	if err != nil {
		return Report{}, err
	}
	if !slices.Contains(known, workspace) {
		return Report{}, fmt.Errorf("workspace %q: %w", workspace, store.ErrNotFound)
	}
	in, err := ReadInput(ctx, s, Query{Workspace: workspace, Since: since, Until: until})
	if err != nil {
		return Report{}, err
	}
	return Build(in), nil
}

// ReadInput reads what the sections of a report are made of. Of a workspace that the
// store does not have, that is nothing.
func ReadInput(ctx context.Context, s store.Reader, q Query) (Input, error) {
	q.Sections = q.Sections.orAll()
	in := Input{Workspace: q.Workspace, Since: q.Since, Until: q.Until, Sections: q.Sections}
	err := sideBySide(
		func() (err error) { in.Uses, err = q.readLimits(ctx, s); return err },
		func() error { return q.readAccounts(ctx, s, &in) },
		func() (err error) { in.Assignments, err = q.readAssignments(ctx, s); return err },
		func() error { return q.readEvents(ctx, s, &in) })
	return in, err
}

// sideBySide calls all functions at once and returns the first error in their order.
func sideBySide(all ...func() error) error {
	errs := make([]error, len(all))
	var running sync.WaitGroup
	for i, fn := range all {
		running.Go(func() { errs[i] = fn() })
	}
	running.Wait()
	return cmp.Or(errs...)
}

func (q Query) period() store.PeriodQuery {
	return store.PeriodQuery{Workspace: q.Workspace, Since: q.Since, Until: q.Until}
}

func (q Query) readLimits(ctx context.Context, s store.Reader) ([]store.Use, error) {
	if !q.Sections.Limits {
		return nil, nil
	}
	period := q.period()
	if q.Overview {
		period.Used = NearlyUsed
	}
	return store.Collect(s.Usage(ctx, period))
}

// readAccounts reads the accounts at the end of the period and, for the section of
// status, their steps and platforms.
func (q Query) readAccounts(ctx context.Context, s store.Reader, in *Input) (err error) {
	accounts := store.AccountQuery{Workspace: q.Workspace}
	if !q.Latest {
		accounts.At = q.Until
	}
	if in.Accounts, err = store.Collect(s.Accounts(ctx, accounts)); err != nil || !q.Sections.Status {
		return err
	}
	if in.Steps, err = store.Collect(s.StatusSteps(ctx, q.period())); err != nil {
		return err
	}
	in.Platforms, err = q.readPlatforms(ctx, s, in.Accounts)
	return err
}

// mostPlatforms bounds what is read of platforms: there are a few dozen in truth, but a
// type may be any text.
const mostPlatforms = 100

// readPlatforms reads what the accounts of a type need to be synchronised.
func (q Query) readPlatforms(ctx context.Context, s store.Reader, accounts []store.AccountState) ([]store.Platform, error) {
	seen, samples := map[string]bool{}, []string{}
	for _, account := range accounts {
		health, kind := account.Facts.Health, account.Facts.Type
		if len(samples) < mostPlatforms && !seen[kind] && (health == store.Expired || q.Icons && health != store.Gone) {
			seen[kind] = true
			samples = append(samples, account.ID)
		}
	}
	if len(samples) == 0 {
		return nil, nil
	}
	return s.Platforms(ctx, q.Workspace, samples)
}

func (q Query) readAssignments(ctx context.Context, s store.Reader) ([]store.Assignment, error) {
	if !q.Sections.Squids {
		return nil, nil
	}
	return store.Collect(s.Assignments(ctx, store.AssignmentQuery{
		Workspace: q.Workspace, Since: q.Since, Until: q.Until, Moved: q.Overview,
	}))
}

// readEvents reads the changes and the runs, and how fresh all of it is.
func (q Query) readEvents(ctx context.Context, s store.Reader, in *Input) error {
	complete, err := s.CompleteRuns(ctx, q.Workspace, q.Until, RecentRuns)
	if err != nil {
		return err
	}
	in.Freshness = NewFreshness(complete, q.Until)
	if q.Sections.Changes {
		changes := store.ChangeQuery{Workspace: q.Workspace, Since: q.Since, Until: q.Until}
		if in.Changes, err = store.Collect(s.Changes(ctx, changes)); err != nil {
			return err
		}
	}
	if !q.Sections.Runs {
		return nil
	}
	for run, err := range s.Runs(ctx, q.Workspace) { // the newest first
		if err != nil {
			return err
		}
		if run.Started.Before(q.Since) {
			break
		}
		in.Runs = append(in.Runs, run)
	}
	return nil
}
