package page

import (
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// TestAssignmentsAreDrawnWhileSomebodyWatched: a bar does not run on where the account
// was not seen any more.
func TestAssignmentsAreDrawnWhileSomebodyWatched(t *testing.T) {
	since := begin
	squid := store.Squid{ID: strings.Repeat("1", 32), Name: "leads"}
	for name, test := range map[string]struct {
		seen time.Duration
		want string
	}{
		"to the end":     {100 * time.Hour, "<rect class=a x=0% width=100% />"},
		"for a quarter":  {25 * time.Hour, "<rect class=a x=0% width=25% />"},
		"before it only": {-time.Hour, ""},
	} {
		t.Run(name, func(t *testing.T) {
			account := store.AccountState{ID: strings.Repeat("a", 32), FirstSeen: since.Add(-48 * time.Hour), SeenAt: since.Add(test.seen),
				Facts: store.Facts{Username: "ada", Health: store.Healthy, Squids: []store.Squid{squid}}}
			p := picture(report.Input{Since: since, Until: since.Add(100 * time.Hour), Accounts: []store.AccountState{account},
				Assignments: []store.Assignment{{Squid: squid.ID, SquidName: squid.Name, Account: account.ID, Username: "ada",
					From: store.Window{Before: account.FirstSeen}}}})
			got := newScale(since, since.Add(100*time.Hour)).lane(p.Squids[0].Lanes[0])
			if string(got) != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
