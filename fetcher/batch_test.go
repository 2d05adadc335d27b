package fetcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lobstrail/lobstrail/store"
)

// number answers the id of the i-th account.
func number(i int) string { return fmt.Sprintf("%032x", i) }

func numbers(from, to int) []string {
	var ids []string
	for i := from; i < to; i++ {
		ids = append(ids, number(i))
	}
	return ids
}

// vendor is a small API: a list of ids and their details, with faults.
type vendor struct {
	ids     []string
	limit   int
	page    func(number int, p map[string]any)           // changes a page
	detail  func(id string, w http.ResponseWriter) bool  // answers instead
	list    func(number int, w http.ResponseWriter) bool // answers instead
	account func(id string) any                          // nil: a plain one
	slow    time.Duration
	mu      sync.Mutex
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(v.slow) // before the lock: a bubble's time stands still while one waits for a mutex
	v.mu.Lock()
	defer v.mu.Unlock()
	if id := path.Base(r.URL.Path); id != "accounts" {
		v.serveDetail(w, id)
		return
	}
	number, _ := strconv.Atoi(r.URL.Query().Get("page"))
	if r.URL.Query().Get("limit") != "100" {
		http.Error(w, `{"detail":"limit"}`, 400)
		return
	}
	if v.list != nil && v.list(number, w) {
		return
	}
	p := v.envelope(number)
	if v.page != nil {
		v.page(number, p)
	}
	json.NewEncoder(w).Encode(p)
}

func (v *vendor) serveDetail(w http.ResponseWriter, id string) {
	if v.detail != nil && v.detail(id, w) {
		return
	}
	if !slices.Contains(v.ids, id) {
		w.WriteHeader(404)
		fmt.Fprint(w, `{"detail":"Not found."}`)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"data": []any{v.object(id)}})
}

func (v *vendor) object(id string) any {
	if v.account != nil {
		if object := v.account(id); object != nil {
			return object
		}
	}
	return map[string]any{"id": id, "object": "account", "squids": []any{}}
}

func (v *vendor) envelope(number int) map[string]any {
	limit := v.limit
	if limit == 0 {
		limit = 100
	}
	pages := max(1, (len(v.ids)+limit-1)/limit)
	from := min((number-1)*limit, len(v.ids))
	data := []any{}
	for _, id := range v.ids[from:min(from+limit, len(v.ids))] {
		data = append(data, v.object(id))
	}
	p := map[string]any{"total_results": len(v.ids), "limit": limit, "page": number, "total_pages": pages, "data": data, "next": nil}
	if number < pages {
		p["next"] = fmt.Sprintf("/v1/accounts?page=%d", number+1)
	}
	return p
}

func answer4xx(w http.ResponseWriter, code int, detail string) bool {
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]string{"detail": detail})
	return true
}

// batchCase is a batch against a vendor and what it must come to.
type batchCase struct {
	vendor   *vendor
	known    []string
	named    []string // nil: all
	state    store.RunState
	err      error
	captured int
	gone     int
	kinds    map[store.FailureKind]int
	warning  string // "" none
	requests int    // 0: not checked
	whole    bool   // Unlist was called
}

func (test batchCase) run(t *testing.T) {
	inBubble(t, test.vendor.ServeHTTP, Config{}, func(t *testing.T, c *Client) {
		rec := newMemory(t, test.known...)
		var last Progress
		progress := func(p Progress) {
			if p.Done < last.Done || p.Requests < last.Requests {
				t.Errorf("progress from %+v to %+v", last, p)
			}
			last = p
		}
		outcome, err := snapshot(t.Context(), c, rec, test.named, progress)
		test.check(t, rec, outcome, err)
		if test.requests > 0 && last.Requests != test.requests {
			t.Errorf("progress ends with %+v", last)
		}
	})
}

func snapshot(ctx context.Context, c *Client, rec Recorder, named []string, progress func(Progress)) (store.Outcome, error) {
	if named != nil {
		return c.SnapshotNamed(ctx, rec, slices.Values(named), progress)
	}
	return c.SnapshotAll(ctx, rec, progress)
}

func (test batchCase) check(t *testing.T, rec *memory, outcome store.Outcome, err error) {
	t.Helper()
	if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
		t.Errorf("error %v, want %v", err, test.err)
	}
	if err != nil {
		mustNotLeak(t, err.Error())
	}
	if outcome.State != test.state {
		t.Errorf("state %s, want %s; %q", outcome.State, test.state, outcome.Warnings)
	}
	if len(rec.raw) != test.captured || len(rec.gone) != test.gone {
		t.Errorf("%d captured, %d gone", len(rec.raw), len(rec.gone))
	}
	if diff := cmp.Diff(test.kinds, rec.kinds()); diff != "" && len(test.kinds)+len(rec.failures) > 0 {
		t.Errorf("failures: %s %+v", diff, rec.failures)
	}
	warnings := strings.Join(outcome.Warnings, "\n")
	mustNotLeak(t, warnings)
	if !strings.Contains(warnings, test.warning) || (warnings == "") != (test.warning == "") {
		t.Errorf("warnings %q, want %q", warnings, test.warning)
	}
	if whole := !rec.unlisted.IsZero(); whole != test.whole {
		t.Errorf("list held for whole: %v", whole)
	}
	if test.requests > 0 && outcome.Requests != test.requests {
		t.Errorf("%d requests, want %d", outcome.Requests, test.requests)
	}
}

type kinds = map[store.FailureKind]int

func TestSnapshotAll(t *testing.T) {
	first := func(change func(p map[string]any)) func(int, map[string]any) {
		return func(n int, p map[string]any) {
			if n == 1 {
				change(p)
			}
		}
	}
	second := func(change func(p map[string]any)) func(int, map[string]any) {
		return func(n int, p map[string]any) {
			if n == 2 {
				change(p)
			}
		}
	}
	on := func(n int, answer func(w http.ResponseWriter) bool) func(int, http.ResponseWriter) bool {
		return func(number int, w http.ResponseWriter) bool { return number == n && answer(w) }
	}
	some := numbers(0, 250)
	tests := map[string]batchCase{
		"of nothing":                  {vendor: &vendor{}, state: store.Complete, requests: 1, whole: true},
		"of three pages":              {vendor: &vendor{ids: some}, state: store.Complete, captured: 250, requests: 3, whole: true},
		"by the limit that is echoed": {vendor: &vendor{ids: some, limit: 50}, state: store.Complete, captured: 250, requests: 5, whole: true},
		"by the links alone": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) { delete(p, "total_pages") }},
			state: store.Complete, captured: 250, requests: 3, whole: true},
		"by the number of pages alone": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) { delete(p, "next") }},
			state: store.Complete, captured: 250, requests: 3, whole: true},
		"by the total alone": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) { delete(p, "next"); delete(p, "total_pages") }},
			state: store.Complete, captured: 250, requests: 3, whole: true},
		"with numbers as strings": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) { p["total_results"], p["total_pages"] = "250", "3" }},
			state: store.Complete, captured: 250, requests: 3, whole: true},
		"asks for what the list lacks": {vendor: &vendor{ids: some}, known: numbers(99, 1300),
			state: store.Complete, captured: 250, gone: 1050, requests: 1053, whole: true},
		"keeps what the list lacks and the detail shows": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) {
			p["total_results"], p["total_pages"], p["next"] = 100, 1, nil
		}}, known: some, state: store.Complete, captured: 250, requests: 151, whole: true},
		"an account that makes no sense fails alone": {vendor: &vendor{ids: some, account: func(id string) any {
			if id == number(7) {
				return map[string]any{"id": id, "squids": "none"}
			}
			return nil
		}}, known: numbers(0, 250), state: store.Incomplete, captured: 249, kinds: kinds{store.FailDecode: 1}, requests: 3, whole: true},
		"an account without id leaves doubt": {vendor: &vendor{ids: some, account: func(id string) any {
			if id == number(7) {
				return map[string]any{"name": "x"}
			}
			return nil
		}}, known: numbers(0, 250), state: store.Incomplete, captured: 249, kinds: kinds{store.FailDecode: 1}, warning: "without an id", requests: 3},
		"a list that is cut": {vendor: &vendor{ids: some, page: first(func(p map[string]any) {
			p["warning"], p["next"], p["total_pages"] = "Upgrade\x1b your "+canary, nil, 1
		})}, known: some, state: store.Incomplete, captured: 100, warning: "Upgrade your [withheld]", requests: 1},
		"a list that is short": {vendor: &vendor{ids: some, page: second(func(p map[string]any) {
			p["next"], p["total_pages"] = nil, 2
		})}, state: store.Incomplete, captured: 200, warning: "200 accounts of 250", requests: 2},
		"a total that moves": {vendor: &vendor{ids: some, page: second(func(p map[string]any) { p["total_results"] = 251 })},
			state: store.Incomplete, captured: 250, warning: "moved from 250 to 251", requests: 3},
		"no total": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) { delete(p, "total_results") }},
			state: store.Incomplete, captured: 250, warning: "does not say how many", requests: 3},
		"an empty page that promises more": {vendor: &vendor{ids: some, page: second(func(p map[string]any) { p["data"] = []any{} })},
			state: store.Incomplete, captured: 100, warning: "page 2 was empty", requests: 2},
		"the echo of another page": {vendor: &vendor{ids: some, page: second(func(p map[string]any) { p["page"] = 9 })},
			state: store.Incomplete, captured: 250, warning: "page 2 was answered with page 9", requests: 3},
		"pages of another size": {vendor: &vendor{ids: some, page: second(func(p map[string]any) { p["limit"] = 99 })},
			state: store.Incomplete, captured: 250, warning: "from 100 to 99", requests: 3},
		"an account on two pages": {vendor: &vendor{ids: append(numbers(0, 249), number(0))},
			state: store.Incomplete, captured: 249, warning: "accounts twice", requests: 3},
		"an account twice on a page": {vendor: &vendor{ids: append(numbers(0, 50), number(49))},
			state: store.Incomplete, captured: 50, warning: "accounts twice", requests: 1},
		"the same page for ever": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) {
			p["data"], p["next"] = []any{map[string]any{"id": number(1)}}, "?page=2"
		}}, state: store.Incomplete, captured: 1, warning: "accounts twice", requests: 2},
		"a link to another origin": {vendor: &vendor{ids: some, page: second(func(p map[string]any) { p["next"] = "https://evil.example/?page=3" })},
			state: store.Incomplete, captured: 200, kinds: kinds{store.FailMismatch: 1}, warning: "broke off at page 3: next: the link leads to another origin", requests: 2},
		"a link to another port": {vendor: &vendor{ids: some, page: first(func(p map[string]any) { p["next"] = "http://127.0.0.1:81/?page=2" })},
			state: store.Incomplete, captured: 100, kinds: kinds{store.FailMismatch: 1}, warning: "another origin", requests: 1},
		"a link with the port spelt out": {vendor: &vendor{ids: some, page: first(func(p map[string]any) { p["next"] = "HTTP://127.0.0.1:80/?page=2" })},
			state: store.Complete, captured: 250, requests: 3, whole: true},
		"a page that is broken": {vendor: &vendor{ids: some, list: on(2, func(w http.ResponseWriter) bool { fmt.Fprint(w, "{"); return true })},
			known: some, state: store.Incomplete, captured: 100, kinds: kinds{store.FailDecode: 1}, warning: "broke off at page 2", requests: 6},
		"a page that fails": {vendor: &vendor{ids: some, list: on(3, func(w http.ResponseWriter) bool { return answer4xx(w, 503, "down") })},
			state: store.Incomplete, captured: 200, kinds: kinds{store.FailHTTP: 1}, warning: "broke off at page 3", requests: 7},
		"a page that is not there": {vendor: &vendor{ids: some, list: on(1, func(w http.ResponseWriter) bool { return answer4xx(w, 404, "no") })},
			known: some, state: store.Incomplete, kinds: kinds{store.FailHTTP: 1}, warning: "broke off at page 1", requests: 1},
		"bad parameters": {vendor: &vendor{ids: some, list: on(1, func(w http.ResponseWriter) bool { return answer4xx(w, 400, "bad limit") })},
			state: store.Incomplete, kinds: kinds{store.FailHTTP: 1}, warning: "bad limit", requests: 1},
		"a key that is refused at once": {vendor: &vendor{ids: some, list: on(1, func(w http.ResponseWriter) bool { return answer4xx(w, 401, canary) })},
			known: some, state: store.Failed, err: ErrKeyRefused, kinds: kinds{store.FailAuth: 1}, requests: 1},
		"a key that is refused between pages": {vendor: &vendor{ids: some, list: on(2, func(w http.ResponseWriter) bool { return answer4xx(w, 403, "rotated") })},
			known: some, state: store.Failed, err: ErrKeyRefused, captured: 100, kinds: kinds{store.FailAuth: 1}, requests: 2},
		"a key of a workspace with few accounts": {vendor: &vendor{ids: some}, known: []string{accountA, accountB},
			state: store.Complete, captured: 250, gone: 2, requests: 5, whole: true},
		"a wait that is too long": {vendor: &vendor{ids: some, list: on(2, func(w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "3600")
			return answer4xx(w, 429, "slow down")
		})}, state: store.Incomplete, captured: 100, kinds: kinds{store.FailRateLimit: 1}, warning: "asks to wait 1h0m0s", requests: 2},
	}
	for name, test := range tests {
		t.Run(name, test.run)
	}
}

func TestAKeyOfAnotherWorkspaceStoresNothing(t *testing.T) {
	server := &vendor{ids: numbers(0, 250)}
	inBubble(t, server.ServeHTTP, Config{}, func(t *testing.T, c *Client) {
		rec := newMemory(t, accountA, accountB, accountC)
		outcome, err := c.SnapshotAll(t.Context(), rec, nil)
		strange, ok := errors.AsType[*WorkspaceError](err)
		if !ok || *strange != (WorkspaceError{Listed: 100, Known: 3}) || outcome.State != store.Failed {
			t.Errorf("%+v %v", outcome, err)
		}
		if rec.pages > 0 || len(rec.failures) > 0 || len(rec.raw) > 0 {
			t.Errorf("stored %+v", rec)
		}
	})
}

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
		"with a wait that is too long": {vendor: &vendor{ids: some, detail: onDetail(number(100), func(w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "3600")
			return answer4xx(w, 429, "slow down")
		})}, named: some[100:], state: store.Incomplete, kinds: kinds{store.FailRateLimit: 1}, warning: "asks to wait 1h0m0s", requests: 1},
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
