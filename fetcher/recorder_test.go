package fetcher

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// memory is a Recorder for the tests of this package: it keeps what it is given
// and checks how it is called.
type memory struct {
	t        *testing.T
	known    map[string]bool   // and not gone
	raw      map[string]string // the latest of each account
	seen     map[string]bool   // in this run's list
	gone     []string
	failures []store.Failure
	pages    int
	requests int
	unlisted map[string]bool
	listed   time.Time // when Unlist was told the list ended
	breaks   error     // what AppendAll returns from now on
	busy     atomic.Bool
	stopped  bool // an error was returned
	slow     time.Duration
}

func newMemory(t *testing.T, known ...string) *memory {
	m := &memory{t: t, known: map[string]bool{}, raw: map[string]string{}, seen: map[string]bool{}, unlisted: map[string]bool{}}
	for _, id := range known {
		m.known[id] = true
	}
	return m
}

// enter checks that calls do not overlap and that none follows an error.
func (m *memory) enter() func() {
	if !m.busy.CompareAndSwap(false, true) {
		m.t.Error("two calls of the recorder at the same time")
	}
	if m.stopped {
		m.t.Error("a call of the recorder after it returned an error")
	}
	return func() { m.busy.Store(false) }
}

func (m *memory) AppendAll(ctx context.Context, responses []store.Response) (sum store.Appended, err error) {
	defer m.enter()()
	time.Sleep(m.slow)
	if m.breaks != nil {
		m.stopped = true
		return store.Appended{}, m.breaks
	}
	if ctx.Err() != nil {
		m.stopped = true
		return store.Appended{}, ctx.Err()
	}
	for _, r := range responses {
		sum.Add(m.append(r))
	}
	return sum, nil
}

func (m *memory) append(r store.Response) store.Appended {
	if r.Sent.IsZero() || r.Received.Before(r.Sent) || r.Requests < m.requests {
		m.t.Errorf("instants or requests make no sense: %s %s %d", r.Sent, r.Received, r.Requests)
	}
	m.requests = r.Requests
	got := store.Appended{Failed: len(r.Failures)}
	m.failures = append(m.failures, r.Failures...)
	for _, failure := range r.Failures {
		m.seen[failure.Account] = true
	}
	for _, account := range r.Accounts {
		m.observe(r.Source, account, &got)
	}
	for _, id := range r.Absent {
		m.absent(id, &got)
	}
	if r.Source == store.List {
		m.pages++
	}
	return got
}

func (m *memory) observe(source store.Source, account store.Observed, got *store.Appended) {
	if source == store.List && m.seen[account.ID] {
		got.Repeated++
		return
	}
	m.seen[account.ID], m.known[account.ID] = true, true
	if m.raw[account.ID] == string(account.Raw) {
		got.Unchanged++
		return
	}
	m.raw[account.ID] = string(account.Raw)
	got.Changed++
}

func (m *memory) absent(id string, got *store.Appended) {
	if !m.known[id] {
		m.failures = append(m.failures, store.Failure{Account: id, Kind: store.FailNotFound, HTTPStatus: 404})
		got.Failed++
		return
	}
	delete(m.known, id)
	m.gone = append(m.gone, id)
	got.Gone++
}

func (m *memory) Fail(_ context.Context, requests int, failures ...store.Failure) error {
	defer m.enter()()
	if requests < m.requests {
		m.t.Errorf("%d requests after %d", requests, m.requests)
	}
	m.requests = requests
	m.failures = append(m.failures, failures...)
	return nil
}

func (m *memory) Unlist(_ context.Context, at time.Time, ids []string) error {
	defer m.enter()()
	m.listed = at
	for _, id := range ids {
		m.unlisted[id] = true
	}
	return nil
}

func (m *memory) Missing(_ context.Context, after string, n int) ([]string, error) {
	defer m.enter()()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(m.known)) {
		failed := slices.ContainsFunc(m.failures, func(f store.Failure) bool { return f.Account == id })
		if id > after && !m.seen[id] && !failed && len(ids) < n {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (m *memory) Disappearing(_ context.Context, missing, absent []string) (n int, err error) {
	defer m.enter()()
	for id := range m.known {
		if slices.Contains(absent, id) || slices.Contains(missing, id) && !m.unlisted[id] {
			n++
		}
	}
	return n, nil
}

func (m *memory) Known(_ context.Context, ids []string) (hits, total int, err error) {
	defer m.enter()()
	for _, id := range ids {
		if m.known[id] || slices.Contains(m.gone, id) {
			hits++
		}
	}
	return hits, len(m.known), nil
}

// kinds counts the failures by kind.
func (m *memory) kinds() map[store.FailureKind]int {
	kinds := make(map[store.FailureKind]int)
	for _, failure := range m.failures {
		kinds[failure.Kind]++
		mustNotLeak(m.t, failure.Message)
	}
	return kinds
}
