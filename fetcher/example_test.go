package fetcher_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/lobstrail/lobstrail/fetcher"
)

func Example() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"data": [{"id": "d3e97f2cd33658f301bdbe807402ab30", "status": "200"}]}`)
	}))
	defer api.Close()

	client, err := fetcher.New(fetcher.Config{Token: "key", BaseURL: api.URL, UserAgent: "example"})
	if err != nil {
		log.Fatal(err)
	}
	response, err := client.Account(context.Background(), "d3e97f2cd33658f301bdbe807402ab30")
	switch {
	case errors.Is(err, fetcher.ErrKeyRefused):
		fmt.Println("get a new key")
	case err != nil:
		fmt.Println(fetcher.FailureOf("d3e97f2cd33658f301bdbe807402ab30", err).Kind)
	case len(response.Absent) > 0:
		fmt.Println("gone")
	default:
		fmt.Printf("%s\n", response.Accounts[0].Raw)
	}
	// Output: {"id": "d3e97f2cd33658f301bdbe807402ab30", "status": "200"}
}
