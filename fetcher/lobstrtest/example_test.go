package lobstrtest_test

import (
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

func Example() {
	clock := lobstrtest.NewClock(time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC))
	world := lobstrtest.NewWorld(clock)
	ada := world.Add(lobstrtest.Account{Username: "ada", Type: lobstrtest.LinkedIn, Squids: []string{"Leads"}})
	world.At(clock.Now().Add(time.Hour), lobstrtest.Expire(ada))

	server, err := lobstrtest.Listen(world)
	if err != nil {
		panic(err)
	}
	defer server.Close()
	// A client asks server.URL with lobstrtest.DefaultToken and clock.Now.

	clock.Advance(2 * time.Hour)
	for _, truth := range world.Truth() {
		fmt.Println(truth.At.Format(time.TimeOnly), truth.Kind, truth.Path, string(truth.Old), "to", string(truth.New))
	}
	fmt.Println(world.HealthAt(ada, clock.Now()))
	// Output:
	// 07:00:00 status /status "200" to "401"
	// 07:00:00 status /status_code_description "Success!" to "Cookies have expired."
	// 07:00:00 status /status_code_info "synchronized" to "cookies_expired"
	// expired
}
