package retain_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/retain"
)

// TestReasons compares random decisions with the definition, taken word for word.
func TestReasons(t *testing.T) {
	met := map[store.KeepReason]int{}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		responses, keep := randomResponses(r), randomKeep(r)
		got := retain.Reasons(responses, keep)
		for i := range responses {
			want := defined(responses, i, keep)
			if met[want]++; got[i] != want {
				t.Fatalf("seed %d, %+v: response %d is kept as %q, want %q", seed, keep, i, got[i], want)
			}
		}
	}
	for _, reason := range append(store.KeepReasons, "") {
		if met[reason] < 20 {
			t.Errorf("%q was met %d times", reason, met[reason])
		}
	}
}

// randomResponses are up to a hundred of three pages, from an hour to a week apart.
func randomResponses(r *rand.Rand) []retain.Response {
	at := time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC)
	pause := []time.Duration{20 * time.Minute, 5 * time.Hour, 30 * time.Hour, 8 * 24 * time.Hour}[r.IntN(4)]
	all := make([]retain.Response, r.IntN(100))
	for i := range all {
		at = at.Add(time.Duration(1 + r.Int64N(int64(pause))))
		all[i] = retain.Response{At: at.UnixMilli(), Slot: r.IntN(3), Shown: 1, News: r.IntN(20) == 0, Window: r.IntN(20) == 0}
	}
	return all
}

// randomKeep is a random policy; one in four keeps nothing by choice.
func randomKeep(r *rand.Rand) store.Keep {
	if r.IntN(4) == 0 {
		return store.Keep{}
	}
	count := func() int { return max(store.Unlimited, r.IntN(12)-4) }
	return store.Keep{
		Within: time.Duration(r.IntN(3)*r.IntN(48)) * time.Hour,
		Hourly: count(), Daily: max(0, count()), Weekly: max(0, count()), Monthly: max(0, count()),
	}
}

func defined(all []retain.Response, i int, keep store.Keep) store.KeepReason {
	later := slices.DeleteFunc(slices.Clone(all[i+1:]), func(o retain.Response) bool { return o.Slot != all[i].Slot })
	switch {
	case all[i].News:
		return store.KeepNews
	case all[i].Window:
		return store.KeepWindow
	case len(later) == 0:
		return store.KeepNewest
	case keep.Within > 0 && all[i].At >= all[len(all)-1].At-keep.Within.Milliseconds():
		return store.KeepWithin
	}
	for _, period := range []struct {
		reason store.KeepReason
		count  int
		name   func(time.Time) string
	}{
		{store.KeepHourly, keep.Hourly, func(at time.Time) string { return at.Format("2006-01-02 15") }},
		{store.KeepDaily, keep.Daily, func(at time.Time) string { return at.Format("2006-01-02") }},
		{store.KeepWeekly, keep.Weekly, func(at time.Time) string { y, w := at.ISOWeek(); return fmt.Sprint(y, w) }},
		{store.KeepMonthly, keep.Monthly, func(at time.Time) string { return at.Format("2006-01") }},
	} {
		name := func(r retain.Response) string { return period.name(time.UnixMilli(r.At).UTC()) }
		names := map[string]bool{}
		for _, o := range later {
			names[name(o)] = true
		}
		if !names[name(all[i])] && (period.count < 0 || len(names) < period.count) {
			return period.reason
		}
	}
	return ""
}
