package sqlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// chronicle is a random history of two workspaces that have accounts of the same ids:
// lists whose pages shift, details, accounts that are deleted and come back, imports of
// all shapes, absences, failures.
type chronicle struct {
	t      testing.TB
	rand   *rand.Rand
	store  *sqlite.Store
	now    time.Time
	worlds []*world
}

// world is what an API shows in one workspace.
type world struct {
	workspace string
	order     []int // the accounts that are there, in the order of the list
	gone      []int
	members   [chronicled]map[string]string
	known     [chronicled]bool // to the store
	told      []told
}

// told is a response that the store was given.
type told struct {
	slot   string
	shown  []string // ids, 404s of known accounts included
	shapes string   // by account, sorted
	locked bool     // one of the accounts has a resets_in
}

// chronicled is how many accounts a chronicle is about.
const chronicled = 8

func chronicleID(n int) string { return fmt.Sprintf("%030x%02x", 0xc0ffee, n) }

// mark is in every text that an account has for itself. It does not end with what tells
// the accounts apart: where a row was deleted, a part of it and the first byte of another
// row may stand side by side.
func mark(n int) string { return fmt.Sprintf("qz%02dmark", n) }

func newChronicle(t testing.TB, path string, seed uint64) *chronicle {
	c := &chronicle{t: t, rand: rand.New(rand.NewPCG(seed, 0xc4)), now: start}
	c.store = openStore(t, path, func() time.Time { return c.now })
	for _, workspace := range []string{"first", "second"} {
		w := &world{workspace: workspace}
		for n := range chronicled {
			w.members[n] = map[string]string{}
			w.order = append(w.order, n)
			c.edit(w, n)
		}
		c.worlds = append(c.worlds, w)
	}
	return c
}

func (c *chronicle) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *chronicle) pick(from ...string) string { return from[c.rand.IntN(len(from))] }

// edit changes a few values of an account.
func (c *chronicle) edit(w *world, n int) {
	own := func(text string) string { return `"` + mark(n) + text + `"` }
	for range 1 + c.rand.IntN(3) {
		name, value := "", ""
		switch c.rand.IntN(9) {
		case 0:
			name, value = "status", c.pick(`"200"`, `"200"`, `"401"`, `"500"`)
		case 1:
			name, value = "username", own(c.pick("", "a", "B"))
		case 2:
			name, value = "status_code_info", c.pick("null", `"synchronized"`, `"cookies_expired"`, own(": blocked"))
		case 3:
			name, value = "status_code_description", own(" "+strings.Repeat("long ", c.rand.IntN(20)))
		case 4:
			name, value = "squids", c.pick(`[]`, `[{"id":"s1","name":"One"}]`, `[{"id":"s1","name":"Uno"},{"id":"s2","name":"Two"}]`)
		case 5:
			name, value = "resets_in", c.pick("null", "null", "90", "20000")
		case 6:
			name, value = "params", fmt.Sprintf(`{"user":{%s:{"max":%d,"value":%d}}}`, own("limit"), 10*c.rand.IntN(3), c.rand.IntN(4))
		case 7:
			name, value = "icon", c.pick(`"c2hhcmVk"`, own("icon"), own("icon2"))
		case 8:
			name, value = mark(n)+"field"+c.pick("1", "2"), c.pick("", "1", `{"a":[1,2]}`, own(strings.Repeat("x", 60)))
		}
		if w.members[n][name] = value; value == "" {
			delete(w.members[n], name)
		}
	}
}

// object is what a source says of an account.
func (c *chronicle) object(w *world, n int, source store.Source) store.Observed {
	members := map[string]json.RawMessage{"id": json.RawMessage(fmt.Sprintf("%q", chronicleID(n))), "type": json.RawMessage(`"x-sync"`)}
	for name, value := range w.members[n] {
		members[name] = json.RawMessage(value)
	}
	switch source {
	case store.List:
		members["primary_color"] = json.RawMessage(`"#fff"`)
	case store.Detail:
		members["more"] = json.RawMessage(`[1]`)
	default:
		if c.rand.IntN(2) == 0 { // the reduced shape
			delete(members, "status")
		}
	}
	raw, err := json.Marshal(members)
	c.must(err)
	return store.Observed{ID: chronicleID(n), Raw: raw}
}

// live lets some runs happen, in either workspace.
func (c *chronicle) live(runs int) {
	c.t.Helper()
	for range runs {
		w := c.worlds[c.rand.IntN(len(c.worlds))]
		c.now = c.now.Add(time.Duration(c.rand.IntN(4)) * 47 * time.Minute)
		c.happen(w)
		scope := store.ScopeAll
		switch c.rand.IntN(9) {
		case 0:
			scope = store.ScopeImport
		case 1, 2:
			scope = store.ScopeNamed
		}
		run, err := c.store.Begin(c.t.Context(), w.workspace, scope)
		c.must(err)
		switch scope {
		case store.ScopeAll:
			c.list(w, run)
		case store.ScopeNamed:
			c.details(w, run)
		default:
			c.imports(w, run)
		}
		if c.rand.IntN(8) == 0 {
			n := c.rand.IntN(chronicled)
			c.must(run.Fail(c.t.Context(), 1, store.Failure{Account: chronicleID(n), Kind: store.FailHTTP, Message: mark(n) + " said 500"}))
		}
		c.must(finishRun(c.t.Context(), run, chronicled))
	}
}

// finishRun ends a run: complete, or incomplete if something failed in it.
func finishRun(ctx context.Context, run store.RunWriter, requested int) error {
	err := run.Finish(ctx, store.Outcome{State: store.Complete, Requested: requested})
	if errors.Is(err, store.ErrInvalid) {
		err = run.Finish(ctx, store.Outcome{State: store.Incomplete, Requested: requested})
	}
	return err
}

// happen changes the world, or leaves it as it is.
func (c *chronicle) happen(w *world) {
	if c.rand.IntN(2) == 0 {
		return
	}
	for range c.rand.IntN(3) {
		c.edit(w, c.rand.IntN(chronicled))
	}
	switch c.rand.IntN(6) {
	case 0:
		c.rand.Shuffle(len(w.order), func(i, j int) { w.order[i], w.order[j] = w.order[j], w.order[i] })
	case 1:
		if i := c.rand.IntN(len(w.order)); len(w.order) > 2 {
			w.gone = append(w.gone, w.order[i])
			w.order = slices.Delete(w.order, i, i+1)
		}
	case 2:
		if len(w.gone) > 0 { // the newest is the first on the list
			w.order = slices.Insert(w.order, 0, w.gone[0])
			w.gone = w.gone[1:]
		}
	}
}

// respond gives a response to the store, and remembers it.
func (c *chronicle) respond(w *world, run store.RunWriter, responses ...store.Response) {
	c.t.Helper()
	for i := range responses {
		r := &responses[i]
		r.Sent, r.Requests = c.now, 1
		c.now = c.now.Add([]time.Duration{0, time.Millisecond, 1500 * time.Microsecond, time.Second}[c.rand.IntN(4)])
		r.Received = c.now
		answer := told{slot: fmt.Sprint(r.Source, " page ", r.Page)}
		var shapes []string
		for _, o := range r.Accounts {
			answer.shown = append(answer.shown, o.ID)
			shapes = append(shapes, fmt.Sprint(o.ID, store.ShapeOf(r.Source, o.Raw)))
			answer.locked = answer.locked || strings.Contains(string(o.Raw), `"resets_in":`) && !strings.Contains(string(o.Raw), `"resets_in":null`)
		}
		for _, id := range r.Absent {
			answer.shown = append(answer.shown, id)
			shapes = append(shapes, fmt.Sprint(id, store.Detail))
		}
		slices.Sort(shapes)
		answer.shapes = strings.Join(shapes, " ")
		if r.Source == store.Detail {
			answer.slot = fmt.Sprint(r.Source, " of ", answer.shown[0])
		}
		w.told = append(w.told, answer)
	}
	_, err := run.AppendAll(c.t.Context(), responses)
	c.must(err)
}

// list shows all accounts, three a page, and may conclude that it was complete.
func (c *chronicle) list(w *world, run store.RunWriter) {
	c.t.Helper()
	var pages []store.Response
	for page := range slices.Chunk(w.order, 3) {
		r := store.Response{Source: store.List, Page: len(pages) + 1}
		for _, n := range page {
			r.Accounts, w.known[n] = append(r.Accounts, c.object(w, n, store.List)), true
		}
		pages = append(pages, r)
	}
	if c.rand.IntN(3) == 0 {
		c.respond(w, run, pages...)
	} else {
		for _, page := range pages {
			c.respond(w, run, page)
		}
	}
	if c.rand.IntN(2) == 0 {
		missing, err := run.Missing(c.t.Context(), "", 100)
		c.must(err)
		c.must(run.Unlist(c.t.Context(), c.now, missing))
	}
}

// details asks for some accounts by name.
func (c *chronicle) details(w *world, run store.RunWriter) {
	c.t.Helper()
	for _, n := range c.rand.Perm(chronicled)[:1+c.rand.IntN(3)] {
		r := store.Response{Source: store.Detail}
		switch {
		case slices.Contains(w.order, n):
			r.Accounts, w.known[n] = []store.Observed{c.object(w, n, store.Detail)}, true
		case w.known[n]:
			r.Absent = []string{chronicleID(n)}
		default:
			continue
		}
		c.respond(w, run, r)
	}
}

// imports shows one account, and then several that are a part of an answer.
func (c *chronicle) imports(w *world, run store.RunWriter) {
	c.t.Helper()
	all := c.rand.Perm(chronicled)
	for part, some := range [][]int{all[:1], all[1:4]} {
		r := store.Response{Source: store.Import, Page: part + 1}
		for _, n := range some {
			r.Accounts, w.known[n] = append(r.Accounts, c.object(w, n, store.Import)), true
		}
		c.respond(w, run, r)
	}
}
