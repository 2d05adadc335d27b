package alert

import (
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Rules say when a condition becomes an alert, and how often it is told.
type Rules struct {
	// Every is the expected time between two complete runs of the workspace; 0: not
	// known, then it is the usual one of recent runs.
	Every time.Duration
	// Zone is the one in which Digest is a time of the day; nil is UTC.
	Zone *time.Location
	// Digest is when the daily digest is due, after midnight in Zone; negative: never.
	Digest time.Duration
	// RemindEvery is the time between two reminders of an open alert, RemindTimes how
	// many there are at most; 0 in either: none.
	RemindEvery time.Duration
	RemindTimes int
	Conditions  map[store.Condition]Rule // what is missing is as in DefaultRules
	// Sinks are the sinks that messages go to.
	Sinks []Subscription
}

// Rule is what is set for one condition.
type Rule struct {
	Enabled bool
	For     int // how many polls in a row must see it before it fires; at least 1
	// LongerThan is how long it must have lasted: of account_locked; of stale, where 0
	// means twice Rules.Every.
	LongerThan time.Duration
	// Share is the part of a limit that is nearly used: of limit_nearly_used, from 0 to 1.
	Share float64
}

// Subscription is a sink and the conditions it wants; nil Conditions: all of them.
type Subscription struct {
	Sink       string
	Conditions []store.Condition
}

// DefaultRules are the rules where nothing is configured.
func DefaultRules() Rules {
	rules := Rules{Zone: time.UTC, Digest: -1, RemindEvery: 24 * time.Hour, RemindTimes: 3, Conditions: map[store.Condition]Rule{}}
	for _, condition := range store.Conditions {
		rules.Conditions[condition] = Rule{Enabled: true, For: 1}
	}
	rules.Conditions[store.AccountLocked] = Rule{Enabled: true, For: 1, LongerThan: 24 * time.Hour}
	rules.Conditions[store.LimitNearlyUsed] = Rule{Enabled: true, For: 1, Share: 0.9}
	return rules
}
