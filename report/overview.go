package report

import (
	"context"
	"slices"
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

// LastComplete is the newest complete run over all accounts; nil: there is none.
func (o Overview) LastComplete() *store.Run {
	if len(o.Complete) == 0 {
		return nil
	}
	return &o.Complete[0]
}

// Stale reports whether there is no complete run, or the newest is older than so much; 0 is
// no bound.
func (o Overview) Stale(after time.Duration) bool {
	run := o.LastComplete()
	return run == nil || after > 0 && o.At.Sub(run.Finished) > after
}

// Distinguish returns the overview with names that tell accounts and squids apart, for
// people.
func (o Overview) Distinguish(accounts, squids Names) Overview {
	if accounts.owner == nil && squids.owner == nil { // no name changes: nothing is copied
		return o
	}
	o.Accounts = Input{Accounts: o.Accounts}.Distinguish(accounts, squids).Accounts
	o.Squids = slices.Clone(o.Squids)
	for i, squid := range o.Squids {
		o.Squids[i].Name = Text(squids.Of(string(squid.Name), squid.ID))
		o.Squids[i].Accounts = slices.Clone(squid.Accounts)
		for k, account := range squid.Accounts {
			o.Squids[i].Accounts[k].Username = Text(accounts.Of(string(account.Username), account.ID))
		}
	}
	return o
}

// names are the names of all accounts and squids, by id.
func (o Overview) names() (accounts, squids map[string]string) {
	accounts, squids = map[string]string{}, map[string]string{}
	for _, account := range o.Accounts {
		accounts[account.ID] = account.Facts.Username
	}
	for _, squid := range o.Squids {
		squids[squid.ID] = string(squid.Name)
	}
	return accounts, squids
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
