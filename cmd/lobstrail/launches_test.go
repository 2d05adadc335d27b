package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// A message about an account has the next launches of its squids, for one request; where
// they are not to be had the message goes without them, and the run is none the worse.
func TestMessagesHaveNextLaunches(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	var ids []string
	for _, name := range []string{"ada", "ben"} {
		ids = append(ids, world.Add(lobstrtest.Account{Username: name, Squids: []string{name + "'s"}}))
		world.SetSquid(name+"'s", lobstrtest.Squid{Launch: "06:00"})
	}
	server := serve(t, world)
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	sink := "[[sinks]]\nname = \"ops\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:1/\"\n" // where nobody listens
	h.vars["LOBSTRAIL_CONFIG"] = filepath.Join(h.dir, "config.toml")
	if err := os.WriteFile(h.vars["LOBSTRAIL_CONFIG"], []byte(sink), 0o600); err != nil {
		t.Fatal(err)
	}
	snapshot := func(pages int) {
		t.Helper()
		server.ResetRequests()
		if o := within(0, h.vars, "snapshot"); o.code != exitDone {
			t.Fatal(o)
		}
		if got := server.Count(lobstrtest.Squids); got != pages {
			t.Errorf("the list of squids was asked for %d times, want %d", got, pages)
		}
	}
	snapshot(0)
	happen(world, lobstrtest.Expire(ids[0]))
	snapshot(1)
	snapshot(0)
	if next := launchesTold(t, h.db); len(next) != 1 || next[0] == nil || next[0].Hour() != 6 || next[0].Before(time.Now()) {
		t.Errorf("%v", next)
	}
	happen(world, lobstrtest.Expire(ids[1]))
	server.Inject(lobstrtest.FaultNamed("echo-key-400"), lobstrtest.When{Route: lobstrtest.Squids})
	snapshot(1)
	if next := launchesTold(t, h.db); len(next) != 2 || next[0] == nil || next[1] != nil {
		t.Errorf("without an answer: %v", next)
	}
}

// launchesTold are the next launches in the messages about expired accounts, in their order.
func launchesTold(t *testing.T, db string) (next []*time.Time) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), db, sqlite.Options{Rules: report.Rules()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for delivery, err := range s.Deliveries(t.Context(), store.DeliveryQuery{}) {
		var body alert.Body
		if err != nil || json.Unmarshal(delivery.Body, &body) != nil {
			t.Fatal(err)
		}
		if body.Condition == store.AccountExpired {
			next = append(next, body.Items[0].Squids[0].NextLaunchAt)
		}
	}
	return next
}
