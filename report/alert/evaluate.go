package alert

import (
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// key is what there is at most one alert of at a time.
type key struct {
	condition             store.Condition
	account, squid, limit string
}

func keyOf(a *store.Alert) key { return key{a.Condition, a.Account, a.Squid, a.Limit} }

// evaluation is one call of Evaluate.
type evaluation struct {
	Input
	at     time.Time
	alerts []*tracked // in the order of their beginning
	byKey  map[key]*tracked
	moves  map[string]*move  // of this run, by account
	squids map[string]*squad // by id; nil until it is made
	tells  []tell
}

// tell is one alert that a message is to be made of.
type tell struct {
	event Event
	alert *tracked
}

// Evaluate says what changes: which alerts begin, fire, are told, and end, and with which
// messages. It depends on nothing but the input.
//
// A run whose key was refused, or that failed, says nothing about accounts; what it
// noticed is evaluated with the next run. Where nothing is known of an account's health,
// or of the run, nothing is concluded: alerts stay as they are.
func Evaluate(in Input) store.AlertDelta {
	e := newEvaluation(in)
	e.endDisabled()
	if e.Run != nil {
		e.evaluateRun()
	}
	e.locks()
	e.endLosses()
	if e.Last {
		e.stale()
	}
	e.fire()
	e.tellFired()
	if e.Last {
		e.remind()
	}
	messages := e.messages()
	delta := e.delta()
	if e.Last {
		var digest []store.Message
		digest, delta.To.Digest = e.digest()
		messages = append(messages, digest...)
	}
	delta.Messages = messages
	return delta
}

func newEvaluation(in Input) *evaluation {
	e := &evaluation{Input: in, at: in.clock(), byKey: map[key]*tracked{}, moves: map[string]*move{}}
	for _, a := range in.Alerts {
		t := track(a)
		if t.FiredAt.After(e.at.Add(24 * time.Hour)) { // the clock was wrong then: no reminder waits for that time
			t.FiredAt, t.ToldAt = e.at, nil
		}
		e.alerts = append(e.alerts, t)
		e.byKey[keyOf(&t.Alert)] = t
	}
	return e
}

// evaluateRun evaluates what the run noticed.
func (e *evaluation) evaluateRun() {
	e.runs()
	if Silent(e.Run.Run) {
		return
	}
	e.collectMoves()
	e.accounts()
	e.assignments()
	e.squadrons()
	e.limits()
	if e.Accounts != nil {
		e.reconcile()
	}
	e.poll()
}

// enabled reports whether there may be alerts of a condition.
func (e *evaluation) enabled(c store.Condition) bool { return e.Rules.rule(c).Enabled }

// begin begins an alert, unless one about the same holds or the condition is off.
func (e *evaluation) begin(a store.Alert, d detail) {
	if !e.enabled(a.Condition) || e.byKey[keyOf(&a)] != nil {
		return
	}
	t := &tracked{Alert: a, detail: d}
	t.Polls = 1
	e.alerts = append(e.alerts, t)
	e.byKey[keyOf(&a)] = t
}

// end ends an alert; tells says that its end is told, if that it fired was.
func (e *evaluation) end(t *tracked, window store.Window, tells bool) {
	if t == nil || !t.holds() {
		return
	}
	t.EndedAt, t.over = e.at, window
	delete(e.byKey, keyOf(&t.Alert))
	if tells && t.Told {
		e.tells = append(e.tells, tell{Recovered, t})
	}
}

// holding lists the alerts of conditions that hold, in the order of their beginning.
func (e *evaluation) holding(conditions ...store.Condition) (all []*tracked) {
	for _, t := range e.alerts {
		if t.holds() && slices.Contains(conditions, t.Condition) {
			all = append(all, t)
		}
	}
	return all
}

// endDisabled ends alerts of conditions that were switched off.
func (e *evaluation) endDisabled() {
	for _, t := range e.alerts {
		if !e.enabled(t.Condition) {
			e.end(t, store.Window{}, false)
		}
	}
}

// poll counts the runs that saw a pending alert's condition hold on.
func (e *evaluation) poll() {
	whole := e.Run.State == store.Complete && e.Run.Scope == store.ScopeAll
	for _, t := range e.alerts {
		if !t.holds() || !t.pending() || t.isNew() || t.Unclear || aboutWorkspace(t.Condition) {
			continue
		}
		if whole || t.Account != "" && e.Run.Saw[t.Account] {
			t.Polls = min(t.Polls+1, e.Rules.rule(t.Condition).For)
		}
	}
}

// fire fires pending alerts whose condition held for long enough. Those about locks are
// fired by [evaluation.locks].
func (e *evaluation) fire() {
	for _, t := range e.alerts {
		if t.holds() && t.pending() && t.Condition != store.AccountLocked && t.Polls >= e.Rules.rule(t.Condition).For {
			t.FiredAt = e.at
		}
	}
}

// delta is what is to be stored, without messages.
func (e *evaluation) delta() store.AlertDelta {
	d := store.AlertDelta{From: e.Place, To: e.Place}
	d.To.At = e.at
	if e.Run != nil {
		d.To.Run = e.Run.ID
	}
	for _, t := range e.alerts {
		switch {
		case t.isNew() && (t.holds() || !t.pending()):
			d.Begin = append(d.Begin, t.stored())
		case t.isNew():
		case !t.holds() && t.pending():
			d.Forget = append(d.Forget, t.ID)
		case t.changed():
			d.Update = append(d.Update, t.stored())
		}
	}
	return d
}

// aboutWorkspace reports whether a condition is about no account and no squid.
func aboutWorkspace(c store.Condition) bool {
	switch c {
	case store.RunFailed, store.RunIncomplete, store.KeyRefused, store.Stale, store.StoreDamaged:
		return true
	}
	return false
}

// works reports whether squids can use an account of the health. A lock is normal
// operation.
func works(h store.Health) bool { return h == store.Healthy || h == store.Locked }

// isDown reports whether an account of the health is of no use until somebody acts.
func isDown(h store.Health) bool { return conditionOf[h] != "" }

// conditionOf is the condition of an account that has a health.
var conditionOf = map[store.Health]store.Condition{
	store.Expired: store.AccountExpired, store.Failing: store.AccountFailing, store.Gone: store.AccountGone,
}
