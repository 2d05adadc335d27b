package fetcher

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

func TestSnapshotNamed(t *testing.T) {
	some := numbers(0, 250)
	onDetail := func(id string, answer func(w http.ResponseWriter) bool) func(string, http.ResponseWriter) bool {
		return func(asked string, w http.ResponseWriter) bool { return asked == id && answer(w) }
	}
	always := func(code int) func(string, http.ResponseWriter) bool {
		return func(_ string, w http.ResponseWriter) bool { return answer4xx(w, code, "no") }
	}
	tests := map[string]batchCase{
		"none":               {vendor: &vendor{}, named: []string{}, state: store.Complete},
		"all that there are": {vendor: &vendor{ids: some}, named: some, state: store.Complete, captured: 250, requests: 250},
		"in upper case":      {vendor: &vendor{ids: []string{accountA}}, named: []string{strings.ToUpper(accountA)}, state: store.Complete, captured: 1, requests: 1},
		"one that went":      {vendor: &vendor{ids: some}, named: []string{number(1), accountA}, known: []string{accountA, number(1)}, state: store.Complete, captured: 1, gone: 1, requests: 2},
		"one never seen":     {vendor: &vendor{ids: some}, named: []string{number(1), accountA}, state: store.Incomplete, captured: 1, kinds: kinds{store.FailNotFound: 1}, requests: 2},
		"one that is no id":  {vendor: &vendor{ids: some}, named: []string{"me", number(1)}, state: store.Incomplete, captured: 1, kinds: kinds{store.FailMismatch: 1}, requests: 1},
		"one that fails": {vendor: &vendor{ids: some, detail: onDetail(number(3), func(w http.ResponseWriter) bool { return answer4xx(w, 500, "oops") })},
			named: some, state: store.Incomplete, captured: 249, kinds: kinds{store.FailHTTP: 1}, requests: 254},
		"one that is another": {vendor: &vendor{ids: some, detail: onDetail(number(3), func(w http.ResponseWriter) bool {
			fmt.Fprintf(w, `{"id":%q}`, accountA)
			return true
		})}, named: some, state: store.Incomplete, captured: 249, kinds: kinds{store.FailMismatch: 1}, requests: 250},
		"while the service is down": {vendor: &vendor{ids: some, detail: always(503)}, named: some,
			state: store.Failed, kinds: kinds{store.FailHTTP: maxOutages}, warning: "10 requests in a row failed"},
		"with a wait that is too long": {vendor: &vendor{ids: some, detail: func(_ string, w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "3600")
			return answer4xx(w, 429, "slow down")
		}}, named: some[100:], state: store.Failed, kinds: kinds{store.FailRateLimit: 1}, warning: "asks to wait 1h0m0s", requests: 1},
		"with bad parameters": {vendor: &vendor{ids: some, detail: always(400)}, named: some[:1],
			state: store.Failed, kinds: kinds{store.FailHTTP: 1}, warning: "refuses the request", requests: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.run(t)
		})
	}
}

// TestSnapshotNamedWhereSomeAreAbsent: a 404 counts when the key is known to be this
// workspace's, and not when all are absent, or the list shows the account.
func TestSnapshotNamedWhereSomeAreAbsent(t *testing.T) {
	gone := func(ids ...string) func(string, http.ResponseWriter) bool {
		return func(asked string, w http.ResponseWriter) bool {
			return slices.Contains(ids, asked) && answer4xx(w, 404, "Not found.")
		}
	}
	downList := func(_ int, w http.ResponseWriter) bool { return answer4xx(w, 400, "no") }
	tests := map[string]batchCase{
		"one of many": {vendor: &vendor{ids: numbers(1, 6)}, named: numbers(0, 1), known: numbers(0, 6),
			state: store.Complete, gone: 1, requests: 2},
		"one of two":  {vendor: &vendor{ids: numbers(1, 2)}, named: numbers(0, 1), known: numbers(0, 2), state: store.Complete, gone: 1, requests: 2},
		"one of one":  {vendor: &vendor{}, named: numbers(0, 1), known: numbers(0, 1), state: store.Incomplete, kinds: kinds{store.FailHTTP: 1}, warning: otherKey, requests: 2},
		"two of five": {vendor: &vendor{ids: numbers(2, 5)}, named: numbers(0, 2), known: numbers(0, 5), state: store.Complete, gone: 2, requests: 3},
		"one of one, confirmed": {vendor: &vendor{}, named: numbers(0, 1), known: numbers(0, 1), accept: true,
			state: store.Complete, gone: 1, requests: 2},
		"with a key whose list shows strangers": {vendor: &vendor{ids: numbers(10, 20)}, named: numbers(0, 2), known: numbers(0, 6),
			state: store.Incomplete, kinds: kinds{store.FailHTTP: 2}, warning: otherKey, requests: 6},
		"with a key of a large workspace": {vendor: &vendor{ids: numbers(10, 200)}, named: numbers(0, 2), known: append(numbers(0, 2), number(150)),
			state: store.Complete, gone: 2, requests: 4},
		"beside a stranger": {vendor: &vendor{ids: []string{accountA}}, named: []string{accountA, number(0)}, known: numbers(0, 1),
			state: store.Incomplete, captured: 1, kinds: kinds{store.FailHTTP: 1}, warning: otherKey, requests: 3},
		"all of three": {vendor: &vendor{ids: numbers(3, 10)}, named: numbers(0, 3), known: numbers(0, 10),
			state: store.Incomplete, kinds: kinds{store.FailHTTP: 3}, warning: "3 of the 10 accounts known here", requests: 4},
		"all of three, confirmed": {vendor: &vendor{ids: numbers(3, 10)}, named: numbers(0, 3), known: numbers(0, 10), accept: true,
			state: store.Complete, gone: 3, requests: 4},
		"three of four": {vendor: &vendor{ids: numbers(3, 10)}, named: numbers(0, 4), known: numbers(0, 10),
			state: store.Complete, captured: 1, gone: 3, requests: 4},
		"more than half": {vendor: &vendor{ids: numbers(6, 10)}, named: numbers(0, 10), known: numbers(0, 10),
			state: store.Incomplete, captured: 4, kinds: kinds{store.FailHTTP: 6}, warning: "6 of the 10 accounts known here", requests: 10},
		"one that the list shows": {vendor: &vendor{ids: numbers(0, 6), detail: gone(number(0))}, named: numbers(0, 1), known: numbers(0, 6),
			state: store.Incomplete, kinds: kinds{store.FailMismatch: 1}, requests: 2},
		"one when the list fails": {vendor: &vendor{list: downList}, named: numbers(0, 1), known: numbers(0, 6),
			state: store.Incomplete, kinds: kinds{store.FailHTTP: 2}, warning: "could not be asked", requests: 2},
	}
	for name, test := range tests {
		t.Run(name, test.run)
	}
}

// TestAJobThatIsStoppedConcludesWhatItKnows without another request.
func TestAJobThatIsStoppedConcludesWhatItKnows(t *testing.T) {
	for name, test := range map[string]struct {
		ids, gone []string
		state     store.RunState
	}{
		"a known account was seen":  {ids: []string{number(1), number(0), number(2)}, gone: []string{number(0)}, state: store.Interrupted},
		"no known account was seen": {ids: []string{number(0), number(2)}, state: store.Interrupted},
	} {
		t.Run(name, func(t *testing.T) {
			server := &vendor{ids: numbers(1, 10), detail: func(id string, _ http.ResponseWriter) bool {
				if id == number(2) {
					time.Sleep(10 * time.Second)
				}
				return false
			}}
			inBubble(t, server.ServeHTTP, Config{Concurrency: 1}, func(t *testing.T, c *Client) {
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() { time.Sleep(time.Second); cancel(errors.New("interrupted")) }()
				rec := newMemory(t, numbers(0, 10)...)
				outcome, err := c.SnapshotNamed(ctx, rec, slices.Values(test.ids), nil)
				if err == nil || outcome.State != test.state || !slices.Equal(rec.gone, test.gone) || len(rec.failures) > 0 {
					t.Errorf("%+v %v: gone %v, failures %v", outcome, err, rec.gone, rec.failures)
				}
				time.Sleep(20 * time.Second)
			})
		})
	}
}

func TestAKeyRefusedMidwayStopsEverything(t *testing.T) {
	asked := 0
	server := &vendor{ids: numbers(0, 250), detail: func(_ string, w http.ResponseWriter) bool {
		asked++
		return asked > 50 && answer4xx(w, 401, "rotated")
	}}
	inBubble(t, server.ServeHTTP, Config{}, func(t *testing.T, c *Client) {
		rec := newMemory(t, server.ids...)
		outcome, err := c.SnapshotNamed(t.Context(), rec, slices.Values(server.ids), nil)
		if !errors.Is(err, ErrKeyRefused) || outcome.State != store.Failed || outcome.Requested != 250 {
			t.Errorf("%+v %v", outcome, err)
		}
		if len(rec.raw) > 50 || len(rec.gone) > 0 || outcome.Requests > 50+DefaultConcurrency {
			t.Errorf("%d captured, %d gone, %d requests", len(rec.raw), len(rec.gone), outcome.Requests)
		}
		if diff := cmp.Diff(kinds{store.FailAuth: 1}, rec.kinds()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestARecorderThatFailsStopsTheBatch(t *testing.T) {
	for name, named := range map[string][]string{"all": nil, "named": numbers(0, 250)} {
		t.Run(name, func(t *testing.T) {
			server := &vendor{ids: numbers(0, 250)}
			inBubble(t, server.ServeHTTP, Config{}, func(t *testing.T, c *Client) {
				rec := newMemory(t)
				rec.breaks = errors.New("disk is full")
				outcome, err := snapshot(t.Context(), c, rec, named, nil)
				if err != rec.breaks || outcome.State != store.Failed {
					t.Errorf("%+v %v", outcome, err)
				}
			})
		})
	}
}

func TestABatchEndsWithItsContext(t *testing.T) {
	interrupt := errors.New("interrupted")
	for name, named := range map[string][]string{"all": nil, "named": numbers(0, 1000)} {
		server := &vendor{ids: numbers(0, 1000), slow: time.Second}
		t.Run(name+" by a signal", func(t *testing.T) {
			inBubble(t, server.ServeHTTP, Config{}, func(t *testing.T, c *Client) {
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() { time.Sleep(3500 * time.Millisecond); cancel(interrupt) }()
				rec := newMemory(t)
				outcome, err := snapshot(ctx, c, rec, named, nil)
				if err != interrupt || outcome.State != store.Interrupted || len(rec.failures) > 0 || len(rec.raw) == 0 {
					t.Errorf("%+v %v %+v", outcome, err, rec.failures)
				}
				time.Sleep(10 * time.Second)
			})
		})
		t.Run(name+" by its deadline", func(t *testing.T) {
			inBubble(t, server.ServeHTTP, Config{}, func(t *testing.T, c *Client) {
				ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
				defer cancel()
				rec := newMemory(t)
				outcome, err := snapshot(ctx, c, rec, named, nil)
				if !errors.Is(err, context.DeadlineExceeded) || outcome.State != store.Incomplete || len(rec.failures) > 0 {
					t.Errorf("%+v %v %+v", outcome, err, rec.failures)
				}
				if len(outcome.Warnings) != 1 || !strings.Contains(outcome.Warnings[0], "deadline") {
					t.Errorf("%q", outcome.Warnings)
				}
				time.Sleep(10 * time.Second)
			})
		})
	}
}

func TestDetailsRunConcurrently(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Second)
		fmt.Fprintf(w, `{"id":%q}`, path.Base(r.URL.Path))
	}
	inBubble(t, handler, Config{}, func(t *testing.T, c *Client) {
		start := time.Now()
		outcome, err := c.SnapshotNamed(t.Context(), newMemory(t), slices.Values(numbers(0, 41)), nil)
		// One to learn the budget, then four at a time.
		if took := time.Since(start); err != nil || outcome.State != store.Complete || took != 11*time.Second {
			t.Errorf("%+v %v took %s", outcome, err, took)
		}
	})
}
