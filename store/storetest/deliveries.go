package storetest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// message is one of a few, so that some are there already.
func (m *watcher) message() store.Message {
	message := store.Message{
		ID: fmt.Sprintf("m%d", rapid.IntRange(0, 9).Draw(m.T, "message")), Workspace: m.desk.workspace,
		Event: "fired", Condition: rapid.SampledFrom(store.Conditions).Draw(m.T, "condition"), Run: m.runs, At: kept(m.moment()),
		Accounts: []string{}, Sinks: []string{"a"}, Body: json.RawMessage(fmt.Sprintf(`{"big": 12345678901234567890, "at": "%d"}`, m.runs)),
	}
	if rapid.Bool().Draw(m.T, "two sinks") {
		message.Sinks = []string{"b", "a"}
	}
	if rapid.Bool().Draw(m.T, "accounts") {
		message.Accounts = []string{id(0), id(1)}
	}
	return message
}

// queue adds the deliveries of messages that are new.
func (m *watcher) queue(messages ...store.Message) {
	for _, message := range messages {
		if slices.ContainsFunc(m.deliveries, func(d store.Delivery) bool { return d.ID == message.ID }) {
			continue
		}
		for _, sink := range slices.Sorted(slices.Values(message.Sinks)) {
			m.deliveries = append(m.deliveries, store.Delivery{Message: message, Sink: sink, State: store.Waiting, NextAt: message.At})
		}
	}
}

// test saves a message that belongs to no evaluation.
func (m *watcher) test() {
	message := m.message()
	message.Event, message.Condition, message.Run = "test", "", 0
	m.desk.must(m.desk.store.SaveMessages(m.desk.ctx, message))
	m.queue(message)
	message.Workspace = "nobody"
	if err := m.desk.store.SaveMessages(m.desk.ctx, message); !errors.Is(err, store.ErrNotFound) {
		m.Fatalf("a message of no workspace: %v", err)
	}
}

// deliver saves how an attempt ended.
func (m *watcher) deliver() {
	wrong := store.Delivery{
		Message: store.Message{Workspace: m.desk.workspace, ID: "m0"}, Sink: "c", State: store.Delivered, Attempts: 1, EndedAt: *m.desk.now,
	}
	if err := m.desk.store.SaveDelivery(m.desk.ctx, wrong); !errors.Is(err, store.ErrNotFound) {
		m.Fatalf("a delivery to a sink that the message has not: %v", err)
	}
	if len(m.deliveries) == 0 {
		return
	}
	d := &m.deliveries[rapid.IntRange(0, len(m.deliveries)-1).Draw(m.T, "delivery")]
	d.Attempts++
	d.State = rapid.SampledFrom(store.DeliveryStates).Draw(m.T, "state")
	d.NextAt, d.EndedAt, d.Error, d.Pause, d.Asked = time.Time{}, kept(m.moment()), "", false, false
	if d.State == store.Waiting {
		d.NextAt, d.EndedAt, d.Error = d.EndedAt, time.Time{}, "HTTP 500"
		d.Pause = rapid.Bool().Draw(m.T, "pause")
		d.Asked = d.Pause && rapid.Bool().Draw(m.T, "asked")
	}
	m.desk.must(m.desk.store.SaveDelivery(m.desk.ctx, *d))
	neither := *d
	neither.NextAt, neither.EndedAt = neither.EndedAt, neither.NextAt
	if err := m.desk.store.SaveDelivery(m.desk.ctx, neither); !errors.Is(err, store.ErrInvalid) {
		m.Fatalf("%+v: %v", neither, err)
	}
}

func (m *watcher) silence() {
	s := store.Silence{Reason: "known", From: *m.desk.now, Until: m.desk.now.Add(3 * time.Hour)}
	for _, refused := range []store.Silence{s, {Type: "t", From: s.From, Until: s.Until}, {Type: "t", Reason: "r", From: s.Until, Until: s.From}} {
		if _, err := m.desk.store.AddSilence(m.desk.ctx, m.desk.workspace, refused); !errors.Is(err, store.ErrInvalid) {
			m.Fatalf("%+v: %v", refused, err)
		}
	}
	*rapid.SampledFrom([]*string{&s.Account, &s.Squid}).Draw(m.T, "stranger") = "unknown"
	if _, err := m.desk.store.AddSilence(m.desk.ctx, m.desk.workspace, s); !errors.Is(err, store.ErrNotFound) {
		m.Fatalf("%+v: %v", s, err)
	}
	s.Account, s.Squid = "", ""
	switch rapid.IntRange(0, 2).Draw(m.T, "about") {
	case 0:
		s.Account = id(1)
	case 1:
		s.Squid = "s0"
	default:
		s.Type = "x-sync"
	}
	number, err := m.desk.store.AddSilence(m.desk.ctx, m.desk.workspace, s)
	m.desk.must(err)
	m.silenced++
	if s.ID = number; number != m.silenced {
		m.Fatalf("silence %d has the number %d", m.silenced, number)
	}
	m.silences = append(m.silences, s)
}

func (m *watcher) unsilence() {
	number, ends := rapid.Int64Range(0, m.silenced+1).Draw(m.T, "silence"), false
	at := kept(m.moment())
	for i := range m.silences {
		if s := &m.silences[i]; s.ID == number && s.Until.After(at) {
			s.Until, ends = at, true
			if at.Before(s.From) {
				s.Until = s.From
			}
		}
	}
	if err := m.desk.store.EndSilence(m.desk.ctx, m.desk.workspace, number, at); ends != (err == nil) || err != nil && !errors.Is(err, store.ErrNotFound) {
		m.Fatalf("silence %d of %v at %s: %v", number, m.silences, at, err)
	}
}

// seen moves the cursor of a consumer, forward or back.
func (m *watcher) seen() {
	consumer, run := rapid.SampledFrom([]string{"a", "b"}).Draw(m.T, "consumer"), rapid.Int64Range(0, m.runs).Draw(m.T, "run")
	m.desk.must(m.desk.store.SaveCursor(m.desk.ctx, m.desk.workspace, consumer, run))
	m.cursors[consumer] = run
	if err := m.desk.store.SaveCursor(m.desk.ctx, m.desk.workspace, "c", m.runs+1); !errors.Is(err, store.ErrNotFound) {
		m.Fatalf("a run to come: %v", err)
	}
	if err := m.desk.store.SaveCursor(m.desk.ctx, m.desk.workspace, "", m.runs); !errors.Is(err, store.ErrInvalid) {
		m.Fatalf("a cursor without a name: %v", err)
	}
}

// forget deletes what is over. It touches the other workspaces too.
func (m *watcher) forget() {
	before := kept(m.moment())
	m.desk.must(m.desk.store.ForgetAlerts(m.desk.ctx, before))
	over := func(at time.Time) bool { return !at.IsZero() && at.Before(before) }
	for number, a := range m.alerts {
		if over(a.EndedAt) {
			delete(m.alerts, number)
		}
	}
	m.silences = slices.DeleteFunc(m.silences, func(s store.Silence) bool { return over(s.Until) })
	left := map[string]bool{}
	for _, d := range m.deliveries {
		left[d.ID] = left[d.ID] || !over(d.EndedAt)
	}
	m.deliveries = slices.DeleteFunc(m.deliveries, func(d store.Delivery) bool { return !left[d.ID] })
}

// compare reads everything.
func (m *watcher) compare() {
	d, ctx, workspace := m.desk, m.desk.ctx, m.desk.workspace
	place, err := d.store.AlertPlace(ctx, workspace)
	d.must(err)
	m.same("place", place, m.place)
	since, due := *d.now, *d.now
	var holding, every, recent []store.Alert
	for number := int64(1); number <= m.given; number++ {
		a, there := m.alerts[number]
		if !there {
			continue
		}
		every = append(every, a)
		if a.EndedAt.IsZero() {
			holding = append(holding, a)
		}
		if a.EndedAt.IsZero() || a.EndedAt.After(since) {
			recent = append(recent, a)
		}
	}
	m.same("alerts that hold", all(d, d.store.Alerts(ctx, store.AlertQuery{Workspace: workspace})), holding)
	m.same("all alerts", all(d, d.store.Alerts(ctx, store.AlertQuery{Workspace: workspace, Over: true})), every)
	m.same("recent alerts", all(d, d.store.Alerts(ctx, store.AlertQuery{Workspace: workspace, Over: true, Since: since})), recent)
	silences, err := d.store.Silences(ctx, workspace, time.Time{})
	d.must(err)
	m.same("silences", silences, m.silences)
	silences, err = d.store.Silences(ctx, workspace, *d.now)
	d.must(err)
	m.same("silences that last", silences, kind(m.silences, func(s store.Silence) bool { return s.Until.After(*d.now) }))
	deliveries := slices.Clone(m.deliveries)
	slices.SortStableFunc(deliveries, func(a, b store.Delivery) int { return cmp.Compare(a.At.UnixMilli(), b.At.UnixMilli()) })
	m.same("deliveries", all(d, d.store.Deliveries(ctx, store.DeliveryQuery{Workspace: workspace})), deliveries)
	m.same("deliveries that are due", all(d, d.store.Deliveries(ctx, store.DeliveryQuery{Workspace: workspace, DueAt: due})),
		kind(deliveries, func(d store.Delivery) bool { return d.State == store.Waiting && !d.NextAt.After(due) }))
	m.same("recent deliveries", all(d, d.store.Deliveries(ctx, store.DeliveryQuery{Workspace: workspace, Since: since})),
		kind(deliveries, func(d store.Delivery) bool { return d.EndedAt.IsZero() || d.EndedAt.After(since) }))
	for _, consumer := range []string{"a", "b", "c"} {
		run, err := d.store.Cursor(ctx, workspace, consumer)
		d.must(err)
		m.same("cursor "+consumer, run, m.cursors[consumer])
	}
}

// kind are the values that the function is true of.
func kind[T any](values []T, is func(T) bool) (some []T) {
	for _, value := range values {
		if is(value) {
			some = append(some, value)
		}
	}
	return some
}

func (m *watcher) same(what string, got, want any) {
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) && !reflect.DeepEqual(got, want) {
		m.Fatalf("%s:\n%+v\nwant\n%+v", what, got, want)
	}
}
