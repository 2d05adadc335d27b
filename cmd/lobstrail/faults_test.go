package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// The cast of the fault tests. Since the store saw them the ghost has been deleted
// and the stranger created.
var (
	faultCast = []string{"ada", "ben", "cleo", "dora", "ghost"}
	ghost     = castID("ghost")
	stranger  = castID("stranger")
)

func castID(name string) string { return lobstrtest.ID("cast/" + name) }

func faultWorld() *lobstrtest.World {
	w := nowWorld()
	for _, name := range faultCast {
		w.Add(lobstrtest.Account{ID: castID(name), Username: name, Squids: []string{"Leads"}})
	}
	return w
}

// storeBeforeFaults makes, once, a store with one complete run over the cast.
var storeBeforeFaults = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "lobstrail-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	server, err := lobstrtest.Listen(faultWorld())
	if err != nil {
		return nil, err
	}
	defer server.Close()
	path := filepath.Join(dir, "before.db")
	vars := map[string]string{"LOBSTR_API_BASE": server.URL, "LOBSTR_TOKEN": lobstrtest.DefaultToken}
	if o := within(0, vars, "snapshot", "--db", path); o.code != exitDone {
		return nil, fmt.Errorf("the run before the faults: %s", o)
	}
	return os.ReadFile(path)
})

// TestEveryFaultIsRecordedAsWhatItIs lets each fault of the table befall every
// request of a real process, which asks with the canary as its key. A fault that may
// befall the list and details befalls one of them at random; with -long, both.
func TestEveryFaultIsRecordedAsWhatItIs(t *testing.T) {
	for i, f := range lobstrtest.AllFaults() {
		if i%fewer(1, 3) > 0 {
			continue
		}
		routes := []lobstrtest.Route{lobstrtest.List, lobstrtest.Detail}
		routes = slices.DeleteFunc(routes, func(r lobstrtest.Route) bool { return f.On != nil && !slices.Contains(f.On, r) })
		if !*long && len(routes) > 1 {
			routes = routes[rand.IntN(2):][:1]
		}
		for _, route := range routes {
			name := f.Name + " on " + string(route)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				meet(t, f, route).check(t)
			})
		}
	}
}

// encounter is what a process made of a fault.
type encounter struct {
	fault  lobstrtest.Fault
	route  lobstrtest.Route
	home   *home
	server *lobstrtest.Server
	told   outcome
	run    report.RunJSON
	ghost  store.AccountState
}

func meet(t *testing.T, f lobstrtest.Fault, route lobstrtest.Route) encounter {
	t.Helper()
	world := faultWorld()
	server := serve(t, world)
	server.AddWorkspace(canary, world)
	server.Revoke(lobstrtest.DefaultToken)
	if slices.Contains(f.On, lobstrtest.List) && len(f.On) == 1 {
		server.SetPageLimits(2, 2)
	}
	happen(world, lobstrtest.Delete(ghost), lobstrtest.Create(lobstrtest.Account{ID: stranger, Username: "stranger"}))
	server.Inject(f, lobstrtest.When{Route: route})
	e := encounter{fault: f, route: route, home: newHome(t).asks(server, canary), server: server}
	e.home.keep(t)
	args := []string{"snapshot", "--json", "--verbose", "--retries", "0", "--max-wait", "1500ms"}
	if strings.HasPrefix(f.Name, "hang") {
		args = append(args, "--timeout", "300ms")
	}
	if route == lobstrtest.Detail {
		args = append(args, castID("ada"), stranger)
	}
	e.told = e.home.run(args...)
	if err := json.Unmarshal([]byte(e.told.stdout), &e.run); err != nil {
		t.Fatalf("%v in %s", err, e.told)
	}
	e.ghost = e.home.account(t, ghost)
	return e
}

// keep puts the store as it was before the faults into the home.
func (h *home) keep(t *testing.T) {
	t.Helper()
	raw, err := storeBeforeFaults()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(h.db), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.db, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// account reads an account out of the home's store.
func (h *home) account(t *testing.T, id string) store.AccountState {
	t.Helper()
	s, err := sqlite.Open(context.Background(), h.db, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for account, err := range s.Accounts(context.Background(), store.AccountQuery{Workspace: "default", Account: id}) {
		if err != nil {
			t.Fatal(err)
		}
		return account
	}
	t.Fatalf("account %s is not in the store", id)
	panic("unreachable")
}

func (e encounter) check(t *testing.T) {
	t.Helper()
	e.checkKinds(t)
	e.checkSums(t)
	e.checkConclusions(t)
	if leaks := e.server.Elsewhere().Leaks(); leaks > 0 {
		t.Errorf("the key went to another origin %d times", leaks)
	}
	searchCanary(t, e.home.dir, e.told)
	if secret := e.fault.Expect.Secret; secret != "" {
		searchFor(t, e.home.dir, e.told, map[string][]byte{"the secret": []byte(secret)})
	}
}

// checkKinds compares the kinds of failures with those that are right.
func (e encounter) checkKinds(t *testing.T) {
	t.Helper()
	expect := e.fault.Expect
	for _, f := range e.run.Failures {
		if !expect.Accepts(string(f.Kind)) {
			t.Errorf("a failure %s (%s), want %s or %v", f.Kind, f.Message, expect.Failure, expect.Also)
		}
		if f.Message == "" {
			t.Errorf("a failure %s without a message", f.Kind)
		}
	}
	if len(e.run.Failures) == 0 && !expect.Accepts("none") {
		t.Errorf("no failure, want %s: %s", expect.Failure, e.told)
	}
	want := []int{exitDone}
	switch {
	case slices.ContainsFunc(e.run.Failures, func(f report.FailureJSON) bool { return f.Kind == store.FailAuth }):
		want = []int{exitKey}
	case e.run.State == store.Failed:
		want = []int{exitFailed}
		if e.run.Captured > 0 {
			t.Errorf("a failed run that captured something: %s", e.told)
		}
	case !e.run.Complete:
		want = []int{exitIncomplete}
	}
	if !slices.Contains(want, e.told.code) {
		t.Errorf("exit code %d, want %d: %s", e.told.code, want, e.told)
	}
}

// checkSums holds the numbers of the run to what they mean.
func (e encounter) checkSums(t *testing.T) {
	t.Helper()
	r := e.run
	if r.Captured != r.Changed+r.Unchanged {
		t.Errorf("captured %d is not changed %d + unchanged %d", r.Captured, r.Changed, r.Unchanged)
	}
	if r.Failed != len(r.Failures) {
		t.Errorf("failed %d, and %d failures", r.Failed, len(r.Failures))
	}
	if r.Complete && (r.Failed > 0 || len(r.Warnings) > 0) {
		t.Errorf("complete with %d failures and warnings %q", r.Failed, r.Warnings)
	}
	came := e.server.Count(lobstrtest.AnyRoute) + e.server.Elsewhere().Requests()
	// A batch that stops cancels what it has counted and not sent yet.
	if r.Requests < came || r.Requests > came && r.Complete {
		t.Errorf("%d requests counted, %d came", r.Requests, came)
	}
	nobody := e.fault.Name == "empty-page" // there is nothing to keep of it
	if e.fault.Expect.PartKept && e.route == lobstrtest.List && r.Captured == 0 && !nobody {
		t.Error("nothing was kept of an answer whose other accounts were right")
	}
}

// checkConclusions: a list that was not whole says nothing of the ghost; a whole
// one leads to the 404 that makes it gone.
func (e encounter) checkConclusions(t *testing.T) {
	t.Helper()
	health, unlisted := e.ghost.Facts.Health, !e.ghost.UnlistedSince.IsZero()
	if e.route == lobstrtest.Detail {
		if health != store.Healthy || unlisted {
			t.Errorf("the ghost is %s (unlisted: %v), and nobody asked for it", health, unlisted)
		}
		return
	}
	if e.fault.Expect.ListIncomplete && e.run.Complete {
		t.Errorf("a list that was not whole made a complete run: %s", e.told)
	}
	if e.run.Complete && health != store.Gone {
		t.Errorf("a complete run, and the ghost is %s", health)
	}
	// An account that makes no sense, but has a name, was shown all the same.
	unnamed := func(f report.FailureJSON) bool { return f.Account == "" }
	allNamed := len(e.run.Failures) > 0 && !slices.ContainsFunc(e.run.Failures, unnamed)
	if e.fault.Expect.ListIncomplete && !allNamed && (health != store.Healthy || unlisted) {
		t.Errorf("the list was not whole, and the ghost is %s (unlisted: %v)", health, unlisted)
	}
}

// TestAFaultThatPassesLeavesNoFailure: what is worth retrying is retried.
func TestAFaultThatPassesLeavesNoFailure(t *testing.T) {
	some := []string{"http-503-current", "retry-after-0", "truncated", "reset-within", "http-502-html", "half-json"}
	for _, f := range lobstrtest.AllFaults() {
		if !f.Expect.Retried || !*long && !slices.Contains(some, f.Name) {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			world := faultWorld()
			server := serve(t, world)
			server.Inject(f, lobstrtest.When{Times: 1})
			h := newHome(t).asks(server, lobstrtest.DefaultToken)
			args := []string{"snapshot", "--json", "--retries", "2"}
			if strings.HasPrefix(f.Name, "hang") {
				args = append(args, "--timeout", "500ms")
			}
			var run report.RunJSON
			o := h.must(exitDone, args...)
			if err := json.Unmarshal([]byte(o.stdout), &run); err != nil {
				t.Fatal(err)
			}
			if !run.Complete || run.Captured != len(faultCast) || run.Requests != 2 {
				t.Errorf("want all captured with 2 requests: %s", o)
			}
		})
	}
}
