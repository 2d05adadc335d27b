package main

import (
	"context"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

// afterRun evaluates the alerts of the workspace after a run, which ended with err, and
// delivers the messages. The run is stored already, and nothing here changes it. What goes
// wrong with the evaluation is told: as the error of the command if the run itself went
// well, else as a line on stderr. What goes wrong with a delivery is a line on stderr. A run
// that was interrupted by a signal is evaluated and told with the next one.
func (a *app) afterRun(ctx context.Context, s store.Store, client *fetcher.Client, run store.Run, err error) error {
	if ctx.Err() != nil {
		return err
	}
	failed := a.evaluateAlerts(ctx, s, a.workspace, client)
	a.tell(ctx, s, run)
	switch {
	case failed == nil:
		return err
	case err == nil:
		return failed
	}
	fmt.Fprint(a.env.stderr, explain(failed))
	return err
}

// alertsKept is how long alerts, messages and silences are kept that are over.
const alertsKept = 90 * 24 * time.Hour

// evaluateAlerts evaluates all runs of a workspace that were not evaluated yet, and what
// depends on the time alone, and stores what is to be told. It is called after each run,
// and whenever time has passed without one. The caller has the store open for writing.
// What the alerts were evaluated of is stored already: an error loses nothing, and the
// next evaluation goes on from there. The client finds the next launches of squids that
// messages name; with nil they are not known. What is over for long is deleted.
func (a *app) evaluateAlerts(ctx context.Context, s store.Store, workspace string, client *fetcher.Client) error {
	rules, err := a.rulesOf(ctx, workspace)
	if err != nil {
		return err
	}
	err = alert.Update(ctx, s, workspace, alert.Options{Rules: rules, Now: a.env.now, Launches: launches(client)})
	if err == nil {
		err = s.ForgetAlerts(ctx, a.env.now().Add(-alertsKept))
	}
	if err != nil {
		return &hintedError{err, `the run is stored; the next "lobstrail snapshot" evaluates its alerts again`}
	}
	return nil
}

// launchTime is how long finding the next launches may hold up a message: it is better
// sent without them than late.
const launchTime = 10 * time.Second

// launches finds the next launches of squids with a client, as far as they can be found in
// a moment.
func launches(client *fetcher.Client) func(ctx context.Context, squids []string) map[string]time.Time {
	if client == nil {
		return nil
	}
	return func(ctx context.Context, squids []string) map[string]time.Time {
		ctx, cancel := context.WithTimeout(ctx, launchTime)
		defer cancel()
		return client.NextLaunches(ctx, squids)
	}
}
