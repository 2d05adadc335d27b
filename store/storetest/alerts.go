package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// Alerting is the law that what is saved of alerts, messages, deliveries, silences and
// cursors is what is read, whatever comes in which order; that nothing is written when
// something is refused; and that no number is given twice.
func Alerting(t *testing.T, open Opener) {
	base := newDesk(t, open)
	count := 0
	rapid.Check(t, func(t *rapid.T) {
		count++
		m := newWatcher(t, base.in(t, fmt.Sprintf("alerts %d", count)))
		for range rapid.IntRange(10, 40).Draw(t, "steps") {
			m.desk.advance(time.Hour)
			rapid.SampledFrom([]func(){
				m.evaluate, m.evaluate, m.evaluate, m.deliver, m.deliver, m.test, m.silence, m.silence, m.unsilence, m.unsilence, m.seen, m.forget,
				m.look,
			}).Draw(t, "step")()
			m.compare()
		}
	})
	base.verifies()
}

// watcher evaluates alerts of a workspace at random, and keeps in memory what a store is
// to keep.
type watcher struct {
	*rapid.T
	desk       *desk
	runs       int64
	place      store.AlertPlace
	alerts     map[int64]store.Alert
	given      int64 // numbers of alerts
	deliveries []store.Delivery
	silences   []store.Silence
	silenced   int64 // numbers of silences
	cursors    map[string]int64
}

func newWatcher(t *rapid.T, d *desk) *watcher {
	m := &watcher{T: t, desk: d, alerts: map[int64]store.Alert{}, cursors: map[string]int64{}}
	m.look()
	return m
}

// look is a run. It shows two accounts and a squid.
func (m *watcher) look() {
	m.desk.look(store.List, object(0, `"squids":[{"id":"s0","name":"Leads"}]`), object(1, ""))
	m.runs++
}

// moment is now, or some hours before or after, with a fraction that is no millisecond.
func (m *watcher) moment() time.Time {
	by := rapid.SampledFrom([]time.Duration{0, -time.Hour, time.Hour, -9 * time.Hour}).Draw(m.T, "by")
	return m.desk.now.Add(by + time.Microsecond)
}

// kept is an instant as a store keeps it.
func kept(t time.Time) time.Time { return t.Truncate(time.Millisecond) }

// alert is about something, and holds.
func (m *watcher) alert() store.Alert {
	a := store.Alert{
		Condition: rapid.SampledFrom(store.Conditions).Draw(m.T, "condition"),
		Account:   rapid.SampledFrom([]string{"", id(0), id(1)}).Draw(m.T, "account"),
		Squid:     rapid.SampledFrom([]string{"", "s0"}).Draw(m.T, "squid"),
		Limit:     rapid.SampledFrom([]string{"", "posts"}).Draw(m.T, "limit"),
		Run:       rapid.Int64Range(0, m.runs).Draw(m.T, "run"),
	}
	if rapid.Bool().Draw(m.T, "window") {
		a.Window = store.Window{After: kept(*m.desk.now).Add(-time.Hour), Before: kept(*m.desk.now)}
	}
	m.vary(&a)
	return a
}

// vary changes what may change of an alert.
func (m *watcher) vary(a *store.Alert) {
	a.Polls++
	a.Silenced = rapid.Bool().Draw(m.T, "silenced")
	a.Detail = json.RawMessage(fmt.Sprintf(`{"polls": %d, "more": [1, "ü"]}`, a.Polls))
	if rapid.Bool().Draw(m.T, "fires") && a.FiredAt.IsZero() {
		a.FiredAt = kept(m.moment())
	}
	if !a.FiredAt.IsZero() {
		a.Told = rapid.Bool().Draw(m.T, "told")
		a.Reminders = rapid.IntRange(0, 3).Draw(m.T, "reminders")
		if rapid.IntRange(0, 3).Draw(m.T, "ends") == 0 {
			a.EndedAt = kept(m.moment())
		}
	}
}

// evaluate saves a delta, after one that must be refused.
func (m *watcher) evaluate() {
	d := store.AlertDelta{From: m.place, To: store.AlertPlace{Run: m.runs, At: kept(*m.desk.now), Digest: m.place.Digest}}
	if rapid.Bool().Draw(m.T, "digest") {
		d.To.Digest = kept(*m.desk.now)
	}
	after := maps.Clone(m.alerts)
	for _, number := range slices.Sorted(maps.Keys(m.alerts)) {
		a := m.alerts[number]
		switch rapid.IntRange(0, 2).Draw(m.T, "then") {
		case 0:
			if a.FiredAt.IsZero() {
				d.Forget = append(d.Forget, a.ID)
				delete(after, a.ID)
			}
		case 1:
			if a.EndedAt.IsZero() {
				m.vary(&a)
				d.Update, after[a.ID] = append(d.Update, a), a
			}
		}
	}
	given, holds := m.given, map[string]bool{}
	for _, a := range after {
		holds[about(a)] = holds[about(a)] || a.EndedAt.IsZero()
	}
	for range rapid.IntRange(0, 3).Draw(m.T, "begin") {
		a := m.alert()
		if holds[about(a)] {
			continue
		}
		holds[about(a)] = a.EndedAt.IsZero()
		d.Begin = append(d.Begin, a)
		given++
		a.ID = given
		after[given] = a
	}
	for range rapid.IntRange(0, 2).Draw(m.T, "messages") {
		d.Messages = append(d.Messages, m.message())
	}
	m.refused(d)
	m.desk.must(m.desk.store.SaveAlerts(m.desk.ctx, m.desk.workspace, d))
	m.place, m.alerts, m.given = d.To, after, given
	m.queue(d.Messages...)
}

func about(a store.Alert) string {
	return fmt.Sprint(a.Condition, "\x00", a.Account, "\x00", a.Squid, "\x00", a.Limit)
}

// refused saves the delta with one thing in it that is wrong: that must be refused.
func (m *watcher) refused(d store.AlertDelta) {
	want := store.ErrInvalid
	wrong := store.Alert{Condition: store.Stale, Detail: json.RawMessage(`{}`)}
	d.Begin, d.Update, d.Forget = slices.Clone(d.Begin), slices.Clone(d.Update), slices.Clone(d.Forget)
	d.Messages = slices.Clone(d.Messages)
	switch rapid.IntRange(0, 13).Draw(m.T, "wrong") {
	case 0:
		d.From.Run++
		want = store.ErrConflict
	case 1:
		d.From.At = d.From.At.Add(time.Second)
		want = store.ErrConflict
	case 2:
		wrong.Condition = "wrong"
		d.Begin = append(d.Begin, wrong)
	case 3:
		wrong.Account, want = id(2), store.ErrNotFound
		d.Begin = append(d.Begin, wrong)
	case 4:
		wrong.Squid, want = "s1", store.ErrNotFound
		d.Begin = append(d.Begin, wrong)
	case 5:
		d.Update, want = append(d.Update, store.Alert{ID: m.given + 1, Condition: store.Stale, Detail: wrong.Detail}), store.ErrNotFound
	case 6:
		d.Forget, want = append(d.Forget, m.given+1), store.ErrNotFound
	case 7:
		wrong.Condition, wrong.Limit = store.LimitNearlyUsed, "only here"
		d.Begin = append(d.Begin, wrong, wrong)
	case 8:
		message := m.message()
		message.Accounts, want = []string{id(2)}, store.ErrNotFound
		d.Messages = append(d.Messages, message)
	case 9:
		message := m.message()
		message.Body = json.RawMessage(`[]`)
		d.Messages = append(d.Messages, message)
	case 10:
		d.To.Run, want = m.runs+1, store.ErrNotFound
	case 11:
		wrong.Detail = json.RawMessage(`{`)
		d.Begin = append(d.Begin, wrong)
	case 12:
		d.From.Digest, want = d.From.Digest.Add(time.Second), store.ErrConflict
	default:
		for _, a := range m.alerts {
			if !a.FiredAt.IsZero() { // only what is pending can be forgotten
				d.Forget = append(d.Forget, a.ID)
			}
		}
		if want = store.ErrNotFound; !slices.ContainsFunc(d.Forget, func(id int64) bool { return !m.alerts[id].FiredAt.IsZero() }) {
			return
		}
	}
	if err := m.desk.store.SaveAlerts(m.desk.ctx, m.desk.workspace, d); !errors.Is(err, want) {
		m.Fatalf("%+v: %v, want %v", d, err, want)
	}
}
