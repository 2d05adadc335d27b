package fetcher

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

type kinds = map[store.FailureKind]int

// first and second change one page, on answers one page otherwise.
func first(change func(p map[string]any)) func(int, map[string]any) { return nth(1, change) }

func second(change func(p map[string]any)) func(int, map[string]any) { return nth(2, change) }

func nth(n int, change func(p map[string]any)) func(int, map[string]any) {
	return func(number int, p map[string]any) {
		if number == n {
			change(p)
		}
	}
}

func on(n int, answer func(w http.ResponseWriter) bool) func(int, http.ResponseWriter) bool {
	return func(number int, w http.ResponseWriter) bool { return number == n && answer(w) }
}

func TestSnapshotAllOfAWholeList(t *testing.T) {
	some := numbers(0, 250)
	tests := map[string]batchCase{
		"of nothing":                  {vendor: &vendor{}, state: store.Complete, requests: 1},
		"of three pages":              {vendor: &vendor{ids: some}, state: store.Complete, captured: 250, requests: 3},
		"by the limit that is echoed": {vendor: &vendor{ids: some, limit: 50}, state: store.Complete, captured: 250, requests: 5},
		"by the links alone": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) { delete(p, "total_pages") }},
			state: store.Complete, captured: 250, requests: 3},
		"by the number of pages alone": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) { delete(p, "next") }},
			state: store.Complete, captured: 250, requests: 3},
		"by the total alone": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) { delete(p, "next"); delete(p, "total_pages") }},
			state: store.Complete, captured: 250, requests: 3},
		"with numbers as strings": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) { p["total_results"], p["total_pages"] = "250", "3" }},
			state: store.Complete, captured: 250, requests: 3},
		"asks for what the list lacks": {vendor: &vendor{ids: some}, known: numbers(50, 450),
			state: store.Complete, captured: 250, gone: 200, unlisted: 200, requests: 203},
		"keeps what the list lacks and the detail shows": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) {
			p["total_results"], p["total_pages"], p["next"] = 100, 1, nil
		}}, known: numbers(0, 140), state: store.Complete, captured: 140, unlisted: 40, requests: 41},
		"an account that makes no sense fails alone": {vendor: &vendor{ids: some, account: func(id string) any {
			if id == number(7) {
				return map[string]any{"id": id, "squids": "none"}
			}
			return nil
		}}, known: numbers(0, 250), state: store.Incomplete, captured: 249, kinds: kinds{store.FailDecode: 1}, requests: 3},
		"a link with the port spelt out": {vendor: &vendor{ids: some, page: first(func(p map[string]any) { p["next"] = "HTTP://127.0.0.1:80/?page=2" })},
			state: store.Complete, captured: 250, requests: 3},
	}
	for name, test := range tests {
		t.Run(name, test.run)
	}
}

func TestSnapshotAllOfADoubtfulList(t *testing.T) {
	some := numbers(0, 250)
	tests := map[string]batchCase{
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
			state: store.Incomplete, captured: 250, warning: "page 2 was answered with page 9", requests: 3,
			kinds: map[store.FailureKind]int{store.FailMismatch: 1}},
		"pages of another size": {vendor: &vendor{ids: some, page: second(func(p map[string]any) { p["limit"] = 99 })},
			state: store.Incomplete, captured: 250, warning: "from 100 to 99", requests: 3},
		"an account on two pages": {vendor: &vendor{ids: append(numbers(0, 249), number(0))},
			state: store.Incomplete, captured: 249, warning: "accounts twice", requests: 3},
		"an account twice on a page": {vendor: &vendor{ids: append(numbers(0, 50), number(49))},
			state: store.Incomplete, captured: 50, warning: "accounts twice", requests: 1},
		"the same page for ever": {vendor: &vendor{ids: some, page: func(_ int, p map[string]any) {
			p["data"], p["next"] = []any{map[string]any{"id": number(1)}}, "?page=2"
		}}, state: store.Incomplete, captured: 1, warning: "accounts twice", requests: 2},
	}
	for name, test := range tests {
		t.Run(name, test.run)
	}
}

func TestSnapshotAllOfAListThatBreaksOff(t *testing.T) {
	some := numbers(0, 250)
	tests := map[string]batchCase{
		"a link to another origin": {vendor: &vendor{ids: some, page: second(func(p map[string]any) { p["next"] = "https://evil.example/?page=3" })},
			state: store.Incomplete, captured: 200, kinds: kinds{store.FailMismatch: 1}, warning: "broke off at page 3: next: the link leads to another origin", requests: 2},
		"a link to another port": {vendor: &vendor{ids: some, page: first(func(p map[string]any) { p["next"] = "http://127.0.0.1:81/?page=2" })},
			state: store.Incomplete, captured: 100, kinds: kinds{store.FailMismatch: 1}, warning: "another origin", requests: 1},
		"a page that is broken": {vendor: &vendor{ids: some, list: on(2, func(w http.ResponseWriter) bool { fmt.Fprint(w, "{"); return true })},
			known: some, state: store.Incomplete, captured: 100, kinds: kinds{store.FailDecode: 1}, warning: "broke off at page 2", requests: 6},
		"a page that fails": {vendor: &vendor{ids: some, list: on(3, func(w http.ResponseWriter) bool { return answer4xx(w, 503, "down") })},
			state: store.Incomplete, captured: 200, kinds: kinds{store.FailHTTP: 1}, warning: "broke off at page 3", requests: 7},
		"a page that is not there": {vendor: &vendor{ids: some, list: on(1, func(w http.ResponseWriter) bool { return answer4xx(w, 404, "no") })},
			known: some, state: store.Failed, kinds: kinds{store.FailHTTP: 1}, warning: "broke off at page 1", requests: 1},
		"bad parameters": {vendor: &vendor{ids: some, list: on(1, func(w http.ResponseWriter) bool { return answer4xx(w, 400, "bad limit") })},
			state: store.Failed, kinds: kinds{store.FailHTTP: 1}, warning: "bad limit", requests: 1},
		"a key that is refused at once": {vendor: &vendor{ids: some, list: on(1, func(w http.ResponseWriter) bool { return answer4xx(w, 401, canary) })},
			known: some, state: store.Failed, err: ErrKeyRefused, kinds: kinds{store.FailAuth: 1}, requests: 1},
		"a key that is refused between pages": {vendor: &vendor{ids: some, list: on(2, func(w http.ResponseWriter) bool { return answer4xx(w, 403, "rotated") })},
			known: some, state: store.Failed, err: ErrKeyRefused, captured: 100, kinds: kinds{store.FailAuth: 1}, requests: 2},
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
		if !ok || *strange != (WorkspaceError{Listed: 100, Known: 3, ConfirmGone: DefaultConfirmGone}) || outcome.State != store.Failed {
			t.Errorf("%+v %v", outcome, err)
		}
		if rec.pages > 0 || len(rec.failures) > 0 || len(rec.raw) > 0 {
			t.Errorf("stored %+v", rec)
		}
	})
}

// TestSnapshotAllWhereManyAreMissing: what would make most known accounts unlisted or
// gone concludes nothing about any, unless it is confirmed.
func TestSnapshotAllWhereManyAreMissing(t *testing.T) {
	short := func(v *vendor) *vendor {
		v.page = func(_ int, p map[string]any) { p["total_results"], p["total_pages"], p["next"] = 100, 1, nil }
		return v
	}
	tests := map[string]batchCase{
		"an empty list": {vendor: &vendor{}, known: numbers(0, 5), state: store.Incomplete,
			warning: "the list shows no account, and 5 are known here", requests: 1},
		"an empty list of a workspace of one": {vendor: &vendor{}, known: numbers(0, 1), state: store.Incomplete,
			warning: "the list shows no account, and 1 are known here", requests: 1},
		"an empty list, confirmed":    {vendor: &vendor{}, known: numbers(0, 5), accept: true, state: store.Complete, gone: 5, unlisted: 5, requests: 6},
		"half of them":                {vendor: &vendor{ids: numbers(0, 3)}, known: numbers(0, 6), state: store.Complete, captured: 3, gone: 3, unlisted: 3, requests: 4},
		"two of three":                {vendor: &vendor{ids: numbers(0, 1)}, known: numbers(0, 3), state: store.Complete, captured: 1, gone: 2, unlisted: 2, requests: 3},
		"more than half":              {vendor: &vendor{ids: numbers(0, 3)}, known: numbers(0, 7), state: store.Incomplete, captured: 3, warning: "4 of the 7 accounts known here"},
		"more than half, confirmed":   {vendor: &vendor{ids: numbers(0, 3)}, known: numbers(0, 7), accept: true, state: store.Complete, captured: 3, gone: 4, unlisted: 4, requests: 5},
		"new ones do not make it few": {vendor: &vendor{ids: numbers(6, 200)}, known: numbers(0, 7), state: store.Incomplete, captured: 194, warning: "6 of the 7 accounts known here"},
		"more than half that still exist": {vendor: short(&vendor{ids: numbers(0, 250)}), known: numbers(0, 250),
			state: store.Incomplete, captured: 250, warning: "150 of the 250 accounts known here", requests: 151},
		"strangers, confirmed": {vendor: &vendor{ids: numbers(0, 250)}, known: []string{accountA, accountB}, accept: true,
			state: store.Complete, captured: 250, gone: 2, unlisted: 2, requests: 5},
		"strangers first, and a known one later": {vendor: &vendor{ids: numbers(0, 250)}, known: []string{number(240)},
			state: store.Complete, captured: 250, requests: 4},
		"an answer without the account": {vendor: &vendor{ids: numbers(0, 3), detail: func(_ string, w http.ResponseWriter) bool {
			fmt.Fprint(w, `{"data":[]}`)
			return true
		}}, known: numbers(0, 4), state: store.Incomplete, captured: 3, unlisted: 1, kinds: kinds{store.FailMismatch: 1}, requests: 2},
	}
	for name, test := range tests {
		t.Run(name, test.run)
	}
}

// TestWhatWasUnlistedBeforeCounts together with what the list lacks for the first time.
func TestWhatWasUnlistedBeforeCounts(t *testing.T) {
	server := &vendor{ids: numbers(0, 4)}
	inBubble(t, server.ServeHTTP, Config{}, func(t *testing.T, c *Client) {
		rec := newMemory(t, numbers(0, 10)...)
		for _, id := range numbers(4, 8) {
			rec.unlisted[id] = true
		}
		outcome, err := c.SnapshotAll(t.Context(), rec, nil)
		if err != nil || outcome.State != store.Incomplete || len(rec.gone) > 0 || len(rec.unlisted) != 4 {
			t.Errorf("%+v %v: gone %v, unlisted %v", outcome, err, rec.gone, rec.unlisted)
		}
		if diff := cmp.Diff(kinds{store.FailHTTP: 6}, rec.kinds()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAPageIsOnItsWayWhileTheOneBeforeIsStored(t *testing.T) {
	const latency = 200 * time.Millisecond
	vendor := &vendor{ids: numbers(0, 1000)}
	handler := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(latency)
		vendor.ServeHTTP(w, r)
	}
	inBubble(t, handler, Config{}, func(t *testing.T, c *Client) {
		rec := newMemory(t)
		rec.slow = latency * 9 / 10
		start := time.Now()
		if outcome, err := c.SnapshotAll(t.Context(), rec, nil); err != nil || outcome.State != store.Complete {
			t.Fatal(outcome, err)
		}
		if took, bound := time.Since(start), 10*latency+rec.slow; took > bound {
			t.Errorf("ten pages took %s, want %s", took, bound)
		}
	})
}

// TestAPageThatCameIsStored: an interrupt does not throw away what is on its way into
// the store.
func TestAPageThatCameIsStored(t *testing.T) {
	server := &vendor{ids: numbers(0, 1000), slow: time.Second}
	inBubble(t, server.ServeHTTP, Config{}, func(t *testing.T, c *Client) {
		ctx, cancel := context.WithCancelCause(t.Context())
		rec := newMemory(t)
		rec.slow = 800 * time.Millisecond // the second page is stored from 2 s on
		go func() { time.Sleep(2500 * time.Millisecond); cancel(errors.New("interrupted")) }()
		if outcome, err := c.SnapshotAll(ctx, rec, nil); err == nil || outcome.State != store.Interrupted || len(rec.raw) != 200 {
			t.Errorf("%d accounts are stored, %+v, %v", len(rec.raw), outcome, err)
		}
		time.Sleep(10 * time.Second) // until the server has noticed
	})
}
