package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/migrations"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// entries are the texts of the log.
func entries(t testing.TB, path string) (texts []string) {
	t.Helper()
	db := second(t, path)
	defer db.Close()
	found, err := db.Query(`SELECT id, text FROM entry ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		var id int
		var text string
		if err := found.Scan(&id, &text); err != nil {
			t.Fatal(err)
		}
		if texts = append(texts, text); id != len(texts) {
			t.Fatalf("entry %d is the %d. one", id, len(texts))
		}
	}
	return texts
}

// subjects are what the lines of an entry are about, in order.
func subjects(t testing.TB, text string) string {
	t.Helper()
	_, lines, err := ledger.ParseEntry(text)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range lines {
		what, number := ledger.Subject(line)
		lines[i] = fmt.Sprint(what, " ", number)
	}
	return strings.Join(lines, ", ")
}

// checkTree holds the tree to one that golang.org/x/mod/sumdb/tlog makes of the
// texts alone.
func checkTree(t testing.TB, s *store.Store) {
	t.Helper()
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, err error) {
		for _, i := range indexes {
			hashes = append(hashes, stored[i])
		}
		return hashes, nil
	})
	texts := entries(t, s.Path())
	for i, text := range texts {
		more, err := tlog.StoredHashes(int64(i), []byte(text), read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(int64(len(texts)), read)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Tree(t.Context())
	if want := (tlog.Tree{N: int64(len(texts)), Hash: root}); err != nil || got != want {
		t.Errorf("the tree is %v, %v, want %v", got, err, want)
	}
}

// TestEachTransactionOfEvidenceHasAnEntry does one of everything.
func TestEachTransactionOfEvidenceHasAnEntry(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	ctx := t.Context()
	var run *store.RunWriter
	begin := func() (err error) { run, err = s.Begin(ctx, "default", store.ScopeAll); return err }
	finish := func() error { return run.Finish(ctx, store.Outcome{State: store.Complete}) }
	page := func(r store.Response) store.Response {
		r.Source, r.Sent, r.Received = store.List, start, start.Add(time.Second)
		return r
	}
	known := accountObject(``)
	for _, step := range []struct {
		name string
		do   func() error
		want string // the subjects of the new entries
	}{
		{"a run begins", begin, "run 1"},
		{"a page", func() error {
			_, err := run.Append(ctx, page(store.Response{Accounts: []store.Observed{known}}))
			return err
		}, "run 1, response 1"},
		{"a list that lacks nobody", func() error { _, err := run.Unlist(ctx, start); return err }, ""},
		{"it ends", finish, "run 1"},
		{"another begins", begin, "run 2"},
		{"two empty pages, one of them with a failure, at once", func() error {
			_, err := run.AppendAll(ctx, []store.Response{
				page(store.Response{Failures: []store.Failure{{Kind: store.FailDecode, Message: "x"}}}), page(store.Response{}),
			})
			return err
		}, "run 2, response 2, failure 1, response 3"},
		{"a failure", func() error {
			return run.Fail(ctx, 3, store.Failure{Kind: store.FailHTTP}, store.Failure{Kind: store.FailHTTP})
		}, "run 2, failure 2, failure 3"},
		{"a list that lacks one", func() error { _, err := run.Unlist(ctx, start.Add(time.Second)); return err }, "run 2, absence 1"},
		{"a page that cannot be stored", func() error {
			if _, err := run.Append(ctx, page(store.Response{Accounts: []store.Observed{{ID: "x"}}})); err == nil {
				return fmt.Errorf("it was stored")
			}
			return nil
		}, ""},
		{"a list that claims somebody to be gone", func() error {
			if _, err := run.Append(ctx, page(store.Response{Absent: []string{ada}})); err == nil {
				return fmt.Errorf("it was stored")
			}
			return nil
		}, ""},
		{"it is gone", func() error {
			gone := store.Response{Source: store.Detail, Sent: start, Received: start.Add(time.Second), Absent: []string{ada}}
			_, err := run.Append(ctx, gone)
			return err
		}, "run 2, response 4"},
		{"the process dies, and another one comes", func() error {
			if err := s.Close(); err != nil {
				return err
			}
			s = openStore(t, path, at(start))
			return nil
		}, "run 2"},
	} {
		before := len(entries(t, path))
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
		var got []string
		for _, text := range entries(t, path)[before:] {
			got = append(got, subjects(t, text))
		}
		if strings.Join(got, "; ") != step.want {
			t.Errorf("%s: entries %q, want %q", step.name, got, step.want)
		}
	}
	checkTree(t, s)
	if text := entries(t, path); !strings.Contains(text[len(text)-1], " interrupted ") {
		t.Errorf("the last entry is %q", text[len(text)-1])
	}
}

// TestTheLogOfRandomHistories holds trees to their texts.
func TestTheLogOfRandomHistories(t *testing.T) {
	arena := newArena(t)
	for seed := range uint64(fewer(6, 2)) {
		p := newPlay(t, arena, 7000+seed)
		err := p.run(t.Context())
		p.close()
		if err != nil {
			t.Fatal(err)
		}
	}
	checkTree(t, arena.store)
}

// TestAStoreFromBeforeTheLogGetsOne takes a store back to the schema that had no
// log, and opens it again.
func TestAStoreFromBeforeTheLogGetsOne(t *testing.T) {
	arena := newArena(t)
	path := arena.store.Path()
	p := newPlay(t, arena, 7100)
	err := p.run(t.Context())
	p.close()
	if err != nil {
		t.Fatal(err)
	}
	// Leaves are others: there are new salts in them.
	derived := append(allOf(slices.DeleteFunc(slices.Clone(derivedTables), func(table string) bool { return table == "head" })),
		`SELECT account_id, version_id, status_step_id, health, health_after, health_before, gone, locked_until, absence_id,
			list_digest, list_document_id, list_version_id, detail_digest, detail_document_id, detail_version_id
		FROM head ORDER BY account_id`)
	before, responses := dump(t, path, derived), count(t, arena.store, `SELECT count(*) FROM response`)
	if err := arena.store.Close(); err != nil {
		t.Fatal(err)
	}
	takeBack(t, path, 7)
	s := openStore(t, path, at(start.Add(24*time.Hour)))
	if after := dump(t, path, derived); after != before {
		t.Errorf("what is derived is another:\n%.3000s", difference(before, after))
	}
	checkTree(t, s)
	named := int64(0)
	for _, text := range entries(t, path) {
		named += int64(strings.Count(text, "\nresponse "))
	}
	if named != responses {
		t.Errorf("the log has %d of %d responses", named, responses)
	}
}

// takeBack undoes the migrations that came after that one.
func takeBack(t *testing.T, path string, version int64) {
	t.Helper()
	db := second(t, path)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(context.Background(), version); err != nil {
		t.Fatal(err)
	}
}
