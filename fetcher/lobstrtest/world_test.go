package lobstrtest_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

func TestThePastIsWhatItWas(t *testing.T) {
	w, _, c := seven(t)
	c.list("/accounts")
	defer func() {
		if recover() == nil {
			t.Error("an event before what was served was taken")
		}
	}()
	w.At(start, lobstrtest.Expire(w.Accounts(start)[0]))
}

func TestTheListIsThatOfItsInstant(t *testing.T) {
	w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
	a, b := w.Add(lobstrtest.Account{Username: "a"}), w.Add(lobstrtest.Account{Username: "b"})
	c := lobstrtest.Account{ID: lobstrtest.ID("c"), Username: "c"}
	hour := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	w.At(hour(1), lobstrtest.Delete(a)).At(hour(2), lobstrtest.Create(c)).At(hour(3), lobstrtest.Restore(a))
	for _, at := range []int{3, 0, 2, 1, 3} { // also back in time
		want := [][]string{{a, b}, {b}, {b, c.ID}, {a, b, c.ID}}[at]
		if got := w.Accounts(hour(at)); !slices.Equal(got, want) {
			t.Errorf("hour %d: %v, want %v", at, got, want)
		}
	}
}

// counter reads a counter of a limit.
func counter(t *testing.T, w *lobstrtest.World, id, limit, name string, at time.Time) string {
	t.Helper()
	raw, _ := w.StateAt(id, lobstrtest.DetailView, at)
	var account struct {
		Params struct {
			User map[string]map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &account); err != nil {
		t.Fatal(err)
	}
	return string(account.Params.User[limit][name])
}

func TestCountersMoveAndAreReset(t *testing.T) {
	w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
	idle := w.Add(lobstrtest.Account{Username: "idle", Type: lobstrtest.SalesNav})
	busy := w.Add(lobstrtest.Account{Username: "busy", Type: lobstrtest.SalesNav, Load: 1})
	w.At(start.Add(time.Hour), lobstrtest.Work(idle, "profiles", 12), lobstrtest.Work(idle, "batch", 3))
	w.At(start.Add(2*time.Hour), lobstrtest.Expire(busy))
	midnight := time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		id, limit, name string
		at              time.Time
		want            string
	}{
		{idle, "profiles", "value", start.Add(time.Hour - 1), "0"},
		{idle, "profiles", "value", start.Add(time.Hour), "12"},
		{idle, "profiles", "value", midnight.Add(-1), "12"},
		{idle, "profiles", "value", midnight, "0"},
		{idle, "profiles", "timestamp", midnight.Add(-1), "1767657600"},
		{idle, "profiles", "timestamp", midnight, "1767744000"},
		{idle, "profiles", "timestamp", midnight.Add(49 * time.Hour), "1767916800"},
		{idle, "batch", "current", start.Add(time.Hour), "3"},
		{idle, "batch", "last_batch_at", start.Add(time.Hour), `"05/01/2026 07:00:00"`},
		{busy, "profiles", "value", start.Add(time.Hour), "43"},     // seven hours of 150
		{busy, "profiles", "value", start.Add(9 * time.Hour), "50"}, // expired at eight
	} {
		if got := counter(t, w, test.id, test.limit, test.name, test.at); got != test.want {
			t.Errorf("%s/%s at %s: %s, want %s", test.limit, test.name, test.at, got, test.want)
		}
	}
}

func TestHealthIsTheFirstRuleThatFits(t *testing.T) {
	for _, test := range []struct{ status, info, want string }{
		{`"200"`, "synchronized", "healthy"}, {`200`, "synchronized", "healthy"}, {`"200"`, "cookies_expired", "expired"},
		{`"429"`, "other", "expired"}, {`null`, "synchronized", "healthy"}, {`null`, "other", "unknown"},
		{`"120"`, "synchronizing", "unknown"}, {`"403"`, "checkpoint_reached", "failing"},
	} {
		w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
		id := w.Add(lobstrtest.Account{Username: "ada"})
		at := w.Apply(lobstrtest.Fail(id, 200, test.info, ""), lobstrtest.SetField(id, "status", json.RawMessage(test.status)))
		if got := w.HealthAt(id, at); got != test.want {
			t.Errorf("%s %s: %s, want %s", test.status, test.info, got, test.want)
		}
	}
}
