package store_test

import (
	"context"
	"errors"
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

// author does one of everything that adds evidence.
type author struct {
	t     *testing.T
	store *store.Store
	run   *store.RunWriter
}

func (c *author) begin() (err error) {
	c.run, err = c.store.Begin(c.t.Context(), "default", store.ScopeAll)
	return err
}

func (c *author) finish() error {
	return c.run.Finish(c.t.Context(), store.Outcome{State: store.Complete})
}

// append appends responses from a source at once.
func (c *author) append(source store.Source, responses ...store.Response) error {
	for i := range responses {
		responses[i].Source, responses[i].Sent, responses[i].Received = source, start, start.Add(time.Second)
	}
	_, err := c.run.AppendAll(c.t.Context(), responses)
	return err
}

func (c *author) unlist(at time.Time) error {
	missing, err := c.run.Missing(c.t.Context(), "", 100)
	return errors.Join(err, c.run.Unlist(c.t.Context(), at, missing))
}

// refused is no error when there was one.
func refused(err error) error {
	if err == nil {
		return errors.New("it was stored")
	}
	return nil
}

// TestEachTransactionOfEvidenceHasAnEntry does one of everything.
func TestEachTransactionOfEvidenceHasAnEntry(t *testing.T) {
	path := memoryPath(t)
	c := &author{t: t, store: openStore(t, path, at(start))}
	unread := store.Failure{Kind: store.FailDecode, Message: "x"}
	for _, step := range []struct {
		name string
		do   func() error
		want string // the subjects of the new entries
	}{
		{"a run begins", c.begin, "run 1"},
		{"a page", func() error {
			return c.append(store.List, store.Response{Accounts: []store.Observed{accountObject(``)}})
		}, "run 1, response 1"},
		{"a list that lacks nobody", func() error { return c.unlist(start) }, ""},
		{"it ends", c.finish, "run 1"},
		{"another begins", c.begin, "run 2"},
		{"two empty pages, one of them with a failure, at once", func() error {
			return c.append(store.List, store.Response{Failures: []store.Failure{unread}}, store.Response{})
		}, "run 2, response 2, failure 1, response 3"},
		{"failures", func() error { return c.run.Fail(t.Context(), 3, unread, unread) }, "run 2, failure 2, failure 3"},
		{"a list that lacks one", func() error { return c.unlist(start.Add(time.Second)) }, "run 2, absence 1"},
		{"a page that cannot be stored", func() error {
			return refused(c.append(store.List, store.Response{Accounts: []store.Observed{{ID: "x"}}}))
		}, ""},
		{"a list that claims somebody to be gone", func() error {
			return refused(c.append(store.List, store.Response{Absent: []string{ada}}))
		}, ""},
		{"it is gone", func() error { return c.append(store.Detail, store.Response{Absent: []string{ada}}) }, "run 2, response 4"},
		{"the process dies, and another one comes", func() error {
			err := c.store.Close()
			c.store = openStore(t, path, at(start))
			return err
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
	checkTree(t, c.store)
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
	takeBack(t, path, 6)
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
func takeBack(t testing.TB, path string, version int64) {
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
	// The numbers of later migrations were never given.
	execute(t, db, `UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM goose_db_version) WHERE name = 'goose_db_version'`)
}
