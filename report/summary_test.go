package report

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

// TestSummary has an account that expired in the period and is so still, one that
// failed for some minutes and then had no status, one that was expired before and is gone, and one whose squid
// lost it.
func TestSummary(t *testing.T) {
	step := func(id string, from, to store.Health, after, before int) store.StatusStep {
		return store.StatusStep{Account: id, Username: "n" + id, HealthBefore: from, HealthAfter: to, Window: window(after, before)}
	}
	seen := func(id string, h store.Health, first, last int) store.AccountState {
		a := account(id, "n"+id, h)
		a.FirstSeen, a.SeenAt = minute(first), minute(last)
		return a
	}
	lost := window(40, 50)
	uses := []store.Use{{Account: "a", Limit: "searches", Value: json.RawMessage("85"), Max: json.RawMessage("100"), SeenAt: minute(10)},
		{Account: "b", Limit: "searches", Value: json.RawMessage("10"), Max: json.RawMessage("100"), SeenAt: minute(10)}}
	now := Input{
		Workspace: "w", Since: minute(0), Until: minute(100),
		Accounts: []store.AccountState{seen("a", store.Expired, -50, 100), seen("b", store.Healthy, -50, 100), seen("g", store.Gone, -50, 20), seen("s", store.Healthy, -50, 100)},
		Steps: []store.StatusStep{step("a", store.Healthy, store.Expired, 30, 40), step("b", store.Healthy, store.Failing, 10, 20),
			step("b", store.Failing, store.Unknown, 20, 24), step("b", store.Unknown, store.Healthy, 24, 30), step("g", store.Expired, store.Gone, 20, 30)},
		Assignments: []store.Assignment{
			{Squid: "q", SquidName: "leads", Account: "s", Username: "ns", From: store.Window{Before: minute(-50)}, To: &lost},
		},
		Uses: uses,
		Runs: []store.Run{{ID: 1, State: store.Complete, Started: minute(10), Finished: minute(11)}, {ID: 2, State: store.Incomplete, Started: minute(50), Finished: minute(51)}},
	}
	before := Input{Workspace: "w", Since: minute(-100), Until: minute(0), Accounts: []store.AccountState{seen("g", store.Expired, -50, 0)}}
	got := NewSummary(now, before)
	want := FiguresJSON{
		Accounts: 3, Healthy: 2, Down: []AccountRefJSON{{ID: "a", Username: "na", Health: store.Expired}}, WentDown: 2,
		DownMin: Seconds(84 * time.Minute), DownMax: Seconds(120 * time.Minute),
		Gone: []AccountRefJSON{{ID: "g", Username: "ng", Health: store.Gone}}, SquidsWithout: []SquidRefJSON{{ID: "q", Name: "leads"}},
		AssignmentsLost: 1, LimitsNearlyUsed: 1, Runs: 2, RunsComplete: 1, LongestGap: Seconds(49 * time.Minute),
	}
	if diff := cmp.Diff(want, got.Now); diff != "" {
		t.Error(diff)
	}
	previous := FiguresJSON{
		Accounts: 1, Down: []AccountRefJSON{{ID: "g", Username: "ng", Health: store.Expired}}, Gone: []AccountRefJSON{},
		SquidsWithout: []SquidRefJSON{}, DownMin: Seconds(50 * time.Minute), DownMax: Seconds(50 * time.Minute), LongestGap: Seconds(100 * time.Minute),
	}
	if diff := cmp.Diff(&previous, got.Previous); diff != "" {
		t.Error(diff)
	}
	if !got.PreviousFrom.Equal(minute(-50)) {
		t.Errorf("watched from %v", got.PreviousFrom)
	}
	if none := NewSummary(now, Input{Since: minute(-100), Until: minute(0)}); none.Previous != nil {
		t.Errorf("nobody was known: %+v", none.Previous)
	}
}
