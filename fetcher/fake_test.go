package fetcher_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// A client waits for the budget of the fake in memory, and no real time passes.
func TestTheFakeInMemoryServesAClientThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := lobstrtest.NewWorld(lobstrtest.NewClock(time.Now()))
		ada := world.Add(lobstrtest.Account{Username: "ada"})
		server := lobstrtest.NewInMemory(t, world)
		server.SetRateLimit(lobstrtest.RateLimit{Budget: 1, Now: time.Now})
		client, err := fetcher.New(fetcher.Config{
			Token: lobstrtest.DefaultToken, BaseURL: server.URL, UserAgent: "test", Transport: server.Transport(),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.CloseIdleConnections()
		began := time.Now()
		for range 2 {
			if response, err := client.Account(t.Context(), ada); err != nil || len(response.Accounts) != 1 {
				t.Fatalf("%v, %v", response, err)
			}
		}
		if waited := time.Since(began); waited < time.Minute || waited > 2*time.Minute {
			t.Errorf("waited %s", waited)
		}
	})
}

// The fake's squids are what the client reads: the list, the details, the chain and the
// type of account that the crawler needs.
func TestTheClientReadsTheSquidsOfTheFake(t *testing.T) {
	world := lobstrtest.NewWorld(lobstrtest.NewClock(time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)))
	ada := world.Add(lobstrtest.Account{Username: "ada", Type: lobstrtest.X, Squids: []string{"Leads"}})
	leads := world.SetSquid("Leads", lobstrtest.Squid{Launch: "09:30", Chain: "Mentions"})
	mentions := world.AddSquid("Mentions")
	server := lobstrtest.New(t, world)
	client, err := fetcher.New(fetcher.Config{Token: lobstrtest.DefaultToken, BaseURL: server.URL, UserAgent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	list, err := client.Squids(t.Context())
	if err != nil || len(list.Problems) > 0 || len(list.Squids) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	next := time.Date(2026, 11, 27, 9, 30, 0, 0, time.UTC)
	if got := list.Squids[0]; got.ID != leads || got.Cron != "30 9 * * *" || !got.NextLaunch.Equal(next) || got.Accounts != nil || got.Chain != nil {
		t.Errorf("in the list: %+v", got)
	}
	squid, err := client.Squid(t.Context(), leads)
	if err != nil {
		t.Fatal(err)
	}
	want := fetcher.Squid{
		ID: leads, Name: "Leads", Active: new(true), Cron: "30 9 * * *", Zone: "UTC", NextLaunch: next, LastRunStatus: "DONE",
		LastRunReason: "tasks_done", Crawler: list.Squids[0].Crawler, Accounts: []fetcher.SquidAccount{{ID: ada, Status: "synchronized"}},
		Chain: []fetcher.ChainLink{{ID: mentions, Name: "Mentions", Active: true}},
	}
	if diff := cmp.Diff(want, squid); diff != "" {
		t.Error(diff)
	}
	if needs, err := client.CrawlerType(t.Context(), squid.Crawler); err != nil || needs != "twitter-sync" {
		t.Errorf("%q, %v", needs, err)
	}
}
