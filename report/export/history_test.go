package export_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
	"github.com/lobstrail/lobstrail/store/sqlite/sqlitetest"
)

// history is a store whose accounts change at random.
type history struct {
	*rand.Rand
	t        *testing.T
	path     string
	now      time.Time
	store    *sqlite.Store
	accounts map[string][]*account // by workspace
}

// account is one as the API shows it.
type account struct {
	id     string
	fields map[string]any
	squids []map[string]string
	users  map[string]map[string]any // limits
}

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{
		Rand: rand.New(rand.NewPCG(seed, 7)), t: t, path: filepath.Join(t.TempDir(), "store.db"), accounts: map[string][]*account{},
		now: time.Date(2026, 1, 29, 21, 0, 0, 0, time.UTC),
	}
	sqlitetest.LayEmpty(t, h.path, report.Rules())
	h.open()
	t.Cleanup(func() { h.store.Close() })
	return h
}

func (h *history) open() {
	h.t.Helper()
	s, _, err := sqlite.OpenWriter(h.t.Context(), h.path, sqlite.Options{Rules: report.Rules(), Now: func() time.Time { return h.now }})
	if err != nil {
		h.t.Fatal(err)
	}
	h.store = s
}

// usernames, and values of counters, of which some do not survive in a float or a table of
// bytes.
var (
	usernames = []string{"ada", "Größe 😀", "o'brien, \"x\"", "a\tb", "👩‍👩‍👧", "null", ""}
	counters  = []any{0, 7, 1 << 53, json.Number("9007199254740993"), json.Number("9223372036854775807"), 1.5, "12", nil}
	statuses  = []string{"200", "401", "403", "429"}
)

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

func (h *history) add(workspace string) {
	n := len(h.accounts[workspace])
	sum := md5.Sum(fmt.Appendf(nil, "%s/%d", workspace, n))
	a := &account{id: hex.EncodeToString(sum[:]), users: map[string]map[string]any{}, fields: map[string]any{
		"object": "account", "username": fmt.Sprint("user", n), "type": "type-sync", "status": "200", "status_code_info": "synchronized",
		"status_code_description": nil, "lock_time": nil, "resets_in": nil, "primary_color": "#fff",
		"last_synchronization_time": "2026-01-01T00:00:00Z", "big": json.Number("123456789012345678901234567890"),
	}}
	for _, limit := range []string{"profiles", "a/b~c"} {
		a.users[limit] = map[string]any{"max": 100, "value": 0, "timestamp": 1790000000}
	}
	h.accounts[workspace] = append(h.accounts[workspace], a)
}

// change changes an account in one way.
func (h *history) change(workspace string, a *account) {
	switch h.IntN(9) {
	case 0, 1:
		a.fields["status"] = pick(h.Rand, statuses)
	case 2:
		a.fields["username"] = pick(h.Rand, usernames)
	case 3:
		a.fields["type"] = pick(h.Rand, []string{"type-sync", "other-sync"})
	case 4:
		squid := h.IntN(4)
		a.squids = append(a.squids, map[string]string{"hash_value": fmt.Sprintf("squid%d", squid), "name": fmt.Sprintf("Squid %d of %d", squid, h.IntN(3))})
	case 5:
		a.squids = a.squids[:h.IntN(len(a.squids)+1)]
	case 6: // the order means nothing
		h.Shuffle(len(a.squids), func(i, k int) { a.squids[i], a.squids[k] = a.squids[k], a.squids[i] })
	case 7:
		a.users["profiles"]["value"] = pick(h.Rand, counters)
	case 8:
		a.users["a/b~c"]["max"] = pick(h.Rand, counters)
	}
}

func (a *account) observed(t *testing.T) store.Observed {
	t.Helper()
	fields := map[string]any{"id": a.id, "squids": a.squids, "params": map[string]any{"user": a.users}}
	if a.squids == nil {
		fields["squids"] = []string{}
	}
	for name, value := range a.fields {
		fields[name] = value
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return store.Observed{ID: a.id, Raw: raw}
}

// run takes a snapshot of a workspace, at some later time, after some changes.
func (h *history) run(workspace string) {
	h.t.Helper()
	ctx := h.t.Context()
	h.now = h.now.Add(time.Duration(1+h.IntN(40*60)) * time.Minute)
	if h.IntN(6) == 0 {
		h.now = h.now.AddDate(0, 0, h.IntN(50))
	}
	for len(h.accounts[workspace]) < 6 || h.IntN(8) == 0 {
		h.add(workspace)
	}
	for range h.IntN(6) {
		h.change(workspace, pick(h.Rand, h.accounts[workspace]))
	}
	run, err := h.store.Begin(ctx, workspace, store.ScopeAll)
	h.ok(err)
	all := h.accounts[workspace]
	for page := 1; len(all) > 0; page++ {
		r := store.Response{Source: store.List, Page: page, Sent: h.now, Received: h.now.Add(200 * time.Millisecond), Requests: page}
		for _, a := range all[:min(4, len(all))] {
			r.Accounts = append(r.Accounts, a.observed(h.t))
		}
		all = all[min(4, len(all)):]
		_, err := run.Append(ctx, r)
		h.ok(err)
		h.now = h.now.Add(time.Second)
	}
	switch h.IntN(5) {
	case 0: // its process dies; the next writer notices
		return
	case 1:
		gone := pick(h.Rand, h.accounts[workspace])
		_, err := run.Append(ctx, store.Response{Source: store.Detail, Sent: h.now, Received: h.now.Add(time.Second), Absent: []string{gone.id}})
		h.ok(err)
		h.ok(run.Fail(ctx, 9, store.Failure{Account: gone.id, Kind: store.FailHTTP, HTTPStatus: 500, Message: "it says 😀"}))
		h.ok(run.Finish(ctx, store.Outcome{State: store.Incomplete, Requested: 9, Requests: 9, Warnings: []string{"odd, \"quoted\""}}))
	default:
		h.ok(run.Finish(ctx, store.Outcome{State: store.Complete, Requested: 9, Requests: 9}))
	}
}

// redact redacts any account of a workspace.
func (h *history) redact(workspace string) {
	h.t.Helper()
	_, err := h.store.Redact(h.t.Context(), workspace, pick(h.Rand, h.accounts[workspace]).id)
	h.ok(err)
}

// reopen is the end of the writer, and the next one, which marks dead runs.
func (h *history) reopen() {
	h.t.Helper()
	h.ok(h.store.Close())
	h.open()
}

func (h *history) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// rows are those of a query.
func (h *history) rows(query string) (rows [][]any) {
	h.t.Helper()
	h.ok(h.store.Query(context.Background(), query, func([]string) error { return nil }, func(row []any) error {
		rows = append(rows, row)
		return nil
	}))
	return rows
}
