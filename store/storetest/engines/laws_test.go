package engines_test

import (
	"flag"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/storetest"
	"github.com/lobstrail/lobstrail/store/storetest/engines"
)

// A failed property prints its seed; files of failures are not kept, and making
// the example smaller does not take long.
func init() {
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "5s"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
}

func TestLaws(t *testing.T) {
	if testing.Short() { // where rapid itself tries a fifth
		if err := flag.Set("rapid.checks", "35"); err != nil {
			t.Fatal(err)
		}
	}
	engines.Each(t, func(t *testing.T, e engines.Engine) {
		storetest.Run(t, func(t testing.TB, now func() time.Time) store.Store {
			return e.New(t, engines.Options{Now: now, Rules: report.Rules()})
		})
	})
}
