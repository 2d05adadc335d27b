package alert

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
)

// move is how the health of an account changed between the runs before and after the
// evaluation.
type move struct {
	account  string
	was, now store.Health // both are never unknown, unless nothing else was ever known
	unclear  bool         // it is unknown at the end
	step     store.StatusStep
}

// collectMoves joins the steps of each account. An unknown health concludes nothing: the
// one before it counts on.
func (e *evaluation) collectMoves() {
	for _, step := range e.Run.Steps {
		m := e.moves[step.Account]
		if m == nil {
			m = &move{account: step.Account, was: step.HealthBefore, step: step}
			if concluded := e.Run.Concluded[step.Account]; m.was == store.Unknown && concluded != "" {
				m.was = concluded
			}
			if m.was == "" { // first sight
				m.was = step.HealthAfter
			}
			m.now = m.was
			e.moves[step.Account] = m
		}
		if m.unclear = step.HealthAfter == store.Unknown; !m.unclear && step.HealthAfter != m.now {
			m.now, m.step = step.HealthAfter, step
		}
	}
}

// accounts evaluates the healths of accounts that moved.
func (e *evaluation) accounts() {
	for _, id := range slices.Sorted(maps.Keys(e.moves)) {
		m := e.moves[id]
		e.unclear(m)
		if m.now == store.Unknown {
			continue
		}
		e.endHealth(m)
		if m.now == m.was {
			continue
		}
		condition, bad := conditionOf[m.now]
		if m.now == store.Locked {
			condition, bad = store.AccountLocked, true
		}
		if bad {
			e.begin(store.Alert{Condition: condition, Account: id, Window: m.step.Window, Run: m.step.Run}, e.accountDetail(m))
		}
	}
}

// unclear marks the pending alerts of an account that is unknown at the moment.
func (e *evaluation) unclear(m *move) {
	for _, condition := range healthConditions {
		if t := e.byKey[key{condition: condition, account: m.account}]; t != nil && t.pending() {
			t.Unclear = m.unclear
		}
	}
}

var healthConditions = []store.Condition{store.AccountExpired, store.AccountFailing, store.AccountGone, store.AccountLocked}

// endHealth ends the alerts of an account that no longer hold. That an account fails in
// another way now is told by the alert about that.
func (e *evaluation) endHealth(m *move) {
	for _, condition := range healthConditions {
		t := e.byKey[key{condition: condition, account: m.account}]
		if t == nil || condition == conditionOf[m.now] || condition == store.AccountLocked && m.now == store.Locked {
			continue
		}
		t.nowAfter = m.now
		e.end(t, m.step.Window, works(m.now))
	}
	if m.now != store.Gone {
		return
	}
	for _, t := range e.holding(store.AssignmentLost, store.LimitNearlyUsed) {
		if t.Account == m.account {
			e.end(t, m.step.Window, false)
		}
	}
}

func (e *evaluation) accountDetail(m *move) detail {
	facts := e.Accounts[m.account].Facts
	squids := facts.Squids
	if m.now == store.Gone {
		squids = e.Run.Lost[m.account]
	}
	return detail{
		Username: m.step.Username, Type: facts.Type, HealthBefore: m.was, HealthAfter: m.now, Info: m.step.InfoAfter, Unclear: m.unclear,
		Squids: namesOf(squids),
	}
}

func namesOf(squids []store.Squid) (names []squidName) {
	for _, s := range squids {
		names = append(names, squidName{s.ID, s.Name})
	}
	return names
}

// reconcile ends alerts about accounts that work although no run noticed it: an import
// told it, or the rules changed. Those of accounts that are no longer stored end too.
func (e *evaluation) reconcile() {
	for _, t := range e.alerts {
		if t.Account == "" || !t.holds() || t.isNew() {
			continue
		}
		account, stored := e.Accounts[t.Account]
		health := account.Facts.Health
		switch {
		case !stored:
			e.end(t, store.Window{}, false)
		case conditionOf[health] == t.Condition, health == store.Unknown, t.Condition == store.LimitNearlyUsed, t.Condition == store.AssignmentLost,
			health == store.Locked && t.Condition == store.AccountLocked:
		default:
			t.nowAfter = health
			e.end(t, account.HealthSince, works(health))
		}
	}
}

// assignments evaluates which squids began and ceased to use accounts.
func (e *evaluation) assignments() {
	for _, c := range e.Run.Changes {
		squid := squidOf(c)
		if m := e.moves[c.Account]; m != nil && m.now == store.Gone {
			continue
		}
		switch c.Kind {
		case store.SquidAssigned:
			e.end(e.byKey[key{condition: store.AssignmentLost, account: c.Account, squid: squid}], c.Window, true)
		case store.SquidUnassigned:
			var name string
			_ = json.Unmarshal(c.Old, &name) // a squid without a name
			facts := e.Accounts[c.Account].Facts
			e.begin(store.Alert{Condition: store.AssignmentLost, Account: c.Account, Squid: squid, Window: c.Window, Run: c.Run}, detail{
				Username: c.Username, Type: facts.Type, HealthBefore: facts.Health, HealthAfter: facts.Health, Info: facts.Info,
				Squids: []squidName{{squid, name}},
			})
		}
	}
}

// squidOf is the id of the squid that a change of an assignment is about.
func squidOf(c store.AccountChange) string {
	return document.UnescapePointer(strings.TrimPrefix(c.Path, "/squids/"))
}

// lossLasts is how long an alert about something that was taken away lasts: a lost
// assignment, a deleted account. By then it is known whether that was a mistake. If it was
// on purpose, nothing else would ever end the alert.
const lossLasts = 24 * time.Hour

// isLoss reports whether a condition is about something that was taken away.
func isLoss(c store.Condition) bool { return c == store.AssignmentLost || c == store.AccountGone }

// endLosses ends such alerts after their time, without a message.
func (e *evaluation) endLosses() {
	for _, t := range e.alerts {
		if isLoss(t.Condition) && !t.isNew() && e.at.Sub(t.Window.Before) >= lossLasts {
			e.end(t, store.Window{}, false)
		}
	}
}

// locks fires alerts about locks that have lasted for longer than the limit.
func (e *evaluation) locks() {
	rule := e.Rules.rule(store.AccountLocked)
	for _, t := range e.holding(store.AccountLocked) {
		if t.pending() && t.Polls >= rule.For && e.LockedUntil[t.Account].Sub(t.Window.Before) > rule.LongerThan {
			t.FiredAt = e.at
		}
	}
}

// limits evaluates how much of limits was used. The first sight of a limit concludes
// nothing.
func (e *evaluation) limits() {
	share := e.Rules.rule(store.LimitNearlyUsed).Share
	for _, use := range e.Run.Limits {
		if m := e.moves[use.Account]; use.Share == nil || m != nil && m.now == store.Gone {
			continue
		}
		facts := e.Accounts[use.Account].Facts
		t := e.byKey[key{condition: store.LimitNearlyUsed, account: use.Account, limit: use.Limit}]
		switch {
		case *use.Share < share:
			if t != nil {
				t.usedAfter = use.Limit + " " + use.Text
			}
			e.end(t, use.Window, true)
		case t == nil && use.Before != nil && *use.Before < share:
			e.begin(store.Alert{
				Condition: store.LimitNearlyUsed, Account: use.Account, Limit: use.Limit, Window: use.Window, Run: e.Run.ID,
			}, detail{
				Username: facts.Username, Type: facts.Type, HealthBefore: facts.Health, HealthAfter: facts.Health,
				Info: use.Limit + " " + use.Text, Squids: namesOf(facts.Squids),
			})
		}
	}
}
