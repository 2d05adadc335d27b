package oracle_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
)

// randomWorld draws a small world in which much happens.
func randomWorld(t *rapid.T) *lobstrtest.World {
	return oracle.RandomWorld(rapid.Uint64().Draw(t, "seed"), oracle.RandomOptions{
		Accounts: 2, Squids: 3, Events: 60, Start: start, Span: 72 * time.Hour, Load: 0.5,
		LockForm: lobstrtest.LockForm(rapid.IntRange(0, 1).Draw(t, "form")),
	})
}

var (
	start = time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	end   = start.Add(96 * time.Hour)
)

func accountsOf(t *rapid.T, w *lobstrtest.World) (ids []string) {
	last := start
	for _, truth := range oracle.Between(w, "", time.Time{}, end) {
		if truth.At.Before(last) {
			t.Fatalf("%v comes after one at %s", truth, last)
		}
		last = truth.At
		if !slices.Contains(ids, truth.Account) {
			ids = append(ids, truth.Account)
		}
	}
	return ids
}

func TestTruthsAreTheStepsOfTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := randomWorld(t)
		for _, id := range accountsOf(t, w) {
			last := start
			truths := oracle.Between(w, id, time.Time{}, end)
			for i := 0; i < len(truths); {
				at, n := truths[i].At, i
				for n < len(truths) && truths[n].At.Equal(at) {
					n++
				}
				if net := oracle.Net(w, id, last, at.Add(-1)); len(net) > 0 {
					t.Fatalf("%s: no truths between %s and %s, but %v", id, last, at, net)
				}
				if net := oracle.Net(w, id, at.Add(-1), at); !reflect.DeepEqual(net, truths[i:n]) {
					t.Fatalf("%s at %s:\n%v\nwant\n%v", id, at, net, truths[i:n])
				}
				last, i = at, n
			}
		}
	})
}

// plain is the object without what moves by itself, in one order.
func plain(t *rapid.T, w *lobstrtest.World, id string, at time.Time) string {
	raw, ok := w.StateAt(id, lobstrtest.ListView, at)
	if !ok {
		return "absent"
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	delete(object, "resets_in")
	user, _ := object["params"].(map[string]any)["user"].(map[string]any)
	for _, limit := range user {
		for _, counter := range []string{"value", "current", "timestamp", "last_batch_at"} {
			delete(limit.(map[string]any), counter)
		}
	}
	for _, name := range []string{"squids", "cookies"} {
		slices.SortFunc(object[name].([]any), func(a, b any) int {
			return strings.Compare(text(a), text(b))
		})
	}
	return text(object)
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

var overLock = regexp.MustCompile(`"lock_time":[^,]*`)

func TestStatesDifferOnlyWhereTruthsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := randomWorld(t)
		steps := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "steps"), 0))
		for _, id := range accountsOf(t, w) {
			at, before := start, plain(t, w, id, start)
			for at.Before(end) {
				next := at.Add(1 + time.Duration(steps.Int64N(int64(6*time.Hour))))
				after := plain(t, w, id, next)
				truths, net := oracle.Between(w, id, at, next), oracle.Net(w, id, at, next)
				if len(truths) == 0 && overLock.ReplaceAllString(before, "") != overLock.ReplaceAllString(after, "") {
					t.Fatalf("no truths, but\n%s\n%s", before, after)
				}
				if before == after && slices.ContainsFunc(net, func(n oracle.Truth) bool { return n.Kind != oracle.Unlocked }) {
					t.Fatalf("no difference, but %v", net)
				}
				for _, n := range net {
					if !n.At.After(at) || n.At.After(next) {
						t.Fatalf("net %v outside of (%s, %s]", n, at, next)
					}
				}
				at, before = next, after
			}
		}
	})
}

func TestStateDoesNotDependOnWhoAskedWhen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		options := oracle.RandomOptions{Accounts: 4, Events: 60, Start: start, Span: 48 * time.Hour, Load: 0.9}
		forward, other := oracle.RandomWorld(seed, options), oracle.RandomWorld(seed, options)
		want := map[time.Time]string{}
		id := forward.Accounts(start)[0]
		for at := start; at.Before(start.Add(50 * time.Hour)); at = at.Add(97 * time.Minute) {
			raw, _ := forward.StateAt(id, lobstrtest.ListView, at)
			want[at] = string(raw)
		}
		for at, state := range want { // in any order
			if raw, _ := other.StateAt(id, lobstrtest.ListView, at); string(raw) != state {
				t.Fatalf("at %s:\n%s\nwant\n%s", at, raw, state)
			}
		}
		if a, b := oracle.Between(forward, "", start, end), oracle.Between(other, "", start, end); !reflect.DeepEqual(a, b) {
			t.Fatalf("truths differ")
		}
		if !reflect.DeepEqual(forward.Script(), other.Script()) {
			t.Fatalf("scripts differ")
		}
	})
}

func TestScriptMayBeWrittenInAnyOrder(t *testing.T) {
	build := func(late bool) *lobstrtest.World {
		w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
		id := w.Add(lobstrtest.Account{Username: "ada"})
		first := func() { w.At(start.Add(time.Hour), lobstrtest.Expire(id)) }
		if !late {
			first()
		}
		w.At(start.Add(2*time.Hour), lobstrtest.Resync(id), lobstrtest.Assign("Leads", id))
		if late {
			oracle.Between(w, "", start, end) // played to the end, but shown to nobody
			first()
		}
		return w
	}
	a, b := oracle.Between(build(false), "", start, end), oracle.Between(build(true), "", start, end)
	if len(a) != 8 || !reflect.DeepEqual(a, b) {
		t.Errorf("%v\n%v", a, b)
	}
}

func TestEventsHappenExactlyAtTheirInstant(t *testing.T) {
	w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
	id := w.Add(lobstrtest.Account{Username: "ada"})
	at, until := start.Add(time.Hour), start.Add(2*time.Hour)
	w.At(at, lobstrtest.Lock(id, until, lobstrtest.LockISO))
	for instant, want := range map[time.Time]string{
		at.Add(-1): "healthy", at: "locked", until.Add(-1): "locked", until: "healthy",
	} {
		if got := w.HealthAt(id, instant); got != want {
			t.Errorf("%s: %s", instant, got)
		}
	}
	raw, _ := w.StateAt(id, lobstrtest.ListView, until.Add(-1500*time.Millisecond))
	if !strings.Contains(string(raw), `"lock_time":"2026-01-05T08:00:00Z","resets_in":2}`) {
		t.Errorf("%s", raw)
	}
	raw, _ = w.StateAt(id, lobstrtest.ListView, until)
	if !strings.Contains(string(raw), `"resets_in":null}`) {
		t.Errorf("%s", raw)
	}
	lock := json.RawMessage(`"2026-01-05T08:00:00Z"`)
	want := []oracle.Truth{
		{At: at, Account: id, Kind: "locked", Path: "/lock_time", Old: json.RawMessage("null"), New: lock},
		{At: until, Account: id, Kind: "unlocked", Path: "/lock_time", Old: lock, New: lock},
	}
	if got := oracle.Between(w, id, start, end); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if got := oracle.Between(w, "", time.Time{}, w.Clock().Now()); len(got) > 0 {
		t.Errorf("nothing has happened yet, but %v", got)
	}
}
