package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
)

// prunedStore is one of a few accounts that was pruned twice, closed. old is the log
// before.
func prunedStore(t *testing.T, path string) (old tlog.Tree) {
	t.Helper()
	s, _, err := store.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	snapshots(t, s, 0, 9, func(*store.Store) {})
	if old, err = s.Tree(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, keep := range []store.Keep{{Within: 5 * time.Hour}, {}} {
		if done, err := s.Prune(t.Context(), "default", keep, nil); err != nil || done.Thinned == 0 {
			t.Fatal(done, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return old
}

// TestAPrunedStoreVerifies, also to and from checkpoints that are older.
func TestAPrunedStoreVerifies(t *testing.T) {
	whole := filepath.Join(labFolder(t), "store.db")
	old := prunedStore(t, whole)
	healthy(t, whole)
	for _, since := range []int64{1, old.N} {
		s, err := store.Open(t.Context(), whole, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		hash, err := s.RootOf(t.Context(), since)
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		trees := store.VerifyOptions{Trees: []tlog.Tree{old}, Since: tlog.Tree{N: since, Hash: hash}}
		if found, _ := verify(t, whole, trees); len(found) > 0 {
			t.Errorf("since entry %d: %v", since, found)
		}
	}
}

// TestVerifyFindsWhatNoPruneThinned alters what stands for snapshots, the
// snapshots, and what prunes say of them.
func TestVerifyFindsWhatNoPruneThinned(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(labFolder(t), "store.db")
	prunedStore(t, whole)
	body, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	image := map[string][]byte{"store.db": body}
	for name, c := range map[string]struct{ alter, want string }{
		"hash altered":    {`UPDATE thinned SET hash = zeroblob(32) WHERE rowid_of = 1`, "response"},
		"size altered":    {`UPDATE thinned SET size = size + 1 WHERE rowid_of = 1`, ""},
		"moved":           {`UPDATE thinned SET first = first + 1 WHERE rowid_of = 1`, ""},
		"of another":      {`UPDATE thinned SET response_id = 99 WHERE rowid_of = 1`, ""},
		"deleted":         {`DELETE FROM thinned WHERE rowid_of = 1`, "response"},
		"all deleted":     {`DELETE FROM thinned`, "response"},
		"invented":        {`INSERT INTO thinned VALUES (1, 50, 1, zeroblob(32))`, ""},
		"of no response":  {`INSERT INTO thinned VALUES (990, 0, 1, zeroblob(32))`, "thinned"},
		"one more gone":   {`DELETE FROM snapshot WHERE rowid_of = 1`, "response"},
		"no prune has it": {`DELETE FROM entry WHERE id = (SELECT max(id) FROM entry)`, "thinned"},
		"line altered":    {`UPDATE entry SET text = replace(text, 'thinned ', 'thinned 1') WHERE id = (SELECT max(id) FROM entry)`, "entry"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := labFolder(t)
			lay(t, dir, image)
			path := filepath.Join(dir, "store.db")
			db := second(t, path)
			db.SetMaxOpenConns(1)
			execute(t, db, `PRAGMA foreign_keys = OFF; DROP TRIGGER snapshot_is_kept; DROP TRIGGER thinned_is_made; DROP TRIGGER thinned_is_kept;
				DROP TRIGGER thinned_is_fixed; DROP TRIGGER entry_is_kept; DROP TRIGGER entry_is_fixed`)
			table := "thinned"
			if strings.Contains(c.alter, "snapshot") {
				table = "snapshot"
			}
			execute(t, db, strings.Replace(c.alter, "rowid_of = 1",
				"response_id = (SELECT min(response_id) FROM "+table+")", 1))
			db.Close()
			found, _ := verify(t, path, store.VerifyOptions{})
			for _, f := range found {
				if strings.Contains(c.want, f.Table) && f.Table != "" || c.want == "" && (f.Table == "thinned" || f.Table == "response") {
					return
				}
			}
			t.Errorf("found: %v", found)
		})
	}
}

// TestWhatCameSinceAPruneVerifies: old responses are looked up again, between new
// ones.
func TestWhatCameSinceAPruneVerifies(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	snapshots(t, s, 0, 5, func(*store.Store) {})
	old, err := s.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		snapshots(t, s, 5+round, 1, func(*store.Store) {})
		if _, err := s.Prune(t.Context(), "default", store.Keep{Within: time.Duration(4-round) * time.Hour}, nil); err != nil {
			t.Fatal(err)
		}
	}
	snapshots(t, s, 8, 2, func(*store.Store) {})
	if found, done := verify(t, path, store.VerifyOptions{Since: old}); len(found) > 0 || done.Responses != 15 {
		t.Errorf("looked at %+v and found %v", done, found)
	}
}

// TestVerifyFindsThePastPutBack puts the snapshots back that the last prune thinned
// out.
func TestVerifyFindsThePastPutBack(t *testing.T) {
	dir := labFolder(t)
	path := filepath.Join(dir, "store.db")
	s, _, err := store.OpenWriter(t.Context(), path, writer(start))
	if err != nil {
		t.Fatal(err)
	}
	snapshots(t, s, 0, 9, func(*store.Store) {})
	if _, err := s.Prune(t.Context(), "default", store.Keep{Within: 5 * time.Hour}, nil); err != nil {
		t.Fatal(err)
	}
	db := second(t, path)
	execute(t, db, `CREATE TABLE s AS SELECT * FROM snapshot; CREATE TABLE n AS SELECT * FROM thinned`)
	if done, err := s.Prune(t.Context(), "default", store.Keep{}, nil); err != nil || done.Thinned == 0 {
		t.Fatal(done, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, db, `INSERT INTO setting VALUES ('pruning', 1); DELETE FROM snapshot; DELETE FROM thinned;
		INSERT INTO snapshot SELECT * FROM s; INSERT INTO thinned SELECT * FROM n; DELETE FROM setting WHERE name = 'pruning';
		DROP TABLE s; DROP TABLE n`)
	db.Close()
	found, _ := verify(t, path, store.VerifyOptions{})
	if len(found) == 0 || found[0].Table != "thinned" {
		t.Errorf("found: %v", found)
	}
}
