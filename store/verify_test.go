package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// verify is all that is found in a store. An error that ends the check is found
// too.
func verify(t testing.TB, path string, o store.VerifyOptions) (findings []store.Finding, done store.Verified) {
	t.Helper()
	s, err := store.Open(t.Context(), path, store.Options{Rules: report.Rules()})
	if err != nil {
		return []store.Finding{{Problem: err.Error()}}, done
	}
	defer s.Close()
	done, err = s.Verify(t.Context(), o, func(f store.Finding) { findings = append(findings, f) })
	if err != nil {
		findings = append(findings, store.Finding{Problem: err.Error()})
	}
	return findings, done
}

// healthy fails the test when anything is found.
func healthy(t testing.TB, path string) store.Verified {
	t.Helper()
	findings, done := verify(t, path, store.VerifyOptions{})
	for i, f := range findings {
		if i == 20 {
			t.Fatalf("... and %d more", len(findings)-i)
		}
		t.Errorf("found: %s %s: %s", f.Table, f.Row, f.Problem)
	}
	return done
}

// smallStore is a store with a row in each table, closed.
func smallStore(t testing.TB, path string) {
	t.Helper()
	s, _, err := store.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	object := func(id byte, members string) store.Observed {
		hash := fmt.Sprintf("%032x", id)
		return store.Observed{ID: hash, Raw: fmt.Appendf(nil, `{"id":%q,"username":"u%d","type":"x"%s}`, hash, id, members)}
	}
	now := start
	page := func(source store.Source, accounts ...store.Observed) store.Response {
		now = now.Add(time.Minute)
		return store.Response{Source: source, Sent: now, Received: now.Add(time.Second), ServerTime: now, Requests: 1, Accounts: accounts}
	}
	batch := func(workspace string, responses ...store.Response) *store.RunWriter {
		run, err := s.Begin(t.Context(), workspace, store.ScopeAll)
		must(err)
		for _, r := range responses {
			_, err := run.Append(t.Context(), r)
			must(err)
		}
		return run
	}
	finish := func(run *store.RunWriter) {
		must(run.Finish(t.Context(), store.Outcome{State: store.Incomplete, Requested: 3, Requests: 4, Warnings: []string{"a warning"}}))
	}
	first := object(1, `,"status":"200","icon":"aWNvbg==","squids":[{"name":"S","hash_value":"s1"}],"resets_in":30,`+
		`"params":{"user":{"posts":{"max":5,"value":1},"likes":{"value":3}}}`)
	second, third := object(2, `,"status":"401","icon":"b3RoZXI="`), object(3, `,"lock_time":"2026-01-05T07:00:00Z"`)
	finish(batch("default", page(store.List, first, second), page(store.List, third)))
	moved := object(1, `,"status":"403","icon":"aWNvbg==","squids":[{"name":"T","hash_value":"s1"},{"name":"U","hash_value":"s2"}],`+
		`"params":{"user":{"posts":{"max":6,"value":2},"likes":{"value":3}}}`)
	run := batch("default", page(store.List, moved, second))
	must(run.Unlist(t.Context(), now.Add(time.Second), []string{third.ID}))
	absent := page(store.Detail)
	absent.Absent = []string{third.ID}
	_, err = run.Append(t.Context(), absent)
	must(err)
	must(run.Fail(t.Context(), 5, store.Failure{Account: second.ID, Kind: store.FailHTTP, HTTPStatus: 503, Message: "no"},
		store.Failure{Kind: store.FailNetwork, Message: "gone away"}))
	finish(run)
	detail := object(2, `,"status":"401","more":[1,2,3]`)
	finish(batch("other", page(store.Import, object(9, `,"status":"200"`)), page(store.Import, object(9, `,"status":"200"`))))
	finish(batch("default", page(store.Detail, detail), page(store.List, moved, third)))
	batch("default", page(store.List, moved)) // and its process dies
	must(s.Close())
}

func TestAHealthyStoreVerifies(t *testing.T) {
	path := memoryPath(t)
	smallStore(t, path)
	if done := healthy(t, path); done.Responses != 9 || done.Snapshots != 12 || done.Tree.N == 0 || done.Versions == 0 {
		t.Errorf("looked at %+v", done)
	}
	s := openStore(t, path, at(start)) // the dead run is marked
	healthy(t, path)
	tree, err := s.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if done := healthy(t, path); done.Tree != tree {
		t.Errorf("the tree is %v, and was verified as %v", tree, done.Tree)
	}
}

// TestHealthyHistoriesVerify takes random histories through all that can happen to
// a store.
func TestHealthyHistoriesVerify(t *testing.T) {
	t.Parallel()
	arena := newArena(t)
	path := arena.store.Path()
	for seed := range uint64(fewer(4, 1)) {
		p := newPlay(t, arena, 9000+seed)
		err := p.run(t.Context())
		p.close()
		if err != nil {
			t.Fatal(err)
		}
		healthy(t, path)
	}
	if err := arena.store.Rederive(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	healthy(t, path)
	if err := arena.store.Close(); err != nil {
		t.Fatal(err)
	}
	healthy(t, path)
	for _, version := range []int64{6, 2} {
		takeBack(t, path, version)
		s := openStore(t, path, at(start.Add(24*time.Hour)))
		healthy(t, path)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnEmptyStoreVerifies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := openStore(t, path, at(start))
	empty, err := tlog.TreeHash(0, nil)
	if done := healthy(t, path); err != nil || done.Tree != (tlog.Tree{Hash: empty}) {
		t.Errorf("its tree is %v, %v", done.Tree, err)
	}
	if _, err := s.Begin(t.Context(), "default", store.ScopeAll); err != nil {
		t.Fatal(err)
	}
	healthy(t, path)
}
