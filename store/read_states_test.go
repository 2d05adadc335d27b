package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// TestOneStepIsTheDifferenceOfTheStates holds what Pairs says of accounts that
// changed in one step to the states, which it did not read for that.
func TestOneStepIsTheDifferenceOfTheStates(t *testing.T) {
	t.Parallel()
	seed, one, states := uint64(time.Now().UnixNano()), 0, 0
	if testing.Short() { // of few histories, some show too little
		seed = 7200
	}
	t.Logf("seed %d", seed)
	plays(t, seed, func(s *store.Store, workspace string, moments []time.Time) {
		for _, from := range moments[1:] { // the first is now
			for _, to := range moments[1:] {
				for _, pair := range collect(t, s.Pairs(t.Context(), workspace, "", from, to)) {
					if !pair.OneStep {
						states++
						continue
					}
					one++
					compareStates(t, s, workspace, pair, from, to)
				}
			}
		}
	})
	if t.Logf("%d accounts were told by one step, %d by their states", one, states); one < 20 || states < 20 {
		t.Error("too few to tell anything")
	}
}

func compareStates(t *testing.T, s *store.Store, workspace string, pair store.Pair, from, to time.Time) {
	t.Helper()
	read := store.Pair{Account: pair.Account, Username: pair.Username, Changes: pair.Changes}
	var err error
	if pair.Changes[0].Kind != store.Appeared {
		if read.Old, err = s.State(t.Context(), workspace, pair.Account, from); err != nil {
			t.Fatal(err)
		}
	}
	if read.New, err = s.State(t.Context(), workspace, pair.Account, to); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(netTexts(t, read), netTexts(t, pair)); diff != "" {
		t.Fatalf("%s, %s between %s and %s: %s", workspace, pair.Account, from, to, diff)
	}
}

func netTexts(t *testing.T, pair store.Pair) (all []string) {
	t.Helper()
	net, err := report.Net(pair)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range net {
		all = append(all, fmt.Sprintf("%s %s: %s -> %s, %s -> %s, %v, %d",
			c.Kind, c.Path, c.Old, c.New, c.HealthBefore, c.HealthAfter, c.Window, c.Run))
	}
	return all
}
