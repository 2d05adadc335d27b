package report_test

import (
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

func Example() {
	before := store.State{
		At:     time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC),
		Latest: store.List,
		List:   []byte(`{"status":"200","squids":[{"name":"Leads","hash_value":"c106"}]}`),
	}
	after := store.State{
		At:     before.At.Add(time.Hour),
		Latest: store.List,
		List:   []byte(`{"status":401,"squids":[]}`),
	}
	changes, err := report.Diff(before, after)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range changes {
		fmt.Printf("%s of %s: was %s\n", c.Kind, c.Path, c.Old)
	}
	// Output:
	// status of /status: was "200"
	// squid_unassigned of /squids/c106: was "Leads"
	// schema of /status: was "200"
}
