package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// Take two snapshots of one account, and ask what changed.
func Example() {
	// A simulated lobstr.io takes the place of the real one.
	clock := lobstrtest.NewClock(time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC))
	world := lobstrtest.NewWorld(clock)
	ada := world.Add(lobstrtest.Account{Username: "ada", Type: lobstrtest.LinkedIn})
	server, err := lobstrtest.Listen(world)
	check(err)
	defer server.Close()

	ctx := context.Background()
	client, err := fetcher.New(fetcher.Config{
		Token: lobstrtest.DefaultToken, BaseURL: server.URL, UserAgent: "example/1", Now: clock.Now,
	})
	check(err)
	dir, err := os.MkdirTemp("", "lobstrail-example-")
	check(err)
	defer os.RemoveAll(dir)
	history, _, err := sqlite.OpenWriter(ctx, filepath.Join(dir, "history.db"),
		sqlite.Options{Now: clock.Now, Rules: report.Rules()})
	check(err)
	defer history.Close()

	job := fetcher.Job{Client: client, Store: history, Workspace: "default"}
	_, err = job.Snapshot(ctx, ada)
	check(err)
	world.At(clock.Now().Add(10*time.Minute), lobstrtest.Expire(ada))
	clock.Advance(15 * time.Minute)
	_, err = job.Snapshot(ctx, ada)
	check(err)

	for change, err := range history.Changes(ctx, store.ChangeQuery{Workspace: "default"}) {
		check(err)
		fmt.Printf("%s: %s %q, now %s\n", change.Username, change.Kind, change.Path, change.HealthAfter)
	}
	// Output:
	// ada: appeared "", now healthy
	// ada: status "/status", now expired
	// ada: status "/status_code_description", now expired
	// ada: status "/status_code_info", now expired
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
