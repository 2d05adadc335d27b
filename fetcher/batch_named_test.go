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
		"one that went":      {vendor: &vendor{ids: some}, named: []string{number(1), accountA}, known: []string{accountA}, state: store.Complete, captured: 1, gone: 1, requests: 2},
		"one never seen":     {vendor: &vendor{ids: some}, named: []string{number(1), accountA}, state: store.Incomplete, captured: 1, kinds: kinds{store.FailNotFound: 1}, requests: 2},
		"one that is no id":  {vendor: &vendor{ids: some}, named: []string{"me", number(1)}, state: store.Incomplete, captured: 1, kinds: kinds{store.FailMismatch: 1}, requests: 1},
		"one that fails": {vendor: &vendor{ids: some, detail: onDetail(number(3), func(w http.ResponseWriter) bool { return answer4xx(w, 500, "oops") })},
			named: some, state: store.Incomplete, captured: 249, kinds: kinds{store.FailHTTP: 1}, requests: 254},
		"one that is another": {vendor: &vendor{ids: some, detail: onDetail(number(3), func(w http.ResponseWriter) bool {
			fmt.Fprintf(w, `{"id":%q}`, accountA)
			return true
		})}, named: some, state: store.Incomplete, captured: 249, kinds: kinds{store.FailMismatch: 1}, requests: 250},
		"while the service is down": {vendor: &vendor{ids: some, detail: always(503)}, named: some,
			state: store.Incomplete, kinds: kinds{store.FailHTTP: maxOutages}, warning: "10 requests in a row failed"},
		"with a wait that is too long": {vendor: &vendor{ids: some, detail: func(_ string, w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "3600")
			return answer4xx(w, 429, "slow down")
		}}, named: some[100:], state: store.Incomplete, kinds: kinds{store.FailRateLimit: 1}, warning: "asks to wait 1h0m0s", requests: 1},
		"with bad parameters": {vendor: &vendor{ids: some, detail: always(400)}, named: some[:1],
			state: store.Incomplete, kinds: kinds{store.FailHTTP: 1}, warning: "refuses the request", requests: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.run(t)
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
