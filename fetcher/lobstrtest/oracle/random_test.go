package oracle_test

import (
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
)

func TestRandomWorldsShowAllKinds(t *testing.T) {
	w := oracle.RandomWorld(1, oracle.RandomOptions{Accounts: 30, Events: 3000, Start: start})
	count := map[string]int{}
	for _, truth := range oracle.Between(w, "", start, start.AddDate(0, 1, 0)) {
		count[truth.Kind]++
	}
	for _, kind := range []string{"appeared", "gone", "returned", "status", "locked", "unlocked", "synced", "squid_assigned",
		"squid_unassigned", "squid_renamed", "limit", "username", "cookies", "icon", "field", "schema"} {
		if count[kind] == 0 {
			t.Errorf("no %s in %v", kind, count)
		}
	}
	only := oracle.RandomWorld(1, oracle.RandomOptions{Kinds: []string{"lock"}})
	for _, line := range only.Script() {
		if !strings.Contains(line, " Lock(") {
			t.Error(line)
		}
	}
	if n := len(oracle.RandomKinds()); n != 22 {
		t.Errorf("%d kinds", n)
	}
}
