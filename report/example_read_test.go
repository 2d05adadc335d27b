package report_test

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

// Report which accounts stopped working in a day.
func ExampleRead() {
	ctx := context.Background()
	path, remove := history()
	defer remove()

	st, err := sqlite.Open(ctx, path, sqlite.Options{})
	check(err)
	defer st.Close()

	since := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	r, err := report.Read(ctx, st, "acme", since, since.AddDate(0, 0, 1))
	check(err)
	for _, step := range r.Status.Transitions {
		fmt.Printf("%s: %q, then %q\n", step.Username, step.HealthBefore, step.HealthAfter)
	}
	for _, squid := range r.Squids.WithoutHealthy {
		fmt.Println("no healthy account is left:", squid.Name)
	}
	_, err = report.Read(ctx, st, "acmee", since, since.AddDate(0, 0, 1))
	fmt.Println(errors.Is(err, store.ErrNotFound))
	// Output:
	// ada: "healthy", then "expired"
	// no healthy account is left: Leads
	// true
}

// history makes a store of two snapshots of a simulated workspace: in between, the
// cookies of an account expired.
func history() (path string, remove func()) {
	ctx := context.Background()
	clock := lobstrtest.NewClock(time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC))
	world := lobstrtest.NewWorld(clock)
	ada := world.Add(lobstrtest.Account{Username: "ada", Type: lobstrtest.LinkedIn, Squids: []string{"Leads"}})
	api, err := lobstrtest.Listen(world)
	check(err)
	defer api.Close()
	client, err := fetcher.New(fetcher.Config{Token: lobstrtest.DefaultToken, BaseURL: api.URL, UserAgent: "example/1", Now: clock.Now})
	check(err)
	dir, err := os.MkdirTemp("", "lobstrail-example-")
	check(err)
	path = filepath.Join(dir, "history.db")
	st, _, err := sqlite.OpenWriter(ctx, path, sqlite.Options{Now: clock.Now, Rules: report.Rules()})
	check(err)
	defer st.Close()
	job := fetcher.Job{Client: client, Store: st, Workspace: "acme"}
	_, err = job.Snapshot(ctx)
	check(err)
	clock.Advance(time.Hour)
	world.Apply(lobstrtest.Expire(ada))
	_, err = job.Snapshot(ctx)
	check(err)
	return path, func() { os.RemoveAll(dir) }
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
