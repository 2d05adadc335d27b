package lobstrtest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// expired is the code under test: it counts the accounts whose cookies have expired.
func expired(baseURL, token string) (int, error) {
	req, err := http.NewRequest(http.MethodGet, baseURL+"/accounts?limit=100", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Token "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("lobstr.io: %s", resp.Status)
	}
	var page struct {
		Data []struct {
			Info string `json:"status_code_info"`
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		return 0, err
	}
	n := 0
	for _, account := range page.Data {
		if account.Info == "cookies_expired" {
			n++
		}
	}
	return n, nil
}

// A test of your own code: the cookies of an account expire, and for one request the
// service fails. In a test, New(t, world) stands for Listen and Close.
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

	fmt.Println(expired(server.URL, lobstrtest.DefaultToken))
	clock.Advance(2 * time.Hour)
	fmt.Println(expired(server.URL, lobstrtest.DefaultToken))
	server.Inject(lobstrtest.FaultNamed("http-503-html"), lobstrtest.When{Times: 1})
	fmt.Println(expired(server.URL, lobstrtest.DefaultToken))
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 0 lobstr.io: 503 Service Unavailable
}
