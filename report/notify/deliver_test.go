package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

func TestDeliverSendsInOrderAndOnce(t *testing.T) {
	b, one, two := newOutbox(t), newReceiver(t), newReceiver(t)
	for range 3 {
		b.queue("one", "two")
		b.now = b.now.Add(time.Second)
	}
	b.queue("two")
	got := b.deliver(one.sink(t, "one"), two.sink(t, "two"))
	if diff := cmp.Diff([]Result{{Sink: "one", Delivered: 3}, {Sink: "two", Delivered: 4}}, got); diff != "" {
		t.Error(diff)
	}
	if one, two := one.take(), two.take(); one != "m1 m2 m3" || two != "m1 m2 m3 m4" {
		t.Error(one, two)
	}
	b.wantState("m1 one delivered 1", "m1 two delivered 1", "m2 one delivered 1", "m2 two delivered 1", "m3 one delivered 1", "m3 two delivered 1", "m4 two delivered 1")
	if got := b.deliver(one.sink(t, "one"), two.sink(t, "two")); got != nil || one.take() != "" {
		t.Error("sent again: ", got)
	}
}

// A sink that does not work gets nothing else until its oldest message is due again: a
// recovery must not overtake its alert.
func TestDeliverKeepsTheOrderOfASinkThatFails(t *testing.T) {
	b, r := newOutbox(t), newReceiver(t)
	b.queue("ops")
	b.queue("ops")
	r.answers(500)
	want := Result{Sink: "ops", Failed: 1, Waiting: 2, NextAt: b.now.Add(time.Minute), Error: "answered 500 Internal Server Error"}
	if diff := cmp.Diff([]Result{want}, b.deliver(r.sink(t, "ops"))); diff != "" {
		t.Error(diff)
	}
	b.wantState("m1 ops waiting 1 in 1m0s pause answered 500 Internal Server Error", "m2 ops waiting 0 in 0s")
	r.take()
	b.now = b.now.Add(59 * time.Second)
	b.queue("ops")
	want.Failed, want.Waiting = 0, 3
	if diff := cmp.Diff([]Result{want}, b.deliver(r.sink(t, "ops"))); diff != "" || r.take() != "" {
		t.Error("it was not left alone", diff)
	}
	b.now = b.now.Add(time.Second)
	b.deliver(r.sink(t, "ops"))
	b.wantState("m1 ops waiting 2 in 2m0s pause answered 500 Internal Server Error", "m2 ops waiting 0 in -1m0s", "m3 ops waiting 0 in -1s")
	r.take()
	r.answers(204)
	b.now = b.now.Add(2 * time.Minute)
	b.deliver(r.sink(t, "ops"))
	if keys := r.take(); keys != "m1 m2 m3" {
		t.Error(keys)
	}
	b.wantState("m1 ops delivered 3", "m2 ops delivered 1", "m3 ops delivered 1")
}

// A message that breaks its sink holds the others back for a while, not for ever.
func TestDeliverIsNotBlockedByOneMessage(t *testing.T) {
	for name, code := range map[string]int{"rejected": 400, "breaks the sink": 500} {
		t.Run(name, func(t *testing.T) {
			b, r := newOutbox(t), newReceiver(t)
			b.queue("ops")
			b.queue("ops")
			r.answer = func(key string, w http.ResponseWriter) {
				if key == "m1" {
					w.WriteHeader(code)
				}
			}
			passes := 0
			for ; passes < 20 && !strings.Contains(r.take(), "m2"); passes++ {
				b.deliver(r.sink(t, "ops"))
				b.now = b.now.Add(time.Hour)
			}
			if want := map[int]int{400: 1, 500: holdAttempts}[code]; passes != want {
				t.Errorf("after %d passes, want %d", passes, want)
			}
			if state := b.state(); !strings.HasPrefix(state[0], "m1 ops waiting") || state[1] != "m2 ops delivered 1" {
				t.Error(state)
			}
		})
	}
}

func TestDeliverHonoursRetryAfter(t *testing.T) {
	b, r := newOutbox(t), newReceiver(t)
	b.queue("ops")
	r.answers(429, "Retry-After", "7200")
	b.deliver(r.sink(t, "ops"))
	b.wantState("m1 ops waiting 1 in 2h0m0s pause asked answered 429 Too Many Requests")
	r.take()
	r.answers(200)
	b.now = b.now.Add(2*time.Hour - time.Second)
	b.queue("ops")
	if b.deliver(r.sink(t, "ops")); r.take() != "" {
		t.Error("something was sent before")
	}
	b.now = b.now.Add(time.Second)
	if b.deliver(r.sink(t, "ops")); r.take() != "m1 m2" {
		t.Error("not sent after")
	}
}

// TestDeliverAtOnce: who asks for it does not wait for the back-off, but still for what the
// sink asked for.
func TestDeliverAtOnce(t *testing.T) {
	b, r := newOutbox(t), newReceiver(t)
	b.queue("ops")
	again := func() string {
		b.deliverWith(Options{Retry: true}, r.sink(t, "ops"))
		return r.take()
	}
	r.answers(500)
	for attempt := range 3 {
		if got := again(); got != "m1" {
			t.Errorf("attempt %d sent %q", attempt+1, got)
		}
	}
	r.answers(429, "Retry-After", "7200")
	again()
	r.answers(200)
	if got := again(); got != "" {
		t.Errorf("%q was sent although the sink had asked for time", got)
	}
}

// A sink is one for all workspaces.
func TestDeliverOfOneWorkspaceKnowsTheOthers(t *testing.T) {
	b, r := newOutbox(t), newReceiver(t)
	sink := webhookTo(t, r.url, func(s *Settings) { s.PerMinute = 2 })
	acme, globex := Options{Workspace: "acme"}, Options{Workspace: "globex"}
	b.queueIn("acme", "ops")
	b.queueIn("globex", "ops")
	r.answers(503)
	b.deliverWith(acme, sink)
	if keys := r.take(); keys != "m1" {
		t.Error(keys)
	}
	want := Result{Sink: "ops", Waiting: 1, NextAt: b.now.Add(time.Minute)}
	if diff := cmp.Diff([]Result{want}, b.deliverWith(globex, sink)); diff != "" || r.take() != "" {
		t.Error("it was not left alone", diff)
	}
	r.answers(200)
	b.now = b.now.Add(time.Minute)
	b.queueIn("globex", "ops")
	b.deliverWith(acme, sink)
	b.deliverWith(globex, sink)
	if keys := r.take(); keys != "m1 m2" {
		t.Error("more than two in a minute:", keys)
	}
}

func TestDeliverSendsSoManyAMinute(t *testing.T) {
	b, r := newOutbox(t), newReceiver(t)
	sink := webhookTo(t, r.url, func(s *Settings) { s.PerMinute = 2 })
	for range 5 {
		b.queue("ops")
	}
	b.now = b.now.Add(time.Second)
	if diff := cmp.Diff([]Result{{Sink: "ops", Delivered: 2, Waiting: 3, NextAt: day}}, b.deliver(sink)); diff != "" || r.take() != "m1 m2" {
		t.Error(diff)
	}
	b.now = b.now.Add(59 * time.Second)
	if b.deliver(sink); r.take() != "" {
		t.Error("three in a minute")
	}
	b.now = b.now.Add(time.Second)
	if b.deliver(sink); r.take() != "m3 m4" {
		t.Error("not two in the next minute")
	}
	b.now = b.now.Add(-24 * time.Hour) // the clock is set back
	if b.deliver(sink); r.take() != "m5" {
		t.Error("the clock stops deliveries")
	}
}

func TestDeliverDropsForSinksThatAreNoLongerConfigured(t *testing.T) {
	b, r := newOutbox(t), newReceiver(t)
	b.queue("old", "ops", "broken")
	b.queue("old")
	r.answers(500)
	old := r.sink(t, "old")
	b.deliverWith(Options{Broken: map[string]error{"ops": errors.New("x"), "broken": errors.New("x")}}, old)
	b.wantState("m1 broken waiting 0 in 0s", "m1 old waiting 1 in 1m0s pause answered 500 Internal Server Error", "m1 ops waiting 0 in 0s", "m2 old waiting 0 in 0s")
	r.answers(200)
	if diff := cmp.Diff([]Result{
		{Sink: "broken", Waiting: 1, NextAt: b.now}, {Sink: "old", Waiting: 2, NextAt: b.now.Add(time.Minute), Error: "answered 500 Internal Server Error"}, {Sink: "ops", Waiting: 1, NextAt: b.now},
	}, b.deliver()); diff != "" {
		t.Error("without a configuration: ", diff)
	}
	got := b.deliverWith(Options{Broken: map[string]error{"broken": errors.New("the variable X is not set")}}, r.sink(t, "ops"))
	want := []Result{{Sink: "broken", Waiting: 1, NextAt: b.now, Error: "the variable X is not set"}, {Sink: "old", Dropped: 2}, {Sink: "ops", Delivered: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	b.wantState("m1 broken waiting 0 in 0s", "m1 old dropped 1 the sink is no longer configured", "m1 ops delivered 1", "m2 old dropped 0 the sink is no longer configured")
}

// A clock that was wrong makes no delivery wait for ever.
func TestDeliverForgetsTimesThatCannotBe(t *testing.T) {
	b, r := newOutbox(t), newReceiver(t)
	b.queue("ops")
	b.now = b.now.AddDate(1, 0, 0)
	b.queue("ops")
	r.answers(500)
	b.deliver(r.sink(t, "ops"))
	b.now = b.now.AddDate(-1, 0, 0)
	r.take()
	r.answers(200)
	if b.deliver(r.sink(t, "ops")); r.take() != "m1 m2" {
		t.Error(b.state())
	}
}

func TestDeliverIsBounded(t *testing.T) {
	b, r := newOutbox(t), newReceiver(t)
	silent := "http://" + talk(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	hanging := webhookTo(t, silent, func(s *Settings) { s.Name, s.Timeout = "hangs", 10*time.Second })
	for range 10 {
		b.queue("hangs", "ops")
	}
	began := time.Now()
	got := b.deliverWith(Options{Within: 300 * time.Millisecond}, hanging, r.sink(t, "ops"))
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	want := []Result{{Sink: "hangs", Failed: 1, Waiting: 10, NextAt: b.now.Add(time.Minute), Error: "no answer in time"}, {Sink: "ops", Delivered: 10}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An interrupt says nothing about the sink. What was delivered before is on record.
func TestDeliverInterrupted(t *testing.T) {
	b, r := newOutbox(t), newReceiver(t)
	b.queue("ops")
	b.queue("ops")
	ctx, cancel := context.WithCancelCause(t.Context())
	stop, release := errors.New("stop"), make(chan bool)
	r.answer = func(key string, _ http.ResponseWriter) {
		if key == "m2" {
			cancel(stop)
			<-release
		}
	}
	_, err := Deliver(ctx, b.store, []Sink{r.sink(t, "ops")}, Options{Now: func() time.Time { return b.now }})
	close(release)
	if !errors.Is(err, stop) {
		t.Error(err)
	}
	b.wantState("m1 ops delivered 1", "m2 ops waiting 0 in 0s")
}

// The id of the message is the idempotency key, whatever its body says.
func TestDeliverSendsTheIDOfTheMessage(t *testing.T) {
	b, r := newOutbox(t), newReceiver(t)
	err := b.store.SaveMessages(t.Context(), store.Message{ID: "m0", Workspace: "acme", Event: "test", At: b.now, Body: json.RawMessage(`{"id":"other"}`), Sinks: []string{"ops"}})
	if err != nil {
		t.Fatal(err)
	}
	if b.deliver(r.sink(t, "ops")); r.take() != "m0" {
		t.Error("another id")
	}
}

func TestDeliverDropsDamagedMessages(t *testing.T) {
	b, r := newOutbox(t), newReceiver(t)
	err := b.store.SaveMessages(t.Context(), store.Message{
		ID: "m0", Workspace: "acme", Event: "test", At: b.now, Body: json.RawMessage(`{"items":"none"}`), Sinks: []string{"ops"},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.queue("ops")
	b.deliver(r.sink(t, "ops"))
	b.wantState("m0 ops dropped 0 the message is damaged", "m1 ops delivered 1")
}

// Secrets of sinks are in no file of the store, whatever a sink answers.
func TestDeliverStoresNoSecret(t *testing.T) {
	b := newOutbox(t)
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.URL.String())
		http.Error(w, "no route for "+r.URL.String()+" with "+r.Header.Get("Lobstrail-Signature"), 404)
	}))
	defer echo.Close()
	daemon := startMail(t, "starttls", "alerts", mailPassword)
	sinks := []Sink{
		webhookTo(t, echo.URL, nil), webhookTo(t, "http://127.0.0.1:1", func(s *Settings) { s.Name = "refused" }),
		webhookTo(t, "https://no-such-name.invalid", func(s *Settings) { s.Name = "unknown" }),
		emailTo(t, daemon.port, func(s *Settings) { s.Password += "-wrong" }), // which the server repeats
	}
	b.queue("ops", "refused", "unknown", "mail")
	if results := b.deliver(sinks...); len(results) != 4 || slices.ContainsFunc(results, func(r Result) bool { return r.Failed != 1 }) {
		t.Errorf("%+v", results)
	}
	files, err := filepath.Glob(b.path + "*")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	found := false
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found = found || strings.Contains(string(raw), "answered 404 Not Found")
		if strings.Contains(string(raw), "canary") {
			t.Errorf("%s has a secret", file)
		}
	}
	if !found {
		t.Error("the outcome is in no file")
	}
}
