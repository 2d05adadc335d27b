package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Fidelity is the law that an account object comes back as the same JSON value, whatever its
// fields, at every moment of its history, with its volatile values and its icon.
func Fidelity(t *testing.T, open Opener) {
	base, checks := newDesk(t, open), 0
	rapid.Check(t, func(t *rapid.T) {
		checks++
		d := base.in(t, fmt.Sprint("fidelity ", checks))
		received := map[time.Time]string{}
		for range rapid.IntRange(1, 4).Draw(t, "looks") {
			source := rapid.SampledFrom([]store.Source{store.List, store.Detail}).Draw(t, "source")
			object := account(jsonGen{t})
			if done := d.look(source, object); done.Captured() != 1 {
				t.Fatalf("%+v of %s", done, object)
			}
			received[*d.now] = object
			d.compare(object, time.Time{})
		}
		for at, object := range received {
			d.compare(object, at)
		}
	})
}

// compare compares the document at a moment with the object that was received.
func (d *desk) compare(object string, at time.Time) {
	d.t.Helper()
	if got := d.document(id(0), at, true); !sameJSON(got, object) {
		d.t.Fatalf("came back as\n%s\nwas\n%s", got, object)
	}
	without := members(object)
	if strings.HasPrefix(strings.TrimSpace(string(without["icon"])), `"`) {
		delete(without, "icon")
	}
	fields := map[string]string{}
	for name, raw := range without {
		fields[name] = string(raw)
	}
	var parts []string
	for _, name := range sorted(fields) {
		parts = append(parts, quote(name)+":"+fields[name])
	}
	if got, want := d.document(id(0), at, false), "{"+strings.Join(parts, ",")+"}"; !sameJSON(got, want) {
		d.t.Fatalf("without its icon it came back as\n%s\nwas\n%s", got, want)
	}
}

// account draws the hostile object of an account.
func account(g jsonGen) string {
	fields := map[string]string{"id": quote(id(0))}
	for range rapid.IntRange(0, 4).Draw(g.T, "unknown fields") {
		fields[g.pick("field", names)] = g.value(3)
	}
	fields["icon"] = g.pick("icon", []string{"", `null`, `5`, `""`, `"aWNvbg=="`, `"\u0061Wb"`, `[]`, `{"a":1}`,
		`"` + strings.Repeat("A", 70_000) + `"`})
	fields["resets_in"] = g.pick("resets_in", []string{"", `null`, `5`, `"7"`, `1e400`, `{"value":1}`, `[1]`})
	fields["squids"] = g.pick("squids", []string{"", `null`, `[]`, `[{"name":"😀","hash_value":"a/b~"}]`})
	fields["params"] = params(g)
	return g.join(fields)
}

// params draws settings with hostile shapes where volatile values may stand.
func params(g jsonGen) string {
	shape := rapid.IntRange(0, 9).Draw(g.T, "params")
	if shape == 0 {
		return ""
	}
	if shape == 1 {
		return g.value(2)
	}
	limits := map[string]string{}
	for range rapid.IntRange(0, 3).Draw(g.T, "limits") {
		limit := map[string]string{}
		for range rapid.IntRange(0, 4).Draw(g.T, "members") {
			limit[g.pick("member", []string{"value", "current", "timestamp", "last_batch_at", "max", "note"})] = g.value(1)
		}
		name := g.pick("limit", []string{"profiles", "", "a/b", "~1", "value", "é\u0000"})
		if limits[name] = g.join(limit); rapid.IntRange(0, 4).Draw(g.T, "odd") == 0 {
			limits[name] = g.value(1)
		}
	}
	user := g.join(limits)
	if rapid.IntRange(0, 9).Draw(g.T, "odd user") == 0 {
		user = g.value(1)
	}
	return g.join(map[string]string{"user": user, "default": g.value(1)})
}

// Refusal is the law that what is not one JSON object with unique names and valid UTF-8, or has
// squids that cannot be read, becomes a failure that names the account; the other
// accounts of the response are kept, and no account is made of it.
func Refusal(t *testing.T, open Opener) {
	bad := map[string]string{
		"empty": ``, "null": `null`, "list": `[]`, "text": `"x"`, "number": `7`, "cut": `{"id":"x"`, "two": `{} {}`,
		"trailing":  `{"a":1}]`,
		"twice":     `{"a":1,"a":2}`,
		"escaped":   `{"a":1,"\u0061":2}`,
		"nested":    `{"params":{"user":{"p":{"value":1,"value":2}}}}`,
		"latin-1":   "{\"a\":\"\xe9\"}",
		"name":      "{\"\xff\":1}",
		"surrogate": `{"a":"\ud800"}`,
		"nan":       `{"a":NaN}`,
		"comment":   `{"a":1/**/}`,
		"squids":    `{"squids":[{"name":"no key"}]}`,
		"squids 7":  `{"squids":7}`,
	}
	d := newDesk(t, open)
	d.look(store.List, object(1, ""), object(2, ""))
	for _, name := range sorted(bad) {
		d.advance(time.Hour)
		d.begin()
		r := d.response(store.List, object(1, ""), object(2, `"f":`+quote(name)))
		r.Accounts = slices.Insert(r.Accounts, 1, store.Observed{ID: id(0), Raw: []byte(bad[name])})
		done, err := d.run.Append(d.ctx, r)
		d.must(err)
		if done.Failed != 1 || done.Captured() != 2 {
			t.Errorf("%s: %+v", name, done)
		}
		number := d.run.ID()
		d.finish()
		run, err := d.store.Run(d.ctx, d.workspace, number)
		d.must(err)
		if len(run.Failures) != 1 || run.Failures[0].Kind != store.FailDecode || run.Failures[0].Account != id(0) ||
			run.Failures[0].Message == "" {
			t.Errorf("%s: %+v", name, run.Failures)
		}
		if accounts := d.accounts(time.Time{}); len(accounts) != 2 {
			t.Errorf("%s made an account: %+v", name, accounts)
		}
	}
}
