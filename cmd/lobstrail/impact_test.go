package main

import (
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
	if o.code != exitDifference || !strings.Contains(o.stdout, "Not known: squid ") {
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
