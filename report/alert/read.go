package alert

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// Read loads what the next evaluation of a workspace depends on: the oldest run that was
// not evaluated yet, or the time alone if there is none. Of a workspace that was never
// evaluated it is the newest run: what is past is not told. Imports are passed over.
//
// A run that has not ended is not evaluated. The caller holds the writer's lock, so that
// no other process is about to write one.
func Read(ctx context.Context, s store.Reader, workspace string, o Options) (Input, error) {
	r := reader{ctx: ctx, s: s, options: o, in: Input{Workspace: workspace, Now: o.Now(), Rules: o.Rules, Last: true}}
	for _, step := range []func() error{r.readState, r.readRun, r.readSteps, r.readLimits, r.readSaw, r.readLocks, r.readTimes, r.readAccounts} {
		if err := step(); err != nil {
			return Input{}, err
		}
	}
	return r.in, nil
}

// reader loads an input.
type reader struct {
	ctx      context.Context
	s        store.Reader
	options  Options
	in       Input
	passed   bool    // an import was passed over
	silent   []int64 // runs right before the one to evaluate that were silent, oldest first
	previous int64   // the run before those; 0: none
	end      time.Time
}

func (r *reader) readState() (err error) {
	if r.in.Place, err = r.s.AlertPlace(r.ctx, r.in.Workspace); err != nil {
		return err
	}
	if r.in.Alerts, err = store.Collect(r.s.Alerts(r.ctx, store.AlertQuery{Workspace: r.in.Workspace})); err != nil {
		return err
	}
	r.in.Silences, err = r.s.Silences(r.ctx, r.in.Workspace, r.in.clock())
	return err
}

// readRun finds the run to evaluate, and the silent ones right before it.
func (r *reader) readRun() error {
	var found *store.Run
	later := 0
	for run, err := range r.s.Runs(r.ctx, r.in.Workspace) { // the newest first
		switch {
		case err != nil:
			return err
		case run.Scope == store.ScopeImport:
			r.passed = r.passed || run.ID > r.in.Place.Run
			continue
		case run.State == store.Running:
			found, later, r.silent = nil, 0, nil // it is evaluated when it has ended
			continue
		case run.ID > r.in.Place.Run && (found == nil || r.in.Place.Run > 0):
			if found != nil {
				later++
			}
			found, r.silent = &run, nil
			continue
		}
		if found == nil || !Silent(run) || r.in.Place.Run == 0 {
			r.previous = run.ID
			break
		}
		if run.Captured()+run.Gone > 0 {
			r.silent = append(r.silent, run.ID)
		}
	}
	if found == nil {
		return nil
	}
	slices.Reverse(r.silent)
	r.in.Last = later == 0
	r.in.Run = &Noticed{Run: *found}
	var err error
	r.end, err = r.s.RunEnd(r.ctx, r.in.Workspace, found.ID)
	return err
}

// runs are the runs whose steps are evaluated, oldest first.
func (r *reader) runs() []int64 { return append(slices.Clone(r.silent), r.in.Run.ID) }

// at is the moment that accounts are read at: zero for now.
func (r *reader) at() time.Time {
	if r.in.Last {
		return time.Time{}
	}
	return r.end
}

func (r *reader) readSteps() error {
	if r.in.Run == nil || Silent(r.in.Run.Run) {
		return nil
	}
	n := r.in.Run
	// Nobody is told of an account that was redacted after the run.
	withheld, err := r.s.Withheld(r.ctx, r.in.Workspace)
	if err != nil {
		return err
	}
	for _, run := range r.runs() {
		steps, err := store.Collect(r.s.StatusSteps(r.ctx, store.PeriodQuery{Workspace: r.in.Workspace, Run: run}))
		if err != nil {
			return err
		}
		for _, step := range steps {
			if step.HealthBefore != step.HealthAfter && !withheld[step.Account] {
				n.Steps = append(n.Steps, step)
			}
		}
		changes, err := store.Collect(r.s.Changes(r.ctx, store.ChangeQuery{
			Workspace: r.in.Workspace, Run: run, Kinds: []store.Kind{store.SquidAssigned, store.SquidUnassigned, store.LimitChanged},
		}))
		if err != nil {
			return err
		}
		for _, c := range changes {
			switch {
			case withheld[c.Account]:
			case c.Kind != store.LimitChanged:
				n.Changes = append(n.Changes, c)
			case strings.HasPrefix(c.Path, "/params/user/"):
				n.Settings = append(n.Settings, c)
			}
		}
	}
	if err := r.readConcluded(); err != nil {
		return err
	}
	return r.readLost()
}

// readConcluded finds what was known of accounts before their health was unknown.
func (r *reader) readConcluded() error {
	seen := map[string]bool{}
	for _, step := range r.in.Run.Steps {
		if seen[step.Account] || step.HealthBefore != store.Unknown {
			seen[step.Account] = true
			continue
		}
		seen[step.Account] = true
		q := store.PeriodQuery{Workspace: r.in.Workspace, Account: step.Account, Until: step.Window.Before.Add(-time.Millisecond)}
		for before, err := range r.s.StatusSteps(r.ctx, q) {
			if err != nil {
				return err
			}
			if before.Window.Before.Before(step.Window.Before) && before.HealthAfter != store.Unknown {
				if r.in.Run.Concluded == nil {
					r.in.Run.Concluded = map[string]store.Health{}
				}
				r.in.Run.Concluded[step.Account] = before.HealthAfter
			}
		}
	}
	return nil
}

// readLost finds the squids that used accounts which are gone now.
func (r *reader) readLost() error {
	for _, step := range r.in.Run.Steps {
		if step.HealthAfter != store.Gone {
			continue
		}
		q := store.AssignmentQuery{Workspace: r.in.Workspace, Account: step.Account, Since: step.Window.Before.Add(-time.Millisecond)}
		for g, err := range r.s.Assignments(r.ctx, q) {
			if err != nil {
				return err
			}
			if g.To != nil && g.To.Before.Equal(step.Window.Before) {
				if r.in.Run.Lost == nil {
					r.in.Run.Lost = map[string][]store.Squid{}
				}
				r.in.Run.Lost[step.Account] = append(r.in.Run.Lost[step.Account], store.Squid{ID: g.Squid, Name: g.SquidName})
			}
		}
	}
	return nil
}

// since is the end of the run before those that are evaluated; zero if there is none.
func (r *reader) since() (time.Time, error) {
	if r.previous == 0 {
		return time.Time{}, nil
	}
	return r.s.RunEnd(r.ctx, r.in.Workspace, r.previous)
}

// readSaw finds which accounts with a pending alert were seen by a run that did not see
// all.
func (r *reader) readSaw() error {
	n := r.in.Run
	if n == nil || Silent(n.Run) || n.State == store.Complete && n.Scope == store.ScopeAll {
		return nil
	}
	since, err := r.since()
	if err != nil {
		return err
	}
	n.Saw = map[string]bool{}
	for _, a := range r.in.Alerts {
		if a.Account == "" || !a.FiredAt.IsZero() {
			continue
		}
		state, err := r.account(a.Account)
		if err != nil {
			return err
		}
		n.Saw[a.Account] = state.SeenAt.After(since)
	}
	return nil
}

// account reads one account; the zero value if it is not stored.
func (r *reader) account(id string) (found store.AccountState, err error) {
	for state, err := range r.s.Accounts(r.ctx, store.AccountQuery{Workspace: r.in.Workspace, Account: id, At: r.at()}) {
		if err != nil {
			return found, err
		}
		found = state
	}
	return found, nil
}

// readLocks finds up to when accounts are known to be locked whose alert may be due.
func (r *reader) readLocks() error {
	limit := r.in.Rules.rule(store.AccountLocked).LongerThan
	for _, a := range r.in.Alerts {
		if a.Condition != store.AccountLocked || !a.FiredAt.IsZero() || r.in.clock().Sub(a.Window.Before) <= limit {
			continue
		}
		state, err := r.account(a.Account)
		if err != nil {
			return err
		}
		if state.Facts.Health != store.Locked {
			continue
		}
		until := state.SeenAt
		if now := r.in.clock(); r.in.Last && state.Facts.LockedUntil.After(until) {
			until = state.Facts.LockedUntil
			if now.Before(until) {
				until = now
			}
		}
		if r.in.LockedUntil == nil {
			r.in.LockedUntil = map[string]time.Time{}
		}
		r.in.LockedUntil[a.Account] = until
	}
	return nil
}

// readTimes reads what depends on the time: complete runs, and what a digest counts.
func (r *reader) readTimes() (err error) {
	if !r.in.Last {
		return nil
	}
	rules, at := r.in.Rules, r.in.clock()
	n := report.RecentRuns
	if rules.Every > 0 || rules.rule(store.Stale).LongerThan > 0 {
		n = 1
	}
	soon := at.Add(time.Second) // the end of a run is stored rounded up
	if r.in.Complete, err = r.s.CompleteRuns(r.ctx, r.in.Workspace, soon, n); err != nil || !rules.DigestDue(r.in.Place.Digest, at) {
		return err
	}
	for a, err := range r.s.Alerts(r.ctx, store.AlertQuery{Workspace: r.in.Workspace, Over: true, Since: r.in.Place.Digest}) {
		if err != nil {
			return err
		}
		if !a.EndedAt.IsZero() {
			r.in.Ended = append(r.in.Ended, a)
		}
	}
	return nil
}

// readAccounts reads all accounts if the evaluation needs them: something about accounts
// or squids changed, or there is something to tell.
func (r *reader) readAccounts() error {
	n := r.in.Run
	needed := n != nil && len(n.Steps)+len(n.Changes)+len(n.Limits) > 0 || n != nil && r.passed && len(r.in.Alerts) > 0
	if !needed && len(Evaluate(r.in).Messages) == 0 {
		return nil
	}
	r.in.Accounts = map[string]store.AccountState{}
	for state, err := range r.s.Accounts(r.ctx, store.AccountQuery{Workspace: r.in.Workspace, At: r.at()}) {
		if err != nil {
			return err
		}
		r.in.Accounts[state.ID] = state
	}
	if squids := squidsTold(Evaluate(r.in).Messages); len(squids) > 0 && r.options.Launches != nil {
		r.in.Launches = r.options.Launches(r.ctx, squids)
	}
	return nil
}

// squidsTold are the ids of the squids that messages name.
func squidsTold(messages []store.Message) []string {
	named := map[string]bool{}
	for _, m := range messages {
		var body Body
		if json.Unmarshal(m.Body, &body) != nil {
			continue // we have just made it
		}
		for _, item := range body.Items {
			for _, squid := range item.Squids {
				named[squid.ID] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(named))
}
