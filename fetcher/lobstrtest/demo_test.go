package lobstrtest_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
)

func TestDemoTellsItsStory(t *testing.T) {
	d := lobstrtest.Demo()
	count := map[string]int{}
	for _, truth := range oracle.Between(d.World, "", d.Start, d.End) {
		count[truth.Kind]++
	}
	want := map[string]int{
		"status": 27, "synced": 4, "locked": 4, "unlocked": 4, "field": 1, "limit": 2, "squid_assigned": 4,
		"squid_unassigned": 2, "squid_renamed": 2, "username": 1, "appeared": 1, "gone": 1,
	}
	if !reflect.DeepEqual(count, want) {
		t.Errorf("%v", count)
	}
	if a, b := d.World.Script(), lobstrtest.Demo().World.Script(); !slices.Equal(a, b) || len(a) != 26 {
		t.Errorf("%d events:\n%s", len(a), strings.Join(a, "\n"))
	}
	if n := d.End.Sub(d.Start)/d.Every + 1; n != 169 {
		t.Errorf("%d snapshots", n)
	}
}

func TestDemoIsSeenWholeByItsSnapshots(t *testing.T) {
	d := lobstrtest.Demo()
	seen, moved := 0, 0
	for at := d.Start; at.Before(d.End); at = at.Add(d.Every) {
		for _, id := range d.World.Accounts(d.End) {
			seen += len(oracle.Net(d.World, id, at, at.Add(d.Every)))
			before, _ := d.World.StateAt(id, lobstrtest.DetailView, at)
			after, _ := d.World.StateAt(id, lobstrtest.DetailView, at.Add(d.Every))
			if string(before) != string(after) {
				moved++
			}
		}
	}
	if seen < 45 {
		t.Errorf("only %d changes are seen", seen)
	}
	if moved < 1500 {
		t.Errorf("counters moved only %d times", moved)
	}
}

func TestIconsAreLargeAndTheSameEachTime(t *testing.T) {
	a := lobstrtest.NewIcon(9)
	if a != lobstrtest.NewIcon(9) || a == lobstrtest.NewIcon(10) || len(a) < 4<<10 || len(a) > 8<<10 {
		t.Errorf("%d characters", len(a))
	}
}

func BenchmarkPage(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := oracle.RandomWorld(1, oracle.RandomOptions{Accounts: n, Events: n, Load: 0.5})
			s, err := lobstrtest.Listen(w)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			c := &benchClient{b, s}
			w.Clock().Advance(100 * time.Hour)
			c.page(1)
			for i := 0; b.Loop(); i++ {
				c.page(i%(n/100) + 1)
			}
		})
	}
}
