package alert

import (
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// StaleAfter is how old the newest complete run may be: what the rule of stale says, else
// twice the expected interval, else twice the usual one of the newest complete runs over
// all accounts, the newest first. 0: not known, because they are too few.
func (r Rules) StaleAfter(complete []store.Run) time.Duration {
	if rule := r.Conditions[store.Stale]; rule.LongerThan > 0 {
		return rule.LongerThan
	}
	if r.Every > 0 {
		return 2 * r.Every
	}
	if fresh := report.NewFreshness(complete, time.Time{}); fresh != nil {
		return 2 * time.Duration(fresh.UsualInterval)
	}
	return 0
}
