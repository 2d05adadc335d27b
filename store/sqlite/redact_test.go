package sqlite_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
)

// redactAll redacts some accounts of a store, one after the other.
func redactAll(t testing.TB, s store.Store, workspace string, accounts ...string) {
	t.Helper()
	for _, id := range accounts {
		done, err := s.Redact(t.Context(), workspace, id)
		if err != nil || !strings.HasPrefix(done.Name, "redacted:") {
			t.Fatalf("%s: %+v, %v", id, done, err)
		}
	}
}

// TestRedactLeavesTheRest redacts each account of random histories, whatever its place
// on its page, and gone or not. Each time the store verifies; no byte of the account is
// in any file; derived again everything is the same; and of the others the history and
// the proofs are as they were.
func TestRedactLeavesTheRest(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(5, 2) {
		path := memoryPath(t)
		c := newChronicle(t, path, seed)
		c.live(20 + c.rand.IntN(20))
		var gone []string
		for _, n := range c.rand.Perm(chronicled)[:5] {
			if !redactOne(c, n, &gone) {
				continue
			}
			// The history goes on without it.
			c.live(c.rand.IntN(5))
			healthy(t, path)
			if found := marksIn(t, path, mark(n)); found != "" {
				t.Errorf("seed %d: %s is stored again in %s", seed, mark(n), found)
			}
			if t.Failed() {
				t.Fatalf("seed %d, account %d", seed, n)
			}
		}
		pruneRedacted(c, gone)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// redactOne redacts an account by the workspace that knows it. It reports whether one
// does.
func redactOne(c *chronicle, n int, gone *[]string) bool {
	c.t.Helper()
	t, path, id := c.t, c.store.Path(), chronicleID(n)
	workspace := ""
	for _, w := range c.worlds {
		if w.known[n] {
			workspace = w.workspace
		}
	}
	if workspace == "" {
		return false
	}
	*gone = append(*gone, id)
	kept, trees, proofs := dump(t, path, othersOf(*gone)), treesOf(c), proofsOf(c, nil, *gone)
	redactAll(t, c.store, workspace, id)
	healthy(t, path)
	if found := marksIn(t, path, mark(n)); found != "" {
		t.Errorf("%s is still in %s", mark(n), found)
	}
	if after := dump(t, path, othersOf(*gone)); after != kept {
		t.Errorf("others changed:\n%.3000s", difference(kept, after))
	}
	for name, tree := range trees {
		if err := c.store.Extends(t.Context(), name, tree); err != nil {
			t.Error(err)
		}
	}
	if after := proofsOf(c, trees, *gone); !maps.Equal(proofs, after) || len(proofs) == 0 {
		t.Errorf("proofs of others are others: %d before, %d after", len(proofs), len(after))
	}
	once := dump(t, path, everything())
	if err := c.store.Rederive(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if after := dump(t, path, everything()); after != once {
		t.Errorf("derived again:\n%.3000s", difference(once, after))
	}
	return true
}

// pruneRedacted prunes a store in which accounts were redacted.
func pruneRedacted(c *chronicle, gone []string) {
	c.t.Helper()
	before := dump(c.t, c.store.Path(), untouched())
	for _, w := range c.worlds {
		if _, err := c.store.Prune(c.t.Context(), w.workspace, store.Keep{}, nil); err != nil {
			c.t.Fatal(err)
		}
	}
	healthy(c.t, c.store.Path())
	if after := dump(c.t, c.store.Path(), untouched()); after != before {
		c.t.Errorf("pruned:\n%.3000s", difference(before, after))
	}
	for _, w := range c.worlds {
		c.proofs(w.workspace, 0, gone)
	}
}

func treesOf(c *chronicle) map[string]tlog.Tree {
	c.t.Helper()
	trees := map[string]tlog.Tree{}
	for _, w := range c.worlds {
		tree, err := c.store.Tree(c.t.Context(), w.workspace)
		c.must(err)
		trees[w.workspace] = tree
	}
	return trees
}

// proofsOf are the proofs of all workspaces; without trees, as of now.
func proofsOf(c *chronicle, trees map[string]tlog.Tree, without []string) map[string]string {
	c.t.Helper()
	all := map[string]string{}
	for _, w := range c.worlds {
		for snapshot, proof := range c.proofs(w.workspace, trees[w.workspace].N, without) {
			all[w.workspace+" "+snapshot] = proof
		}
	}
	return all
}

// proofs are proofs of some snapshots of a workspace under a tree that its log had, but of
// no account of without.
func (c *chronicle) proofs(workspace string, size int64, without []string) map[string]string {
	c.t.Helper()
	all, seen := map[string]string{}, 0
	for _, line := range rowsOf(c.t, c.store.Path(), fmt.Sprintf(`
		SELECT a.hash || ' ' || r.at
		FROM response r
		JOIN shown s ON s.ws = r.ws AND s.source = r.source AND s.slot = r.slot AND r.at BETWEEN s.first AND s.last
		JOIN account a ON a.ws = s.ws AND a.id = s.account
		JOIN workspace w ON w.id = r.ws
		WHERE w.name = '%s'
		ORDER BY 1`, workspace)) {
		var id string
		var at int64
		if _, err := fmt.Sscan(line, &id, &at); err != nil {
			c.t.Fatal(err)
		}
		if slices.Contains(without, id) {
			continue
		}
		if seen++; seen%8 > 0 {
			continue
		}
		p, err := c.store.Prove(c.t.Context(), store.ProofQuery{Workspace: workspace, Account: id, At: time.UnixMilli(at), Size: size})
		if errors.Is(err, store.ErrLater) {
			continue
		}
		if err != nil {
			c.t.Fatalf("%s: %v", line, err)
		}
		all[line] = fmt.Sprintf("%+v", p.Proof)
	}
	return all
}

// othersOf are all that the views tell of accounts but these.
func othersOf(accounts []string) (queries []string) {
	list := "'" + strings.Join(append([]string{""}, accounts...), "', '") + "'"
	for _, view := range []string{"account_current", "account_versions", "changes", "status_changes", "squid_assignments",
		"limit_usage", "snapshots", "health_periods"} {
		queries = append(queries, fmt.Sprintf(`SELECT '%s', * FROM %s WHERE account NOT IN (%s)`, view, view, list))
	}
	queries = append(queries, `SELECT 'failures', * FROM failures WHERE account NOT IN (`+list+`)`, `SELECT 'squid_health', * FROM squid_health`)
	return queries
}

// marksIn is the first file of the store that has the text in it, in either case; "" for
// none.
func marksIn(t testing.TB, path, text string) string {
	t.Helper()
	names, err := filepath.Glob(path + "*")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToLower(string(body)), strings.ToLower(text)) {
			return filepath.Base(name)
		}
	}
	return ""
}

// TestRedactedAccountsAreWithheld: what the API shows of one afterwards is not stored.
func TestRedactedAccountsAreWithheld(t *testing.T) {
	path := memoryPath(t)
	s := redactLab(t, path)
	done, err := s.Redact(t.Context(), "default", person)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := s.Withheld(t.Context(), "default")
	if _, known := s.State(t.Context(), "default", person, time.Time{}); err != nil || len(ids) != 1 || !ids[person] || !errors.Is(known, store.ErrRedacted) {
		t.Errorf("withheld are %v (%v), and its state is known: %v", ids, err, known)
	}
	showAgain(t, s)
	nothingLeft(t, path, "shown again")
	again, err := s.Redact(t.Context(), "default", person)
	if err != nil || again != (store.Redacted{Account: person, Name: done.Name}) {
		t.Errorf("again: %+v, %v", again, err)
	}
	healthy(t, path)
}

// showAgain lets the API show the redacted account again: it is withheld.
func showAgain(t *testing.T, s store.Store) {
	t.Helper()
	run, err := s.Begin(t.Context(), "default", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	when := start.Add(24 * time.Hour)
	got, err := run.Append(t.Context(), store.Response{
		Source: store.List, Sent: when, Received: when, Accounts: []store.Observed{accountObject(``), personObject(9)},
		Failures: []store.Failure{{Account: person, Kind: store.FailDecode, Message: "NOTE-5512"}},
	})
	if err != nil || got.Withheld != 1 || got.Captured() != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := run.Append(t.Context(), store.Response{
		Source: store.Detail, Sent: when, Received: when, Absent: []string{person}}); err != nil || got.Withheld != 1 || got.Gone != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if n, err := run.Disappearing(t.Context(), []string{person}, []string{person}); err != nil || n != 0 {
		t.Errorf("%d redacted accounts would disappear, %v", n, err)
	}
	if err := run.Unlist(t.Context(), when, []string{person}); err != nil {
		t.Error(err)
	}
	if err := finishRun(t.Context(), run, 0); err != nil {
		t.Fatal(err)
	}
}
