package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// smallHistory writes a history of two workspaces that has nearly all that there can be.
type smallHistory struct {
	t     testing.TB
	store *sqlite.Store
	now   time.Time
}

func (h *smallHistory) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// smallObject is the object of a made-up account.
func smallObject(id byte, members string) store.Observed {
	hash := fmt.Sprintf("%032x", id)
	return store.Observed{ID: hash, Raw: fmt.Appendf(nil, `{"id":%q,"username":"u%d","type":"x"%s}`, hash, id, members)}
}

func (h *smallHistory) page(source store.Source, number int, accounts ...store.Observed) store.Response {
	h.now = h.now.Add(time.Minute)
	return store.Response{
		Source: source, Page: number, Sent: h.now, Received: h.now.Add(time.Second), ServerTime: h.now, Requests: 1, Accounts: accounts,
	}
}

func (h *smallHistory) begin(workspace string, responses ...store.Response) store.RunWriter {
	h.t.Helper()
	run, err := h.store.Begin(h.t.Context(), workspace, store.ScopeAll)
	h.must(err)
	for _, r := range responses {
		_, err := run.Append(h.t.Context(), r)
		h.must(err)
	}
	return run
}

func (h *smallHistory) finish(run store.RunWriter) {
	h.t.Helper()
	h.must(run.Finish(h.t.Context(), store.Outcome{State: store.Incomplete, Requested: 3, Requests: 4, Warnings: []string{"a warning"}}))
}

// write is the history. The last run is not finished.
func (h *smallHistory) write() {
	first := smallObject(1, `,"status":"200","icon":"aWNvbg==","squids":[{"name":"S","hash_value":"s1"}],"resets_in":30,`+
		`"params":{"user":{"posts":{"max":5,"value":1},"likes":{"value":3}}},"note":"a text that is too long to stand in the row of its fact"`)
	second, third := smallObject(2, `,"status":"401","icon":"b3RoZXI="`), smallObject(3, `,"lock_time":"2026-01-05T07:00:00Z"`)
	h.finish(h.begin("default", h.page(store.List, 1, first, second), h.page(store.List, 2, third)))
	moved := smallObject(1, `,"status":"403","icon":"aWNvbg==","squids":[{"name":"T","hash_value":"s1"},{"name":"U","hash_value":"s2"}],`+
		`"params":{"user":{"posts":{"max":6,"value":2},"likes":{"value":3}}}`)
	run := h.begin("default", h.page(store.List, 1, moved, second))
	h.must(run.Unlist(h.t.Context(), h.now.Add(time.Second), []string{third.ID}))
	absent := h.page(store.Detail, 0)
	absent.Absent = []string{third.ID}
	_, err := run.Append(h.t.Context(), absent)
	h.must(err)
	h.must(run.Fail(h.t.Context(), 5, store.Failure{Account: second.ID, Kind: store.FailHTTP, HTTPStatus: 503, Message: "no"},
		store.Failure{Kind: store.FailNetwork, Message: "gone away"}))
	h.finish(run)
	alone := smallObject(9, `,"status":"200","squids":[{"name":"S","hash_value":"s1"}]`)
	h.finish(h.begin("other", h.page(store.Import, 1, alone), h.page(store.Import, 1, alone)))
	without := smallObject(1, `,"status":"200","squids":[{"name":"U","hash_value":"s2"}],"params":{"user":{"posts":{"max":6,"value":9}}}`)
	h.finish(h.begin("default", h.page(store.Detail, 0, smallObject(2, `,"status":"401","more":[1,2,3]`)),
		h.page(store.List, 1, without, second), h.page(store.List, 2, third)))
	h.begin("default", h.page(store.List, 1, without), h.page(store.List, 2, second, third))
}

// smallStore is a closed store with a small history, whose last run was killed.
func smallStore(t testing.TB, path string) {
	t.Helper()
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	(&smallHistory{t, s, start}).write()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAHealthyStoreVerifies(t *testing.T) {
	path := memoryPath(t)
	smallStore(t, path)
	done := healthy(t, path)
	if done.Responses != 11 || done.Snapshots != 14 || done.Versions == 0 || done.Documents == 0 || len(done.Trees) != 2 {
		t.Errorf("looked at %+v", done)
	}
	s := openStore(t, path, at(start)) // the killed run is marked
	for workspace, before := range done.Trees {
		tree, err := s.Tree(t.Context(), workspace)
		if err != nil {
			t.Fatal(err)
		}
		again := healthy(t, path).Trees[workspace]
		if again != tree || (tree == before) != (workspace == "other") {
			t.Errorf("%s: the tree was %v, is %v, and was verified as %v", workspace, before, tree, again)
		}
	}
	if err := s.Rederive(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	healthy(t, path)
}

func TestAnEmptyStoreVerifies(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	if done := healthy(t, path); len(done.Trees) > 0 {
		t.Errorf("its trees are %v", done.Trees)
	}
	if _, err := s.Begin(t.Context(), "default", store.ScopeAll); err != nil {
		t.Fatal(err)
	}
	if tree := healthy(t, path).Trees["default"]; tree.N != 1 || tree.Hash == (tlog.Hash{}) {
		t.Errorf("the tree of a run without responses is %v", tree)
	}
}

// TestValuesOfAllSpellingsVerify: numbers and texts that a JSON library would spell
// otherwise, also where they are no longer sent.
func TestValuesOfAllSpellingsVerify(t *testing.T) {
	path := memoryPath(t)
	h := &smallHistory{t, openStore(t, path, at(start)), start}
	const odd = `,"note":"a<b>&\u00e9\/\u2028","n":1.50e+3,"big":123456789012345678901234567890,"o":{"x<":{"y":"<"}},"icon":"<"`
	for _, members := range []string{odd, ``, odd, `,"status":"200"`} {
		h.finish(h.begin("default", h.page(store.List, 1, smallObject(1, members))))
		h.finish(h.begin("default", h.page(store.Detail, 0, smallObject(1, `,"more":"<"`))))
	}
	healthy(t, path)
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	h.store = openStore(t, path, at(start))
	h.finish(h.begin("default", h.page(store.List, 1, smallObject(1, odd))))
	healthy(t, path)
}
