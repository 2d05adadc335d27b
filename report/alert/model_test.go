package alert_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

// ledger keeps alerts and messages as a store does, in memory: a law about Evaluate needs
// thousands of histories.
type ledger struct {
	t        *testing.T
	place    store.AlertPlace
	alerts   []store.Alert
	messages []store.Message
	ids      map[string]bool
}

func (l *ledger) holding() (all []store.Alert) {
	for _, a := range l.alerts {
		if a.EndedAt.IsZero() {
			all = append(all, a)
		}
	}
	return all
}

func (l *ledger) find(id int64) *store.Alert {
	at := slices.IndexFunc(l.alerts, func(a store.Alert) bool { return a.ID == id })
	if at < 0 {
		l.t.Fatalf("there is no alert %d", id)
	}
	return &l.alerts[at]
}

// save applies a delta under the rules of [store.AlertWriter].
func (l *ledger) save(d store.AlertDelta) {
	l.t.Helper()
	if d.From != l.place {
		l.t.Fatalf("the place is %+v, not %+v", l.place, d.From)
	}
	l.place = d.To
	for _, id := range d.Forget {
		if !l.find(id).FiredAt.IsZero() {
			l.t.Fatalf("alert %d had fired and is forgotten", id)
		}
		l.alerts = slices.DeleteFunc(l.alerts, func(a store.Alert) bool { return a.ID == id })
	}
	for _, a := range d.Update {
		*l.find(a.ID) = l.checked(a)
	}
	for _, a := range d.Begin {
		a.ID = 1
		if n := len(l.alerts); n > 0 {
			a.ID = l.alerts[n-1].ID + 1
		}
		l.alerts = append(l.alerts, l.checked(a))
	}
	about := map[string]bool{}
	for _, a := range l.holding() {
		what := fmt.Sprint(a.Condition, a.Account, a.Squid, a.Limit)
		if about[what] {
			l.t.Fatalf("two alerts hold about the same: %s", what)
		}
		about[what] = true
	}
	for _, m := range d.Messages {
		if err := m.Check(); err != nil {
			l.t.Fatal(err)
		}
		if l.ids == nil {
			l.ids = map[string]bool{}
		}
		if l.ids[m.ID] {
			l.t.Fatalf("a second message has the id of another one: %s", m.Body)
		}
		l.ids[m.ID] = true
		l.messages = append(l.messages, m)
	}
}

func (l *ledger) checked(a store.Alert) store.Alert {
	l.t.Helper()
	if err := a.Check(); err != nil {
		l.t.Fatalf("%v: %+v", err, a)
	}
	return a
}

// bodies are the bodies of the messages to a sink.
func (l *ledger) bodies(sink string) (all []alert.Body) {
	for _, m := range l.messages {
		if slices.Contains(m.Sinks, sink) {
			var b alert.Body
			if err := json.Unmarshal(m.Body, &b); err != nil {
				l.t.Fatal(err)
			}
			all = append(all, b)
		}
	}
	return all
}

// village is a small workspace and what runs see of it. It makes of it what a store would
// give to an evaluation.
type village struct {
	*ledger
	rules    alert.Rules
	silences []store.Silence
	launches map[string]time.Time
	now      time.Time
	run      int64
	seen     map[string]store.AccountState
	steps    map[string][]store.StatusStep
	pending  alert.Noticed // what silent runs noticed
	complete []store.Run
	lastEnd  time.Time
	text     string // is added to usernames, types and keywords
}

var dawn = time.Date(2026, 11, 27, 6, 0, 0, 0, time.UTC)

func newVillage(t *testing.T) *village {
	v := &village{ledger: &ledger{t: t}, rules: alert.DefaultRules(), now: dawn, lastEnd: dawn, seen: map[string]store.AccountState{}, steps: map[string][]store.StatusStep{}}
	v.rules.RemindTimes = 0
	v.rules.Sinks = []alert.Subscription{{Sink: "ops"}}
	return v
}

// sight is what a run sees of an account.
type sight struct {
	health store.Health
	squids []string
	until  time.Time // of a lock
}

// look is a run that sees accounts, and the evaluation after it.
func (v *village) look(state store.RunState, scope store.Scope, failures []store.Failure, sights map[string]sight) {
	v.t.Helper()
	v.run++
	n := alert.Noticed{Run: store.Run{
		ID: v.run, Workspace: "w", Scope: scope, State: state, Started: v.now, Finished: v.now.Add(time.Second), Failures: failures, Failed: len(failures),
	}}
	window := store.Window{After: v.lastEnd, Before: v.now.Add(time.Second)}
	n.Saw = map[string]bool{}
	for _, id := range sorted(sights) {
		n.Unchanged++
		n.Saw[id] = true
		v.see(&n, id, sights[id], window)
	}
	v.lastEnd = window.Before
	if state == store.Complete && scope == store.ScopeAll {
		v.complete = append([]store.Run{n.Run}, v.complete...)
		n.Saw = nil
	}
	if alert.Silent(n.Run) {
		v.pending.Steps = append(v.pending.Steps, n.Steps...)
		v.pending.Changes = append(v.pending.Changes, n.Changes...)
		for id, squids := range n.Lost {
			lose(&v.pending, id, squids)
		}
		n.Steps, n.Changes, n.Lost = nil, nil, nil
	} else {
		n.Steps = append(v.pending.Steps, n.Steps...)
		n.Changes = append(v.pending.Changes, n.Changes...)
		for id, squids := range v.pending.Lost {
			lose(&n, id, squids)
		}
		v.pending = alert.Noticed{}
		n.Concluded = v.concluded(n.Steps)
	}
	v.evaluate(&n)
}

func lose(n *alert.Noticed, id string, squids []store.Squid) {
	if n.Lost == nil {
		n.Lost = map[string][]store.Squid{}
	}
	n.Lost[id] = append(n.Lost[id], squids...)
}

// see notes what is new about an account.
func (v *village) see(n *alert.Noticed, id string, s sight, window store.Window) {
	was, known := v.seen[id]
	now := store.AccountState{Workspace: "w", ID: id, FirstSeen: was.FirstSeen, SeenAt: window.Before, HealthSince: was.HealthSince}
	now.Facts = store.Facts{
		Username: "user-" + id[:1] + v.text, Type: "linkedin-sync" + v.text, Health: s.health, Info: "info-" + string(s.health) + v.text, LockedUntil: s.until,
	}
	step := store.StatusStep{Account: id, Username: now.Facts.Username, HealthBefore: was.Facts.Health, HealthAfter: s.health, InfoAfter: now.Facts.Info, Window: window, Run: n.ID}
	if !known {
		now.FirstSeen, step.Window.After = window.Before, time.Time{}
	}
	if s.health != store.Gone {
		for _, squid := range s.squids {
			now.Facts.Squids = append(now.Facts.Squids, store.Squid{ID: squid, Name: "Squid " + squid + v.text})
		}
	}
	if step.HealthBefore != step.HealthAfter {
		now.HealthSince = step.Window
		n.Steps = append(n.Steps, step)
		v.steps[id] = append(v.steps[id], step)
	}
	switch {
	case !known || was.Facts.Health == store.Gone:
	case s.health == store.Gone:
		lose(n, id, was.Facts.Squids)
	default:
		n.Changes = append(n.Changes, assignmentChanges(n.ID, id, window, was.Facts.Squids, now.Facts.Squids)...)
	}
	v.seen[id] = now
}

func assignmentChanges(run int64, account string, window store.Window, was, now []store.Squid) (changes []store.AccountChange) {
	add := func(kind store.Kind, s store.Squid) {
		name, _ := json.Marshal(s.Name)
		c := store.AccountChange{Account: account, Username: "user-" + account[:1], Window: window, Run: run, Change: store.Change{Kind: kind, Path: "/squids/" + s.ID}}
		if kind == store.SquidUnassigned {
			c.Old = name
		} else {
			c.New = name
		}
		changes = append(changes, c)
	}
	for _, s := range now {
		if !slices.Contains(was, s) {
			add(store.SquidAssigned, s)
		}
	}
	for _, s := range was {
		if !slices.Contains(now, s) {
			add(store.SquidUnassigned, s)
		}
	}
	return changes
}

// concluded is what was known of accounts before they were unknown.
func (v *village) concluded(steps []store.StatusStep) map[string]store.Health {
	concluded := map[string]store.Health{}
	first := map[string]bool{}
	for _, step := range steps {
		if first[step.Account] || step.HealthBefore != store.Unknown {
			first[step.Account] = true
			continue
		}
		first[step.Account] = true
		for _, before := range v.steps[step.Account] {
			if before.Window.Before.Before(step.Window.Before) && before.HealthAfter != store.Unknown {
				concluded[step.Account] = before.HealthAfter
			}
		}
	}
	return concluded
}

// tick is an evaluation without a run.
func (v *village) tick() {
	v.t.Helper()
	v.evaluate(nil)
}

func (v *village) evaluate(n *alert.Noticed) {
	v.t.Helper()
	in := alert.Input{
		Workspace: "w", Now: v.now, Rules: v.rules, Place: v.place, Alerts: v.holding(), Silences: v.silences, Run: n, Last: true,
		Accounts: v.seen, Complete: v.complete, Launches: v.launches, LockedUntil: map[string]time.Time{},
	}
	for _, a := range in.Alerts {
		if a.Condition == store.AccountLocked && v.seen[a.Account].Facts.Health == store.Locked {
			in.LockedUntil[a.Account] = v.seen[a.Account].SeenAt
		}
	}
	for _, a := range v.alerts {
		if a.EndedAt.After(v.place.Digest) {
			in.Ended = append(in.Ended, a)
		}
	}
	v.save(alert.Evaluate(in))
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// hash makes an id of a letter.
func hash(letter string) string { return letter + "0000000000000000000000000000000" }
