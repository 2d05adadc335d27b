package main

import (
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
)

// TestProcessesThatBeginAtOnce start on a path where nothing is: one makes the
// store, the others wait, all succeed.
func TestProcessesThatBeginAtOnce(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 25)
	server := serve(t, world)
	server.Inject(lobstrtest.Fault{Name: "slow", Do: lobstrtest.Drips(2, 5*time.Millisecond)}, lobstrtest.When{})
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	const writers = 4
	var ends []func() outcome
	for range writers {
		ends = append(ends, begin(t, h.command("snapshot", "--json")))
	}
	created := 0
	for _, end := range ends {
		o := end()
		if o.code != exitDone {
			t.Errorf("a process that began with others: %s", o)
		}
		created += strings.Count(o.stderr, "created the store")
	}
	if created != 1 {
		t.Errorf("%d processes say that they created the store, want 1", created)
	}
	var runs []report.RunJSON
	h.read(&runs, "runs")
	changed := 0
	for _, run := range runs {
		if !run.Complete || run.Captured != 25 {
			t.Errorf("run %+v", run)
		}
		changed += run.Changed
	}
	if len(runs) != writers || changed != 25 {
		t.Errorf("%d runs with %d first sights, want %d and 25", len(runs), changed, writers)
	}
}
