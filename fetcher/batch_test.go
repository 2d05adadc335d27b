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
	unlisted int
	accept   bool // AcceptGone
}

func (test batchCase) run(t *testing.T) {
	inBubble(t, test.vendor.ServeHTTP, Config{AcceptGone: test.accept}, func(t *testing.T, c *Client) {
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
	if len(rec.unlisted) != test.unlisted {
		t.Errorf("%d are unlisted, want %d", len(rec.unlisted), test.unlisted)
	}
	if test.requests > 0 && outcome.Requests != test.requests {
		t.Errorf("%d requests, want %d", outcome.Requests, test.requests)
	}
}
