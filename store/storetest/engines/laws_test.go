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

// checks is how often each property is tried: in PostgreSQL a history takes ten times as
// long as in a file, and what is random in it is the same.
func checks(e engines.Engine) string {
	switch {
	case *long:
		return "200"
	case e.Name == "sqlite" && testing.Short():
		return "35" // where rapid itself tries a fifth
	case e.Name == "sqlite":
		return "50"
	case testing.Short():
		return "10"
	}
	return "4"
}

func TestLaws(t *testing.T) {
	engines.Each(t, func(t *testing.T, e engines.Engine) {
		if err := flag.Set("rapid.checks", checks(e)); err != nil {
			t.Fatal(err)
		}
		storetest.Run(t, func(t testing.TB, now func() time.Time) store.Store {
			return e.New(t, engines.Options{Now: now, Rules: report.Rules()})
		})
	})
}
