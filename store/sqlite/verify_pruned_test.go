package sqlite_test

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// trees are those of a verification, as checkpoints tell them.
func trees(done store.Verified) map[string][]tlog.Tree {
	all := map[string][]tlog.Tree{}
	for workspace, tree := range done.Trees {
		all[workspace] = []tlog.Tree{tree}
	}
	return all
}

// prunedStore is a closed store that was pruned twice. Some of its entries name several
// responses, of which a part was dropped. old are the logs before.
func prunedStore(t *testing.T, path string) (old map[string][]tlog.Tree) {
	t.Helper()
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	h := &smallHistory{t, s, start}
	h.write()
	for round := range 6 {
		run := h.begin("default")
		pages := []store.Response{
			h.page(store.List, 1, smallObject(1, fmt.Sprintf(`,"f":%d`, round/4))), h.page(store.List, 2, smallObject(2, ``), smallObject(3, ``)),
		}
		_, err := run.AppendAll(t.Context(), pages)
		h.must(err)
		h.finish(run)
		h.finish(h.begin("default", h.page(store.List, 1, smallObject(1, fmt.Sprintf(`,"f":%d`, round/4)))))
	}
	old = trees(healthy(t, path))
	for range 2 {
		if done, err := s.Prune(t.Context(), "default", store.Keep{}, nil); err != nil || done.Thinned == 0 {
			t.Fatal(done, err)
		}
		for range 3 {
			h.finish(h.begin("default", h.page(store.List, 1, smallObject(1, `,"f":1`))))
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return old
}

// TestAPrunedStoreVerifies, also to checkpoints that are older, and a pruned one that was
// derived again.
func TestAPrunedStoreVerifies(t *testing.T) {
	path := memoryPath(t)
	old := store.VerifyOptions{Trees: prunedStore(t, path)}
	if findings, _ := verify(t, path, old); len(findings) > 0 {
		t.Error(findings)
	}
	if err := openStore(t, path, at(start)).Rederive(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if findings, _ := verify(t, path, old); len(findings) > 0 {
		t.Error("derived again:", findings)
	}
}

// TestVerifyFindsWhatNoPruneDropped drops more than the prunes did, and changes what they
// say.
func TestVerifyFindsWhatNoPruneDropped(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	prunedStore(t, path)
	f := newForger(t, path)
	const quiet = `(SELECT max(at) FROM response WHERE ws = 1 AND news = 0)`
	for name, c := range map[string]struct{ alter, table string }{
		"one more is dropped":              {`DELETE FROM response WHERE ws = 1 AND at = ` + quiet, "response"},
		"with news":                        {`DELETE FROM response WHERE ws = 1 AND at = (SELECT max(at) FROM response WHERE ws = 1 AND news > 0)`, "response"},
		"one more, with the text":          {`DELETE FROM response WHERE ws = 1 AND at = ` + quiet + `; UPDATE entry SET text = NULL WHERE ws = 1 AND text LIKE '%response ' || ` + quiet + ` || '%'`, "entry"},
		"a text is dropped":                {`UPDATE entry SET text = NULL WHERE ws = 1 AND id = (SELECT max(id) FROM entry WHERE ws = 1)`, "entry"},
		"a text of a run is dropped":       {`UPDATE entry SET text = NULL WHERE ws = 1 AND id = 1`, "entry"},
		"a text is put back":               {`UPDATE entry SET text = 'x' WHERE ws = 1 AND text IS NULL`, "entry"},
		"an empty text is put back":        {`UPDATE entry SET text = '' WHERE ws = 1 AND text IS NULL`, "entry"},
		"the hashes of a text":             {`UPDATE entry SET hashes = zeroblob(length(hashes)) WHERE ws = 1 AND text IS NULL`, "entry"},
		"no hashes":                        {`UPDATE entry SET hashes = x'' WHERE ws = 1 AND text IS NULL`, "entry"},
		"a byte too many":                  {`UPDATE entry SET hashes = CAST(hashes || x'01' AS BLOB) WHERE ws = 1 AND text IS NULL`, "entry"},
		"a prune drops less":               {`UPDATE entry SET text = replace(text, '-', ',') WHERE ws = 1 AND text LIKE '%prune %'`, "entry"},
		"the last prune was none":          {`DELETE FROM entry WHERE ws = 1 AND text LIKE '%prune %'`, "entry"},
		"another one as what was dropped":  {`UPDATE response SET at = at - 1 WHERE ws = 1 AND at = ` + quiet, "response"},
		"a stay ends with what is dropped": {`UPDATE shown SET last = last - 1 WHERE ws = 1 AND last < 9223372036854775807`, "shown"},
	} {
		if !f.forge(c.alter) {
			t.Errorf("%s: nothing was changed", name)
		}
		named := false
		for _, found := range f.found() {
			named = named || found.Table == c.table && found.Row != ""
		}
		if !named {
			t.Errorf("%s: found %v", name, f.found())
		}
	}
}

// TestVerifyFindsThePastPutBack puts back what a prune dropped: all of it, or only the
// responses.
func TestVerifyFindsThePastPutBack(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	s, _, err := sqlite.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	h := &smallHistory{t, s, start}
	for range 6 {
		h.finish(h.begin("default", h.page(store.List, 1, smallObject(1, ``))))
	}
	db := second(t, path)
	execute(t, db, `CREATE TABLE r AS SELECT * FROM response; CREATE TABLE e AS SELECT * FROM entry`)
	if done, err := s.Prune(t.Context(), "default", store.Keep{}, nil); err != nil || done.Thinned == 0 {
		t.Fatal(done, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	const responses = `INSERT OR IGNORE INTO response SELECT * FROM r;`
	const texts = `UPDATE entry SET text = (SELECT text FROM e WHERE e.id = entry.id) WHERE text IS NULL;`
	const clean = `DROP TABLE r; DROP TABLE e`
	for name, c := range map[string]struct{ alter, table string }{
		"the responses":           {responses + clean, "response"},
		"the texts":               {texts + clean, "entry"},
		"the responses and texts": {responses + texts + clean, "entry"},
	} {
		copied := changedAt(t, path, 0, nil)
		db := second(t, copied)
		execute(t, db, `INSERT INTO setting VALUES ('erasing', 1);`+c.alter+`; DELETE FROM setting WHERE name = 'erasing'`)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		found, _ := verify(t, copied, store.VerifyOptions{})
		if len(found) == 0 || found[0].Table != c.table || found[0].Row == "" {
			t.Errorf("%s: found %v", name, found)
		}
	}
}
