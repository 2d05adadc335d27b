package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// TestRowsTakenOutAndPutInAreFound takes each row of each table out, and puts it in
// a second time.
func TestRowsTakenOutAndPutInAreFound(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	smallStore(t, path)
	f := newForger(t, path)
	done, seen := map[string]int{}, map[string]bool{}
	for i, c := range f.cells() {
		row := c.table + " " + c.where
		if seen[row] || !*long && i%fewer(9, 41) > 0 {
			continue
		}
		seen[row] = true
		if f.forge(fmt.Sprintf("DELETE FROM %s WHERE %s", c.table, c.where)) {
			if done["deleted"]++; len(f.found()) == 0 {
				t.Errorf("not found: %s was deleted", row)
			}
		}
		for _, copied := range f.copies(c) {
			if f.forge(copied) {
				if done["inserted"]++; len(f.found()) == 0 {
					t.Errorf("not found: %s", copied)
				}
			}
		}
	}
	t.Logf("%v", done)
	if done["deleted"] < 20 || done["inserted"] < 20 {
		t.Errorf("only %v", done)
	}
}

// copies are statements that insert the row of a cell again, each with a higher
// number in another column of the key.
func (f *forger) copies(c cell) (statements []string) {
	f.t.Helper()
	f.forge("SELECT 1")
	db := f.open()
	defer f.close(db)
	columns := f.strings(db, `SELECT name FROM pragma_table_info(?)`, c.table)
	keys := f.strings(db, `SELECT name FROM pragma_table_info(?) WHERE pk > 0`, c.table)
	if len(keys) == 0 {
		keys = []string{""}
	}
	for _, key := range keys {
		values := slices.Clone(columns)
		if i := slices.Index(columns, key); i >= 0 {
			values[i] = fmt.Sprintf("CASE typeof(%s) WHEN 'integer' THEN (SELECT max(%[1]s) + 1 FROM %s) ELSE %[1]s || 'x' END", key, c.table)
		}
		statements = append(statements, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %[1]s WHERE %[4]s",
			c.table, strings.Join(columns, ", "), strings.Join(values, ", "), c.where))
	}
	return statements
}

// TestRowsInAnotherOrderAreFound exchanges the numbers of rows that follow each
// other, and lets what was once stored come again.
func TestRowsInAnotherOrderAreFound(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	smallStore(t, path)
	f := newForger(t, path)
	exchange := func(table, key string, a, b int) []string {
		return []string{
			fmt.Sprintf("UPDATE %s SET %s = -1 WHERE %[2]s = %d", table, key, a),
			fmt.Sprintf("UPDATE %s SET %s = %d WHERE %[2]s = %[4]d", table, key, a, b),
			fmt.Sprintf("UPDATE %s SET %s = %d WHERE %[2]s = -1", table, key, b),
		}
	}
	cases := map[string][]string{
		"snapshots of two responses": exchange("snapshot", "response_id", 1, 3),
		"a response comes again": {
			`INSERT INTO response SELECT 10, workspace_id, run_id, source, sent_at, received_at, held_ms, server_at,
				account_min, account_max FROM response WHERE id = 9`,
			`INSERT INTO snapshot SELECT 10, account_id, document_id FROM snapshot WHERE response_id = 9`,
			`UPDATE seen SET list_response_id = 10 WHERE list_response_id = 9`,
		},
		"an entry comes again": {
			`INSERT INTO entry (text, hashes) SELECT replace(text, 'entry 8', 'entry 21'), hashes FROM entry WHERE id = 8`,
		},
		"an earlier document":          {`UPDATE snapshot SET document_id = 1 WHERE response_id = 9`},
		"the last entries are cut off": {`DELETE FROM entry WHERE id > 15`},
	}
	for _, table := range []string{"entry", "response", "run", "document", "account", "icon", "failure", "version", "change",
		"status_step", "squid", "assignment", "workspace"} {
		cases[table] = exchange(table, "id", 1, 2)
	}
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
// again that rests on it, as somebody would who has this source. That verifies; but
// not against what was noted before.
func TestARewrittenLogIsFoundByACheckpoint(t *testing.T) {
	path := memoryPath(t)
	smallStore(t, path)
	honest := healthy(t, path).Tree
	f := newForger(t, path)
	if !f.forge(`UPDATE document SET body = replace(body, '"401"', '"200"') WHERE body LIKE '%"401"%'`) || len(f.found()) == 0 {
		t.Fatal("a changed document was not found")
	}
	s := openStore(t, path, at(start))
	if err := s.RewriteLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Rederive(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	forged := healthy(t, path).Tree
	for name, o := range map[string]store.VerifyOptions{
		"its last tree": {Trees: []tlog.Tree{honest}}, "since its last tree": {Since: honest},
		"a tree of the future":       {Trees: []tlog.Tree{{N: forged.N + 1, Hash: forged.Hash}}},
		"since a tree of the future": {Since: tlog.Tree{N: forged.N + 1, Hash: forged.Hash}},
		"one of two":                 {Trees: []tlog.Tree{forged, {N: 3, Hash: honest.Hash}}, Since: forged},
	} {
		findings, _ := verify(t, path, o)
		if len(findings) != 1 || !strings.Contains(findings[0].Problem, store.ErrRewritten.Error()) {
			t.Errorf("%s: %v", name, findings)
		}
	}
	if findings, _ := verify(t, path, store.VerifyOptions{Trees: []tlog.Tree{forged}}); len(findings) > 0 {
		t.Errorf("its own tree: %v", findings)
	}
}

// TestEveryTreeIsFoundAgain holds a log to each of the trees that it ever had.
func TestEveryTreeIsFoundAgain(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	smallStore(t, path)
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var trees []tlog.Tree
	for n := range healthy(t, path).Tree.N + 1 {
		hash, err := s.RootOf(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tlog.Tree{N: n, Hash: hash})
	}
	if findings, _ := verify(t, path, store.VerifyOptions{Trees: trees}); len(findings) > 0 {
		t.Errorf("all trees: %v", findings)
	}
	for i, tree := range trees {
		if i%fewer(1, 4) > 0 {
			continue
		}
		findings, done := verify(t, path, store.VerifyOptions{Trees: trees, Since: tree})
		if len(findings) > 0 || done.Tree != trees[len(trees)-1] {
			t.Errorf("since %d: %v, %+v", tree.N, findings, done)
		}
		tree.Hash[3]++
		if findings, _ := verify(t, path, store.VerifyOptions{Trees: []tlog.Tree{tree}}); len(findings) != 1 {
			t.Errorf("another tree of %d: %v", tree.N, findings)
		}
	}
}

// TestWhatCameSinceIsVerified: with a tree to begin from, what came later is
// checked, and nothing else.
func TestWhatCameSinceIsVerified(t *testing.T) {
	path := memoryPath(t)
	smallStore(t, path)
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const from = 10
	hash, err := s.RootOf(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f := newForger(t, path)
	for statement, want := range map[string]bool{
		`UPDATE response SET sent_at = sent_at - 1 WHERE id = 1`: false,
		`UPDATE version SET username = 'x' WHERE id = 1`:         false,
		`UPDATE response SET sent_at = sent_at - 1 WHERE id = 9`: true,
		`UPDATE document SET body = body || ' ' WHERE id = 8`:    true,
		`DELETE FROM response WHERE id = 9`:                      true,
		`DELETE FROM snapshot WHERE response_id = 9`:             true,
		`UPDATE run SET requests = 9 WHERE id = 5`:               true,
		`UPDATE entry SET text = text || ' ' WHERE id = 20`:      true,
	} {
		if !f.forge(statement) {
			t.Errorf("nothing was changed: %s", statement)
		}
		findings, _ := verify(t, path, store.VerifyOptions{Since: tlog.Tree{N: from, Hash: hash}})
		if found := len(findings) > 0; found != want {
			t.Errorf("%s: %v", statement, findings)
		}
	}
}

// TestAStoreThatIsWrittenToVerifies lets batches go on meanwhile.
func TestAStoreThatIsWrittenToVerifies(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	snapshots(t, s, 0, 2, func(*store.Store) {})
	stop, writing := make(chan struct{}), sync.WaitGroup{}
	writing.Go(func() {
		for round := 2; ; round++ {
			select {
			case <-stop:
				return
			default:
				snapshots(t, s, round, 1, func(*store.Store) {})
			}
		}
	})
	for range fewer(4, 2) {
		healthy(t, path)
	}
	close(stop)
	writing.Wait()
}

// TestVerifyNeedsTheRulesOfTheStore: other rules would find fault with all that is
// derived.
func TestVerifyNeedsTheRulesOfTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	smallStore(t, path)
	for change, want := range map[int]error{-1: store.ErrNewer, 1: store.ErrOlder} {
		rules := report.Rules()
		rules.Version += change
		s, err := store.Open(t.Context(), path, store.Options{Rules: rules})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(t.Context(), store.VerifyOptions{}, func(store.Finding) {}); !errors.Is(err, want) {
			t.Errorf("rules of version %+d: %v", change, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(t.Context(), path, store.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Verify(t.Context(), store.VerifyOptions{}, nil); err == nil {
		t.Error("it verifies without rules")
	}
}
