package sqlite_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// TestRowsTakenOutAreFound takes some rows of each table out; with -long, each row in turn.
func TestRowsTakenOutAreFound(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	smallStore(t, path)
	f := newForger(t, path)
	deleted, seen, tables := 0, map[string]bool{}, map[string]int{}
	for _, c := range f.sample() {
		row := c.table + " " + c.where
		if seen[row] || !*long && tables[c.table] == 3 {
			continue
		}
		seen[row] = true
		tables[c.table]++
		if c.isKey = true; !f.forge(fmt.Sprintf("DELETE FROM %s WHERE %s", c.table, c.where)) {
			continue
		}
		deleted++
		if findings := f.found(); !c.named(findings) {
			t.Errorf("%s was deleted, and found: %v", row, findings)
		}
	}
	if deleted < 20 {
		t.Errorf("only %d rows were deleted", deleted)
	}
}

// TestRowsInAnotherOrderAreFound exchanges what rows of the same table say, or which of
// them comes first, and lets what was once stored come again.
func TestRowsInAnotherOrderAreFound(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	smallStore(t, path)
	f := newForger(t, path)
	exchange := func(table, key string, a, b any) []string {
		return []string{
			fmt.Sprintf("UPDATE %s SET %s = -1 WHERE ws = 1 AND %[2]s = %v", table, key, a),
			fmt.Sprintf("UPDATE %s SET %s = %v WHERE ws = 1 AND %[2]s = %[4]v", table, key, a, b),
			fmt.Sprintf("UPDATE %s SET %s = %v WHERE ws = 1 AND %[2]s = -1", table, key, b),
		}
	}
	const first, second, last = 1767592861000, 1767592921000, 1767593461000
	cases := map[string][]string{
		"a response comes again": {fmt.Sprintf(`
			INSERT INTO response
			SELECT ws, at + 1, run, source, slot, sent_at, server_at, held_ms, shown, changed, absent, gone, news FROM response WHERE at = %d`, last)},
		"an entry comes again": {`
			INSERT INTO entry (ws, id, text, hashes) SELECT ws, 19, replace(text, '" 8', '" 19'), hashes FROM entry WHERE ws = 1 AND id = 8`},
		"the last entries are cut off":  {`DELETE FROM entry WHERE ws = 1 AND id > 15`},
		"a row is in another workspace": {`UPDATE usage SET ws = 2 WHERE at = 1767593281000`},
		"workspaces have each other's name": {
			`UPDATE workspace SET name = name || 'x'`, `UPDATE workspace SET name = iif(id = 1, 'other', 'default')`,
		},
		"what was said later": exchange("usage", "at", first, 1767592981000),
	}
	for _, table := range []string{"response", "version", "change", "status_step"} {
		cases[table] = exchange(table, "at", first, second)
	}
	for _, table := range []string{"run", "entry", "account", "name", "squid"} {
		cases[table] = exchange(table, "id", 1, 2)
	}
	cases["value"] = exchange("value", "id", 1, 2)
	cases["failure"] = exchange("failure", "n", 1, 2)
	for name, statements := range cases {
		switch {
		case !f.forge(statements...):
			t.Errorf("%s: nothing was changed", name)
		case len(f.found()) == 0:
			t.Errorf("not found: %s", name)
		}
	}
}

// TestARewrittenLogIsFoundByACheckpoint changes a document and makes everything
// again that rests on it. That verifies; but not against what was noted before.
func TestARewrittenLogIsFoundByACheckpoint(t *testing.T) {
	path := memoryPath(t)
	smallStore(t, path)
	honest := healthy(t, path).Trees["default"]
	f := newForger(t, path)
	if !f.forge(`UPDATE fact SET value = '"200"' WHERE value = '"401"'`) || len(f.found()) == 0 {
		t.Fatal("a changed document was not found")
	}
	s := openStore(t, path, at(start))
	if err := errors.Join(s.RewriteLog(t.Context(), "default"), s.Rederive(t.Context(), nil)); err != nil {
		t.Fatal(err)
	}
	forged := healthy(t, path).Trees["default"]
	for name, trees := range map[string]map[string][]tlog.Tree{
		"its last tree":        {"default": {honest}},
		"a tree of the future": {"default": {{N: forged.N + 1, Hash: forged.Hash}}},
		"one of two":           {"default": {forged, {N: 3, Hash: honest.Hash}}},
		"no such workspace":    {"default": {forged}, "lost": {forged}},
	} {
		findings, _ := verify(t, path, store.VerifyOptions{Trees: trees})
		if len(findings) != 1 || !strings.Contains(findings[0].Problem, store.ErrRewritten.Error()) {
			t.Errorf("%s: %v", name, findings)
		}
	}
	if findings, _ := verify(t, path, store.VerifyOptions{Trees: map[string][]tlog.Tree{"default": {forged}}}); len(findings) > 0 {
		t.Errorf("its own tree: %v", findings)
	}
}

// TestEveryTreeIsFoundAgain holds each log to each of the trees that it ever had.
func TestEveryTreeIsFoundAgain(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	smallStore(t, path)
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	trees := map[string][]tlog.Tree{}
	for workspace, last := range healthy(t, path).Trees {
		for n := range last.N + 1 {
			hash, err := s.RootOf(t.Context(), workspace, n)
			if err != nil {
				t.Fatal(err)
			}
			trees[workspace] = append(trees[workspace], tlog.Tree{N: n, Hash: hash})
		}
	}
	if findings, _ := verify(t, path, store.VerifyOptions{Trees: trees}); len(findings) > 0 {
		t.Errorf("all trees: %v", findings)
	}
	for workspace, all := range trees {
		for i, tree := range all {
			if i%fewer(1, 4) > 0 {
				continue
			}
			tree.Hash[3]++
			other := maps.Clone(trees)
			other[workspace] = append(slices.Clone(all), tree)
			if findings, _ := verify(t, path, store.VerifyOptions{Trees: other}); len(findings) != 1 {
				t.Errorf("%s: another tree of %d: %v", workspace, tree.N, findings)
			}
		}
	}
}

// TestAStoreThatIsWrittenToVerifies lets batches go on meanwhile.
func TestAStoreThatIsWrittenToVerifies(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	stop, writing := make(chan struct{}), sync.WaitGroup{}
	writing.Go(func() {
		for round := 0; ; round++ {
			select {
			case <-stop:
				return
			default:
				take(t, s, start.Add(time.Duration(round)*time.Hour), smallObject(1, fmt.Sprintf(`,"f":%d`, round/2)), smallObject(byte(round), ``))
			}
		}
	})
	for range fewer(8, 3) {
		healthy(t, path)
	}
	close(stop)
	writing.Wait()
	healthy(t, path)
}

// TestVerifyNeedsTheRulesOfTheStore: other rules would find fault with all that is
// derived.
func TestVerifyNeedsTheRulesOfTheStore(t *testing.T) {
	path := memoryPath(t)
	smallStore(t, path)
	for change, want := range map[int]error{-1: store.ErrNewer, 1: store.ErrOlder} {
		rules := report.Rules()
		rules.Version += change
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{Rules: rules})
		if err != nil {
			t.Fatal(err)
		}
		found := func(f store.Finding) { t.Errorf("rules of version %+d: found %v", change, f) }
		if _, err := s.Verify(t.Context(), store.VerifyOptions{}, found); !errors.Is(err, want) {
			t.Errorf("rules of version %+d: %v", change, err)
		}
		done, err := s.Verify(t.Context(), store.VerifyOptions{AnyRules: true}, found)
		if err != nil || done.Responses != 11 || done.Versions != 0 {
			t.Errorf("rules of version %+d, and any do: %+v, %v", change, done, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Verify(t.Context(), store.VerifyOptions{}, nil); err == nil {
		t.Error("it verifies without rules")
	}
}
