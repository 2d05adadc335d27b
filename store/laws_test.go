package store_test

import (
	"flag"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/storetest"
)

// A failed property prints its seed; files of failures are not kept.
func init() {
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		panic(err)
	}
}

func TestLaws(t *testing.T) {
	storetest.Run(t, func(t testing.TB, now func() time.Time) *store.Store {
		return openStore(t, memoryPath(t), now)
	})
}
