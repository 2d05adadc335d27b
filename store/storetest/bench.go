package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// epoch is when all histories begin.
var epoch = time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)

// failer is what a law needs of a *testing.T or a *rapid.T.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// desk is a store at which a law writes down what an API is made to say.
type desk struct {
	t         failer
	ctx       context.Context
	store     store.Store
	workspace string
	now       *time.Time
	run       store.RunWriter
}

// newDesk opens a store with a clock that the law moves.
func newDesk(t *testing.T, open Opener) *desk {
	t.Helper()
	now := epoch
	// No law takes long; one that waits for itself must not wait for ever.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return &desk{t: t, ctx: ctx, store: open(t, func() time.Time { return now }), workspace: "default", now: &now}
}

// in is the same desk for another test and workspace.
func (d *desk) in(t failer, workspace string) *desk {
	other := *d
	other.t, other.workspace, other.run = t, workspace, nil
	return &other
}

func (d *desk) advance(by time.Duration) { *d.now = d.now.Add(by) }

func (d *desk) begin() {
	d.t.Helper()
	run, err := d.store.Begin(d.ctx, d.workspace, store.ScopeAll)
	d.must(err)
	d.run = run
}

// finish ends the run, which is complete if a response was stored in it.
func (d *desk) finish() {
	d.t.Helper()
	err := d.run.Finish(d.ctx, store.Outcome{State: store.Complete})
	if errors.Is(err, store.ErrInvalid) {
		err = d.run.Finish(d.ctx, store.Outcome{State: store.Incomplete})
	}
	d.must(err)
	d.run = nil
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatalf("%v", err)
	}
}

// append stores a response that took a second, in the run under way.
func (d *desk) append(source store.Source, objects ...string) store.Appended {
	d.t.Helper()
	done, err := d.run.Append(d.ctx, d.response(source, objects...))
	d.must(err)
	return done
}

func (d *desk) response(source store.Source, objects ...string) store.Response {
	sent := *d.now
	d.advance(time.Second)
	r := store.Response{Source: source, Sent: sent, Received: *d.now, Requests: 1}
	for _, object := range objects {
		r.Accounts = append(r.Accounts, observed(object))
	}
	return r
}

// observed takes the id from the object when it can be read.
func observed(object string) store.Observed {
	var account struct{ ID string }
	if json.Unmarshal([]byte(object), &account) != nil || !store.IsAccountID(account.ID) {
		account.ID = id(0)
	}
	return store.Observed{ID: account.ID, Raw: []byte(object)}
}

// look is a whole run of one response an hour after the last.
func (d *desk) look(source store.Source, objects ...string) store.Appended {
	d.t.Helper()
	d.advance(time.Hour)
	d.begin()
	done := d.append(source, objects...)
	d.finish()
	return done
}

// lose is a run in which the API answers 404 for the accounts.
func (d *desk) lose(ids ...string) store.Appended {
	d.t.Helper()
	d.advance(time.Hour)
	d.begin()
	r := d.response(store.Detail)
	r.Absent = ids
	done, err := d.run.Append(d.ctx, r)
	d.must(err)
	d.finish()
	return done
}

// unlist ends a complete list: it returns the ids of the accounts that it lacked.
func (d *desk) unlist() []string {
	d.t.Helper()
	ids, err := d.run.Missing(d.ctx, "", 1000)
	d.must(err)
	d.must(d.run.Unlist(d.ctx, *d.now, ids))
	return ids
}

func (d *desk) document(id string, at time.Time, icon bool) string {
	d.t.Helper()
	doc, err := d.store.Document(d.ctx, store.AccountQuery{Workspace: d.workspace, Account: id, At: at}, icon)
	d.must(err)
	return string(doc)
}

func (d *desk) accounts(at time.Time) []store.AccountState {
	d.t.Helper()
	return all(d, d.store.Accounts(d.ctx, store.AccountQuery{Workspace: d.workspace, At: at}))
}

// account is the one account of the workspace with the id.
func (d *desk) account(id string) store.AccountState {
	d.t.Helper()
	for _, a := range d.accounts(time.Time{}) {
		if a.ID == id {
			return a
		}
	}
	d.t.Fatalf("there is no account %s", id)
	return store.AccountState{}
}

func (d *desk) changes() []store.AccountChange {
	d.t.Helper()
	return all(d, d.store.Changes(d.ctx, store.ChangeQuery{Workspace: d.workspace}))
}

// kinds lists the kinds of all changes, each with its path.
func (d *desk) kinds() (kinds []string) {
	d.t.Helper()
	for _, c := range d.changes() {
		kinds = append(kinds, string(c.Kind)+c.Path)
	}
	return kinds
}

func (d *desk) runs() []store.Run {
	d.t.Helper()
	return all(d, d.store.Runs(d.ctx, d.workspace))
}

// rows is the answer to a query as text.
func (d *desk) rows(query string) (text string) {
	d.t.Helper()
	d.must(d.store.Query(d.ctx, query, func([]string) error { return nil }, func(row []any) error {
		text += fmt.Sprintln(row...)
		return nil
	}))
	return text
}

// count asks for one number.
func (d *desk) count(query string) (n int64) {
	d.t.Helper()
	if _, err := fmt.Sscan(d.rows(query), &n); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func all[T any](d *desk, seq iter.Seq2[T, error]) (values []T) {
	d.t.Helper()
	for value, err := range seq {
		d.must(err)
		values = append(values, value)
	}
	return values
}

// id is the id of the n-th account.
func id(n int) string { return fmt.Sprintf("%032x", 0xacc0+n) }

// object is an account with the members given, such as `"status":"200"`.
func object(n int, members string) string {
	if members != "" {
		members = "," + members
	}
	return fmt.Sprintf(`{"id":%q,"username":"user%d","type":"x-sync"%s}`, id(n), n, members)
}
