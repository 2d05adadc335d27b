package notify

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// outbox is a store with messages, and a clock.
type outbox struct {
	t     *testing.T
	store *sqlite.Store
	path  string
	now   time.Time
	saved int
}

func newOutbox(t *testing.T) *outbox {
	t.Helper()
	b := &outbox{t: t, path: filepath.Join(t.TempDir(), "store.db"), now: day}
	s, _, err := sqlite.OpenWriter(t.Context(), b.path, sqlite.Options{Now: func() time.Time { return b.now }, Rules: report.Rules()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b.store = s
	for _, workspace := range []string{"acme", "globex"} { // which begin with a run
		run, err := s.Begin(t.Context(), workspace, store.ScopeAll)
		if err == nil {
			err = run.Finish(t.Context(), store.Outcome{State: store.Failed})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// queue stores a message to sinks. Its id is m1, m2, and so on.
func (b *outbox) queue(sinks ...string) {
	b.t.Helper()
	b.queueIn("acme", sinks...)
}

func (b *outbox) queueIn(workspace string, sinks ...string) {
	b.t.Helper()
	b.saved++
	body := expiredBody()
	body.ID = fmt.Sprintf("m%d", b.saved)
	raw, err := json.Marshal(body)
	if err == nil {
		err = b.store.SaveMessages(b.t.Context(), store.Message{
			ID: body.ID, Workspace: workspace, Event: "fired", Condition: body.Condition, At: b.now, Body: raw, Sinks: sinks,
		})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// deliver delivers to sinks by the clock of the outbox.
func (b *outbox) deliver(sinks ...Sink) []Result {
	b.t.Helper()
	return b.deliverWith(Options{}, sinks...)
}

func (b *outbox) deliverWith(o Options, sinks ...Sink) []Result {
	b.t.Helper()
	o.Now, o.Jitter = func() time.Time { return b.now }, func() float64 { return 0 }
	results, err := Deliver(b.t.Context(), b.store, sinks, o)
	if err != nil {
		b.t.Fatal(err)
	}
	return results
}

// state writes each delivery in a line.
func (b *outbox) state() (lines []string) {
	b.t.Helper()
	for d, err := range b.store.Deliveries(b.t.Context(), store.DeliveryQuery{}) {
		if err != nil {
			b.t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s %s %d", d.ID, d.Sink, d.State, d.Attempts)
		if d.State == store.Waiting {
			line += fmt.Sprintf(" in %v", d.NextAt.Sub(b.now))
		}
		if d.Pause {
			line += " pause"
		}
		if d.Asked {
			line += " asked"
		}
		lines = append(lines, strings.TrimSpace(line+" "+d.Error))
	}
	return lines
}

func (b *outbox) wantState(lines ...string) {
	b.t.Helper()
	if diff := cmp.Diff(lines, b.state()); diff != "" {
		b.t.Error(diff)
	}
}

// receiver is a server that notes the idempotency keys it sees.
type receiver struct {
	mu     sync.Mutex
	keys   []string
	answer func(key string, w http.ResponseWriter) // nil: 200
	url    string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		key := request.Header.Get("Idempotency-Key")
		r.mu.Lock()
		r.keys = append(r.keys, key)
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(key, w)
		}
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// take returns the keys that were seen since the last call.
func (r *receiver) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.keys = nil }()
	return strings.Join(r.keys, " ")
}

func (r *receiver) answers(code int, header ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = func(_ string, w http.ResponseWriter) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

func (r *receiver) sink(t *testing.T, name string) Sink {
	t.Helper()
	return webhookTo(t, r.url, func(s *Settings) { s.Name, s.Timeout = name, hangTimeout })
}
