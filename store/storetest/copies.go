package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// Copies is the law that a copy is its source.
func Copies(t *testing.T, open Opener) { CopiesBetween(t, open, open) }

// CopiesBetween is the law that a copy is its source, when it is made in one go as when it
// is made bit by bit, while the source is written to, pruned and redacted: both have the
// same log, the same answers, and verify.
func CopiesBetween(t *testing.T, from, to Opener) {
	source, bits, whole := newDesk(t, from), newDesk(t, to), newDesk(t, to)
	count := 0
	rapid.Check(t, func(t *rapid.T) {
		count++
		workspace := fmt.Sprint("copies ", count)
		c := &copyist{source: source.in(t, workspace), bits: bits.in(t, workspace)}
		c.maker = &maker{T: t, desk: c.source, names: map[string]string{"s0": "Leads", "s1": "Pages", "s2": ""}}
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			c.source.advance(time.Hour)
			rapid.SampledFrom([]func(){c.run, c.run, c.run, c.watch, c.prune, c.redact, c.copy}).Draw(t, "step")()
		}
		// What was copied before it is pruned and redacted must be pruned and redacted too.
		for _, step := range []func(){c.run, c.run, c.copy, c.prune, c.redact, c.run} {
			c.source.advance(time.Hour)
			step()
		}
		c.finish(c.bits)
		c.finish(whole.in(t, workspace))
	})
	for _, d := range []*desk{source, bits, whole} {
		d.verifies()
	}
}

// copyist writes to a source at random, and copies it.
type copyist struct {
	*maker
	source, bits *desk
	erased       bool // the source was pruned or redacted since it was copied whole
}

func (c *copyist) draw(label string, from ...int) int {
	return rapid.SampledFrom(from).Draw(c.T, label)
}

// run is a run, in whose midst a copy may be made.
func (c *copyist) run() {
	c.source.begin()
	switch c.draw("run", 0, 0, 1, 2) {
	case 0:
		for page := range c.draw("pages", 1, 2) {
			c.respond(store.List, page+1)
		}
		if c.draw("complete", 0, 1) == 1 {
			c.source.unlist()
		}
	case 1:
		for range c.draw("details", 1, 3) {
			c.respond(store.Detail, 0)
		}
	case 2:
		c.source.must(c.source.run.Fail(c.source.ctx, 1, store.Failure{Account: id(c.draw("failed", 0, 1, 9)), Kind: store.FailHTTP, HTTPStatus: 500, Message: "ada: " + fmt.Sprint(c.draw("code", 1, 2))}))
	}
	c.finishRun()
}

func (c *copyist) finishRun() {
	if err := c.source.run.Finish(c.source.ctx, store.Outcome{State: store.Incomplete, Requests: 3, Warnings: []string{"w\n"}}); err != nil {
		c.Fatal(err)
	}
	c.source.run = nil
}

// respond tells of accounts.
func (c *copyist) respond(source store.Source, page int) {
	r := c.source.response(source)
	r.Page = page
	for n := range accountCount {
		switch shown := c.draw("account", 0, 1, 1, 2); {
		case source == store.Detail && len(r.Accounts)+len(r.Absent) > 0:
		case shown == 1:
			r.Accounts = append(r.Accounts, store.Observed{ID: id(n), Raw: []byte(c.object(n, source))})
		case shown == 2 && source == store.Detail:
			r.Absent = append(r.Absent, id(n))
		}
	}
	if c.draw("server", 0, 1) == 1 {
		r.ServerTime = r.Received.Truncate(time.Second)
	}
	if c.draw("with a failure", 0, 0, 1) == 1 { // in one entry with the response
		r.Failures = append(r.Failures, store.Failure{Kind: store.FailDecode, HTTPStatus: 200, Message: "half of it"})
	}
	_, err := c.source.run.Append(c.source.ctx, r)
	c.source.must(err)
	if c.draw("copy in a run", 0, 0, 0, 1) == 1 {
		c.copy()
	}
}

func (c *copyist) known() bool {
	names, err := c.source.store.Workspaces(c.source.ctx)
	c.source.must(err)
	return slices.Contains(names, c.source.workspace)
}

func (c *copyist) prune() {
	if !c.known() {
		return
	}
	keep := store.Keep{Hourly: c.draw("hourly", 0, 1, 2), Within: time.Duration(c.draw("within", 1, 3)) * time.Hour}
	done, err := c.source.store.Prune(c.source.ctx, c.source.workspace, keep, nil)
	c.source.must(err)
	c.erased = c.erased || done.Responses > 0
}

func (c *copyist) redact() {
	withheld, err := c.source.store.Withheld(c.source.ctx, c.source.workspace)
	c.source.must(err)
	for _, a := range c.source.accounts(time.Time{}) {
		if withheld[a.ID] || c.draw("redact", 0, 1) == 0 {
			continue
		}
		// Accounts are the same in all workspaces: only one is redacted in all of them.
		if !strings.HasSuffix(a.ID, "2") || len(withheld) > 0 {
			continue
		}
		_, err := c.source.store.Redact(c.source.ctx, c.source.workspace, a.ID)
		c.source.must(err)
		c.erased = true
	}
}

// watch changes the working state.
func (c *copyist) watch() {
	if !c.known() {
		return
	}
	d := c.source
	_, err := d.store.AddSilence(d.ctx, d.workspace, store.Silence{Type: "x-sync", Reason: "known", From: *d.now, Until: d.now.Add(time.Hour)})
	d.must(err)
	d.must(d.store.SaveCursor(d.ctx, d.workspace, "script", 1))
}

// copy copies the source, and may stop anywhere.
func (c *copyist) copy() {
	if !c.known() {
		return
	}
	ctx, cancel := context.WithCancel(c.source.ctx)
	defer cancel()
	left := c.draw("transactions", 0, 1, 2, 1000)
	_, err := c.bits.store.CopyFrom(ctx, c.source.store, store.CopyOptions{
		Workspaces: []string{c.source.workspace}, Entries: c.draw("entries", 1, 2, 5),
		Progress: func(int64, int64) {
			if left--; left <= 0 {
				cancel()
			}
		},
	})
	switch {
	case err == nil:
		c.erased = false
		c.same(c.bits)
	case !errors.Is(err, context.Canceled):
		c.Fatalf("copy: %v", err)
	case !c.erased && c.draw("verify", 0, 0, 0, 1) == 1:
		c.bits.verifies()
	}
}

// finish copies all, and compares.
func (c *copyist) finish(to *desk) {
	done, err := to.store.CopyFrom(c.source.ctx, c.source.store, store.CopyOptions{Workspaces: []string{c.source.workspace}})
	c.source.must(err)
	if len(done) != 1 || done[0].Workspace != c.source.workspace {
		c.Fatalf("%+v", done)
	}
	c.same(to)
	again, err := to.store.CopyFrom(c.source.ctx, c.source.store, store.CopyOptions{Workspaces: []string{c.source.workspace}})
	c.source.must(err)
	if again[0].Changed() || again[0].Tree != done[0].Tree {
		c.Fatalf("copied again: %+v after %+v", again, done)
	}
}

// Views are all documented views.
var Views = []string{
	"account_current", "account_versions", "changes", "status_changes", "squid_assignments", "limit_usage", "snapshots", "runs", "failures",
	"health_periods", "squid_health", "alerts", "deliveries",
}

// same compares the copy with the source.
func (c *copyist) same(to *desk) {
	want, err := c.source.store.Tree(c.source.ctx, c.source.workspace)
	c.source.must(err)
	if is, err := to.store.Tree(c.source.ctx, c.source.workspace); err != nil || is != want {
		c.Fatalf("the tree of the copy is %v instead of %v, %v", is, want, err)
	}
	for _, view := range Views {
		query := `SELECT * FROM ` + view + ` WHERE workspace = '` + c.source.workspace + `'`
		if want, is := sortedLines(c.source.rows(query)), sortedLines(to.rows(query)); !reflect.DeepEqual(want, is) {
			c.Fatalf("%s:\n%s\nin the source:\n%s", view, strings.Join(is, "\n"), strings.Join(want, "\n"))
		}
	}
	withheld, err := c.source.store.Withheld(c.source.ctx, c.source.workspace)
	c.source.must(err)
	if is, err := to.store.Withheld(c.source.ctx, c.source.workspace); err != nil || !reflect.DeepEqual(is, withheld) {
		c.Fatalf("withheld are %v instead of %v, %v", is, withheld, err)
	}
}

func sortedLines(text string) []string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return lines
}
