package fetcher_test

import (
	"testing"
	"testing/synctest"
	"time"

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
