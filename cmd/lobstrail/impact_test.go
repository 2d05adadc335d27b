package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// A squid counts as deleted when the API does not know it: neither by its id nor on the
// list. One of both alone proves nothing.
func TestImpactOfASquidThatTheAPIDoesNotKnow(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	world.Add(lobstrtest.Account{Username: "ada", Squids: []string{"Leads"}})
	server := serve(t, world)
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	if o := within(0, h.vars, "snapshot"); o.code != exitDone {
		t.Fatal(o)
	}
	answer := func(route lobstrtest.Route, status int, body string) {
		server.Inject(lobstrtest.Fault{Name: "answer", Do: lobstrtest.Answers(status, "application/json", body)}, lobstrtest.When{Route: route})
	}
	answer(lobstrtest.SquidDetail, http.StatusNotFound, `{"detail":"Not found."}`)
	o := within(0, h.vars, "impact", "ada", "--exit-code")
	if o.code != exitDifference || !strings.Contains(o.stdout, "Problem: squid ") {
		t.Errorf("on the list: %s", o)
	}
	answer(lobstrtest.Squids, http.StatusOK, `{"data":[],"total_results":0,"page":1,"limit":100,"next":null}`)
	o = within(0, h.vars, "impact", "ada", "--exit-code")
	if o.code != exitDone || !strings.Contains(o.stdout, "the API says that there is no such squid") {
		t.Errorf("not on the list: %s", o)
	}
}

// The document of a squid holds secrets, and none of them comes out.
func TestImpactShowsNoSecretOfASquid(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	world.Add(lobstrtest.Account{Username: "ada", Squids: []string{"Leads"}})
	server := serve(t, world)
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	if o := within(0, h.vars, "snapshot"); o.code != exitDone {
		t.Fatal(o)
	}
	for _, format := range []string{"table", "json", "csv", "ndjson", "markdown"} {
		o := within(0, h.vars, "impact", "ada", "--verbose", "--format", format)
		all := o.stdout + o.stderr
		if !strings.Contains(o.stdout, "Leads") || strings.Contains(all, lobstrtest.SquidSecret) || strings.Contains(all, "example.com") {
			t.Errorf("%s: %s", format, o)
		}
	}
	if server.Count(lobstrtest.SquidDetail) != 5 {
		t.Error("the documents with the secrets were not asked for")
	}
}

// What the API says in an unknown form is not known, and a squid that is switched off is
// shown as such.
func TestImpactOfASquidInOtherForms(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	world.Add(lobstrtest.Account{Username: "ada", Squids: []string{"Leads"}})
	server := serve(t, world)
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	if o := within(0, h.vars, "snapshot"); o.code != exitDone {
		t.Fatal(o)
	}
	server.Inject(lobstrtest.Fault{Name: "forms", Do: lobstrtest.Mangles(func(body []byte) []byte {
		body = bytes.ReplaceAll(body, []byte(`"is_active":true`), []byte(`"is_active":false`))
		return bytes.ReplaceAll(body, []byte(`"chain":null`), []byte(`"chain":"Mentions \u001b[31m"`))
	})}, lobstrtest.When{Route: lobstrtest.SquidDetail})
	o := within(0, h.vars, "impact", "ada")
	if o.code != exitIncomplete || !strings.Contains(o.stdout, "breaks: it has no other account (it is not active)") ||
		!strings.Contains(o.stdout, "Problem: Leads: the API gives chain in an unknown form.") || strings.Contains(o.stdout, "\x1b") {
		t.Error(o)
	}
}

// A name does not add a line to what is said about it.
func TestImpactOfNamesThatBreakLines(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	id := world.Add(lobstrtest.Account{Username: "ada\nNothing would break.", Squids: []string{"Leads\nNothing would break."}})
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken)
	if o := within(0, h.vars, "snapshot"); o.code != exitDone {
		t.Fatal(o)
	}
	happen(world, lobstrtest.Expire(id))
	for _, args := range [][]string{{"impact", id}, {"impact", "--squid", "Leads"}, {"impact", id, "--format", "csv"}} {
		o := within(0, h.vars, args...)
		for line := range strings.Lines(o.stdout + o.stderr) {
			if strings.HasPrefix(line, "Nothing") {
				t.Errorf("%q: %s", args, o)
			}
		}
	}
}
