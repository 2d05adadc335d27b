package alert

import (
	"slices"

	"github.com/lobstrail/lobstrail/store"
)

// tellFired decides which of the alerts that have fired are to be told now: those that
// just fired, and those whose silence has ended. Alerts about squids come last, for they
// may have been told with their accounts.
func (e *evaluation) tellFired() {
	var accounts, squids []*tracked
	for _, t := range e.alerts {
		switch {
		case !t.holds() || t.pending():
		case t.Account == "" && t.Squid != "":
			squids = append(squids, t)
		default:
			accounts = append(accounts, t)
		}
	}
	for _, t := range accounts {
		e.tellOne(t)
	}
	told := map[key]bool{}
	for _, x := range e.tells {
		if x.event == Fired {
			told[keyOf(&x.alert.Alert)] = true
		}
	}
	for _, t := range squids {
		if e.tellOne(t); t.Told && !t.was.Told {
			t.Because = toldBecause(t, told)
		}
	}
}

// tellOne tells an alert that has fired, unless that was done or it is silenced. While no
// sink wants it, perhaps because a run was started without the configuration, it is owed.
func (e *evaluation) tellOne(t *tracked) {
	t.Owed = t.Owed || t.was.FiredAt.IsZero()
	if t.Silenced = e.silenced(t); t.Silenced || !t.Owed || !e.anyWants(t.Condition) {
		return
	}
	t.Owed, t.Told, t.ToldAt = false, true, &e.at
	e.tells = append(e.tells, tell{Fired, t})
}

// toldBecause are the conditions of those causes that are told.
func toldBecause(t *tracked, told map[key]bool) (because []store.Condition) {
	for _, c := range t.Causes {
		k := key{condition: c.Condition, account: c.Account}
		if c.Condition == store.AssignmentLost {
			k.squid = t.Squid
		}
		if told[k] && !slices.Contains(because, c.Condition) {
			because = append(because, c.Condition)
		}
	}
	return because
}

// silenced reports whether the alert must not be told now: somebody wants it so, or a
// parent holds.
func (e *evaluation) silenced(t *tracked) bool {
	if isChild(t.Condition) && e.parentHolds() {
		return true
	}
	if t.Account != "" {
		return e.accountSilenced(t.Account, t.Type) || e.squidsSilenced(t)
	}
	if t.Squid == "" {
		return false
	}
	if e.squidSilenced(t.Squid) {
		return true
	}
	down := t.Down
	if e.Accounts != nil {
		if now := e.downOf(e.squad(t.Squid)); len(now) > 0 {
			t.Down, down = now, now
		}
	}
	return len(down) > 0 && !slices.ContainsFunc(down, func(m member) bool { return !e.accountSilenced(m.Account, m.Type) })
}

// squidsSilenced reports whether all squids of the account are silenced, and there is
// one.
func (e *evaluation) squidsSilenced(t *tracked) bool {
	squids := t.Squids
	if state, known := e.Accounts[t.Account]; known && t.Squid == "" && state.Facts.Health != store.Gone {
		squids = namesOf(state.Facts.Squids)
	}
	return len(squids) > 0 && !slices.ContainsFunc(squids, func(s squidName) bool { return !e.squidSilenced(s.ID) })
}

func (e *evaluation) accountSilenced(account, accountType string) bool {
	return e.anySilence(func(s store.Silence) bool {
		return s.Account == account && account != "" || s.Type == accountType && accountType != ""
	})
}

func (e *evaluation) squidSilenced(squid string) bool {
	return e.anySilence(func(s store.Silence) bool { return s.Squid == squid && squid != "" })
}

func (e *evaluation) anySilence(fits func(store.Silence) bool) bool {
	return slices.ContainsFunc(e.Silences, func(s store.Silence) bool {
		return !s.From.After(e.at) && s.Until.After(e.at) && fits(s)
	})
}

// remind tells alerts again that have been open for long, except those about losses, which
// nobody can repair. Of several that are due for one
// alert, because nobody evaluated, there is one.
func (e *evaluation) remind() {
	if e.Rules.RemindEvery <= 0 {
		return
	}
	for _, t := range e.alerts {
		if !t.holds() || !t.Told || t.Silenced || t.ToldAt == nil || isLoss(t.Condition) ||
			t.Reminders >= e.Rules.RemindTimes || !e.anyWants(t.Condition) {
			continue
		}
		if t.ToldAt.After(e.at) { // the clock went back
			t.ToldAt = &e.at
		}
		if e.at.Sub(*t.ToldAt) >= e.Rules.RemindEvery {
			t.Reminders++
			t.ToldAt = &e.at
			e.tells = append(e.tells, tell{Reminder, t})
		}
	}
}

// wants reports whether a sink gets messages about a condition.
func (s Subscription) wants(c store.Condition) bool {
	return s.Conditions == nil || slices.Contains(s.Conditions, c)
}

// gets reports whether a sink gets messages about an alert: it wants them, and has not
// been told by the message about the accounts that are the cause.
func (s Subscription) gets(t *tracked) bool {
	return s.wants(t.Condition) && !slices.ContainsFunc(t.Because, s.wants)
}

func (e *evaluation) anyWants(c store.Condition) bool {
	return slices.ContainsFunc(e.Rules.Sinks, func(s Subscription) bool { return s.wants(c) })
}
