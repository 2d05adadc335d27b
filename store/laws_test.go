package store_test

import (
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/storetest"
)

func TestLaws(t *testing.T) {
	storetest.Run(t, func(t testing.TB, now func() time.Time) *store.Store {
		return openStore(t, memoryPath(t), now)
	})
}
