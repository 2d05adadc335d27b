package sqlite_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// entries are the texts of the log of a workspace, each with its number.
func entries(t testing.TB, path, workspace string) (texts []string) {
	t.Helper()
	db := second(t, path)
	defer db.Close()
	found, err := db.Query(`SELECT e.id, e.text FROM entry e JOIN workspace w ON w.id = e.ws WHERE w.name = ? ORDER BY e.id`, workspace)
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
		if texts = append(texts, ledger.EntryHeader(workspace, int64(id))+text); id != len(texts) {
			t.Fatalf("entry %d is the %d. one", id, len(texts))
		}
	}
	return texts
}

// subjects are what the lines of an entry are about, in order. Responses have the number
// of milliseconds after start.
func subjects(t testing.TB, text string) string {
	t.Helper()
	_, _, lines, err := ledger.ParseEntry(text)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range lines {
		what, number := ledger.Subject(line)
		if what == "response" {
			number -= start.UnixMilli()
		}
		lines[i] = fmt.Sprint(what, " ", number)
	}
	return strings.Join(lines, ", ")
}

// checkTree holds the tree to one that golang.org/x/mod/sumdb/tlog makes of the
// texts alone.
func checkTree(t testing.TB, s *sqlite.Store, workspace string) {
	t.Helper()
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, err error) {
		for _, i := range indexes {
			hashes = append(hashes, stored[i])
		}
		return hashes, nil
	})
	texts := entries(t, s.Path(), workspace)
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
	got, err := s.Tree(t.Context(), workspace)
	if want := (tlog.Tree{N: int64(len(texts)), Hash: root}); err != nil || got != want {
		t.Errorf("%s: the tree is %v, %v, want %v", workspace, got, err, want)
	}
}

// author does one of everything that adds evidence.
type author struct {
	t     *testing.T
	store *sqlite.Store
	run   store.RunWriter
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
		}, "response 1000"},
		{"a list that lacks nobody", func() error { return c.unlist(start) }, ""},
		{"it ends", c.finish, "run 1"},
		{"another begins", c.begin, "run 2"},
		{"two empty pages, one of them with a failure, at once", func() error {
			return c.append(store.List, store.Response{Failures: []store.Failure{unread}}, store.Response{})
		}, "response 1001, failure 1, response 1002"},
		{"failures", func() error { return c.run.Fail(t.Context(), 3, unread, unread) }, "failure 2, failure 3"},
		{"a list that lacks one", func() error { return c.unlist(start.Add(time.Second)) }, "absence 2"},
		{"a page that cannot be stored", func() error {
			return refused(c.append(store.List, store.Response{Accounts: []store.Observed{{ID: "x"}}}))
		}, ""},
		{"a list that claims somebody to be gone", func() error {
			return refused(c.append(store.List, store.Response{Absent: []string{ada}}))
		}, ""},
		{"it is gone", func() error { return c.append(store.Detail, store.Response{Absent: []string{ada}}) }, "response 1003"},
		{"the process dies, and another one comes", func() error {
			err := c.store.Close()
			c.store = openStore(t, path, at(start))
			return err
		}, "run 2"},
	} {
		before := len(entries(t, path, "default"))
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
		var got []string
		for _, text := range entries(t, path, "default")[before:] {
			got = append(got, subjects(t, text))
		}
		if strings.Join(got, "; ") != step.want {
			t.Errorf("%s: entries %q, want %q", step.name, got, step.want)
		}
	}
	checkTree(t, c.store, "default")
	if text := entries(t, path, "default"); !strings.Contains(text[len(text)-1], " interrupted ") {
		t.Errorf("the last entry is %q", text[len(text)-1])
	}
}

// TestTheLogsOfRandomHistories holds trees to their texts.
func TestTheLogsOfRandomHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(fewer(6, 2)) {
		c := newChronicle(t, memoryPath(t), 7300+seed)
		c.live(30)
		for _, w := range c.worlds {
			checkTree(t, c.store, w.workspace)
		}
	}
}
