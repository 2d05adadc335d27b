package report

import (
	"context"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Overview is how a workspace stands now: what `status`, `check` and the metrics are made
// of.
type Overview struct {
	Workspace string
	At        time.Time
	Accounts  []store.AccountState // gone ones included, by username and id
	// Squids are those that an account uses, and those that used one in the last days
	// (see squidMemory) and use none now; by name and id.
	Squids []SquidJSON
	// Complete are the newest complete runs over all accounts, the newest first; at most
	// RecentRuns.
	Complete []store.Run
	Newest   *store.Run // of all runs, whatever came of it; nil: there is none
	// Platforms tell what expired accounts need to be synchronised.
	Platforms []store.Platform
	Alerts    []store.Alert    // that hold, those that have not fired yet included
	Waiting   []store.Delivery // that were not made yet, the oldest message first
}

// squidMemory is how long a squid that lost all its accounts is still counted. Nothing
// tells a squid that was deleted from one that was left without accounts, so it cannot be
// counted for ever.
const squidMemory = 7 * 24 * time.Hour

// ReadOverview reads how a workspace stands. Of a workspace that the store does not have,
// there is nothing.
func ReadOverview(ctx context.Context, s store.Reader, workspace string, at time.Time) (Overview, error) {
	q := Query{
		Workspace: workspace, Since: at.Add(-squidMemory), Until: at, Latest: true, Overview: true,
		Sections: Sections{Squids: true},
	}
	in := Input{Workspace: workspace, Since: q.Since, Until: q.Until}
	o := Overview{Workspace: workspace, At: at}
	err := sideBySide(
		func() (err error) {
			if err = q.readAccounts(ctx, s, &in); err == nil {
				o.Platforms, err = q.readPlatforms(ctx, s, in.Accounts)
			}
			return err
		},
		func() (err error) { in.Assignments, err = q.readAssignments(ctx, s); return err },
		func() (err error) { o.Complete, err = s.CompleteRuns(ctx, workspace, at, RecentRuns); return err },
		func() (err error) { o.Newest, err = newestRun(ctx, s, workspace); return err },
		func() (err error) {
			o.Alerts, err = store.Collect(s.Alerts(ctx, store.AlertQuery{Workspace: workspace}))
			return err
		},
		func() (err error) { o.Waiting, err = waiting(ctx, s, workspace, at); return err })
	o.Accounts, o.Squids = in.Accounts, in.squidsNow(in.lasting())
	return o, err
}

// newestRun is the newest run of a workspace; nil if there is none.
func newestRun(ctx context.Context, s store.Reader, workspace string) (*store.Run, error) {
	for run, err := range s.Runs(ctx, workspace) {
		return &run, err
	}
	return nil, nil
}

// waiting are the deliveries that were not made yet.
func waiting(ctx context.Context, s store.Reader, workspace string, at time.Time) (all []store.Delivery, err error) {
	for d, err := range s.Deliveries(ctx, store.DeliveryQuery{Workspace: workspace, Since: at}) {
		if err != nil {
			return nil, err
		}
		if d.State == store.Waiting {
			all = append(all, d)
		}
	}
	return all, nil
}

// Counts are the numbers of accounts by health.
func (o Overview) Counts() (counts HealthCounts) {
	for _, account := range o.Accounts {
		counts.count(account.Facts.Health)
	}
	return counts
}

// Resyncs are the accounts to re-synchronise.
func (o Overview) Resyncs() []ResyncJSON {
	all, platforms := []ResyncJSON{}, Input{Platforms: o.Platforms}.platforms()
	for _, account := range o.Accounts {
		if account.Facts.Health == store.Expired {
			all = append(all, newResync(account, platforms[account.Facts.Type]))
		}
	}
	return all
}
