package alert

import (
	"cmp"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Input is all that an evaluation depends on. [Read] loads it.
type Input struct {
	Workspace string
	Now       time.Time
	Rules     Rules
	Place     store.AlertPlace
	Alerts    []store.Alert   // those that hold, pending ones too, by number
	Silences  []store.Silence // those that have not ended
	// Run is the run to evaluate; nil: there is no new one, only time has passed.
	Run *Noticed
	// Last says that no later run waits to be evaluated: then what depends on the time is
	// evaluated too.
	Last bool
	// Accounts are those of the workspace at the end of the run, by id, gone ones too. nil:
	// nothing happened that needs them.
	Accounts map[string]store.AccountState
	// LockedUntil says of accounts with a pending alert about a lock up to which moment it
	// is known that they are locked. Those that are missing are not locked, or not yet long
	// enough.
	LockedUntil map[string]time.Time
	// Complete are the newest complete runs over all accounts, the newest first.
	Complete []store.Run
	// Ended are the alerts that have ended since the last digest, if one is due.
	Ended []store.Alert
	// Launches are the next launches of squids, by id, as far as they are known.
	Launches map[string]time.Time
}

// Noticed is a run and what it noticed.
type Noticed struct {
	store.Run
	// Steps are the health steps that it noticed, and those of the failed runs right before
	// it, which were not evaluated: see [Silent]. Oldest first, first sights included.
	Steps []store.StatusStep
	// Concluded is, of accounts whose first step came from unknown, the last health before
	// that; "" if it was never another.
	Concluded map[string]store.Health
	// Changes are changes of assignments, of the same runs.
	Changes []store.AccountChange
	// Settings are changes of the settings of limits.
	Settings []store.AccountChange
	// Lost are the squids that accounts used until they were gone, of the same runs.
	Lost map[string][]store.Squid
	// Limits are the limits that may have come near to their end, or that have an alert.
	Limits []LimitUse
	// Saw are accounts with a pending alert that a run saw which did not see all.
	Saw map[string]bool
}

// LimitUse is how much of a limit was used before a run, and after it.
type LimitUse struct {
	Account, Limit string
	Before, Share  *float64 // parts of the limit; nil: not known
	Text           string   // for people, such as "140 of 150"
	Window         store.Window
}

// Silent reports whether the run concludes nothing about accounts: the key was refused in
// it, it failed, or it was interrupted before it saw anything. What it noticed is told
// with the next run that is not silent.
func Silent(r store.Run) bool {
	return r.State == store.Failed || r.State == store.Interrupted && r.Captured()+r.Gone == 0 || keyRefused(r)
}

func keyRefused(r store.Run) bool {
	for _, failure := range r.Failures {
		if failure.Kind == store.FailAuth && r.State != store.Complete {
			return true
		}
	}
	return false
}

// clock is the moment of the evaluation. A clock that goes back for a while does not
// count; one that was a day ahead at the last evaluation was wrong then.
func (in *Input) clock() time.Time {
	if ahead := in.Place.At.Sub(in.Now); ahead > 0 && ahead <= 24*time.Hour {
		return in.Place.At
	}
	return in.Now
}

// rule is the rule of a condition.
func (r Rules) rule(c store.Condition) Rule {
	rule, set := r.Conditions[c]
	if !set {
		rule = DefaultRules().Conditions[c]
	}
	rule.For = max(rule.For, 1)
	return rule
}

// zone is the zone of the rules.
func (r Rules) zone() *time.Location { return cmp.Or(r.Zone, time.UTC) }
