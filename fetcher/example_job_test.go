package fetcher_test

import (
	"context"
	"errors"
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

// Take a snapshot of all accounts, and one of a single account by its name. The server
// is a simulated lobstr.io; a real client leaves BaseURL and Now out.
func ExampleJob_Snapshot() {
	ctx := context.Background()
	world, api, dir := simulate("ada", "bob")
	defer os.RemoveAll(dir)
	defer api.Close()

	client, err := fetcher.New(fetcher.Config{
		Token: lobstrtest.DefaultToken, UserAgent: "example/1", BaseURL: api.URL, Now: world.Clock().Now,
	})
	check(err)
	history, _, err := sqlite.OpenWriter(ctx, filepath.Join(dir, "history.db"),
		sqlite.Options{Rules: report.Rules(), Now: world.Clock().Now})
	check(err)
	defer history.Close()

	job := fetcher.Job{Client: client, Store: history, Workspace: "acme"}
	run, err := job.Snapshot(ctx)
	fmt.Println(run.State, run.Captured(), err)
	run, err = job.Snapshot(ctx, "ada")
	fmt.Println(run.State, run.Captured(), err)
	_, err = job.Snapshot(ctx, "eve")
	fmt.Println(errors.Is(err, store.ErrNotFound))
	// Output:
	// complete 2 <nil>
	// complete 1 <nil>
	// true
}

// Wait until the cookies of an account expire.
func ExampleJob_Watch() {
	ctx := context.Background()
	world, api, dir := simulate("ada", "bob")
	defer os.RemoveAll(dir)
	defer api.Close()

	client, err := fetcher.New(fetcher.Config{
		Token: lobstrtest.DefaultToken, UserAgent: "example/1", BaseURL: api.URL, Now: world.Clock().Now,
	})
	check(err)
	history, _, err := sqlite.OpenWriter(ctx, filepath.Join(dir, "history.db"),
		sqlite.Options{Rules: report.Rules(), Now: world.Clock().Now})
	check(err)
	defer history.Close()

	job := fetcher.Job{Client: client, Store: history, Workspace: "acme"}
	_, err = job.Snapshot(ctx)
	check(err)
	world.Apply(lobstrtest.Expire(world.Accounts(world.Clock().Now())[0]))
	for step, err := range job.Watch(ctx, 15*time.Minute) {
		if err != nil {
			log.Print(err) // the next snapshot may work again
		} else if step.Became(store.Expired) {
			fmt.Println(step.HealthBefore, "to", step.HealthAfter)
			break
		}
	}
	// Output: healthy to expired
}

// simulate starts a simulated lobstr.io with accounts of these names, and makes a folder
// for a store.
func simulate(usernames ...string) (world *lobstrtest.World, api *lobstrtest.Server, dir string) {
	world = lobstrtest.NewWorld(lobstrtest.NewClock(time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)))
	for _, name := range usernames {
		world.Add(lobstrtest.Account{Username: name, Type: lobstrtest.LinkedIn})
	}
	api, err := lobstrtest.Listen(world)
	check(err)
	dir, err = os.MkdirTemp("", "lobstrail-example-")
	check(err)
	return world, api, dir
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
