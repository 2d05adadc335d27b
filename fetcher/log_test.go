package fetcher_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// A program can tell why a request takes long: each retry and each wait that the API
// asks for is one line, and none holds the key.
func TestTheLoggerIsToldOfRetriesAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := lobstrtest.NewWorld(lobstrtest.NewClock(time.Now()))
		ada := world.Add(lobstrtest.Account{Username: "ada"})
		server := lobstrtest.NewInMemory(t, world)
		server.SetRateLimit(lobstrtest.RateLimit{Budget: 2, Now: time.Now})
		echo := lobstrtest.Fault{Name: "echo", Do: lobstrtest.Answers(503, "text/plain", "no such key: "+lobstrtest.DefaultToken)}
		server.Inject(echo, lobstrtest.When{Times: 1})
		var log bytes.Buffer
		client, err := fetcher.New(fetcher.Config{
			Token: lobstrtest.DefaultToken, BaseURL: server.URL, UserAgent: "test", Transport: server.Transport(),
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.CloseIdleConnections()
		for range 2 {
			if _, err := client.Account(t.Context(), ada); err != nil {
				t.Fatal(err)
			}
		}
		text := log.String()
		for words, times := range map[string]int{
			"request failed; trying again": 1, "try=1": 1, "path=/v1/accounts/" + ada: 1, "503": 1,
			"waiting as long as the API asks": 1, lobstrtest.DefaultToken: 0,
		} {
			if n := strings.Count(text, words); n != times {
				t.Errorf("%q is logged %d times, not %d:\n%s", words, n, times, text)
			}
		}
	})
}
