package main

import (
	"strings"
	"sync"
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
	server.Inject(lobstrtest.Drip(2, 5*time.Millisecond), lobstrtest.When{})
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

// TestReadersWhileOneWrites: any number of processes read while one writes, from
// before there is a store; none ever fails, and none sees half a page.
func TestReadersWhileOneWrites(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	ids := addCrowd(world, 30)
	server := serve(t, world)
	server.SetPageLimits(10, 10)
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	reading := [][]string{
		{"accounts", "--json"},
		{"changes", "--json"},
		{"runs", "--format", "ndjson"},
		{"sql", "--json", "SELECT run, count(*) % 10 AS torn FROM snapshots GROUP BY run HAVING torn <> 0"},
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for _, args := range reading {
		readers.Go(func() { readOn(t, h, args, stop) })
	}
	for begun, round := time.Now(), 0; time.Since(begun) < 3*time.Second; round++ {
		h.must(exitDone, "snapshot")
		happen(world, lobstrtest.Expire(ids[round%len(ids)]), lobstrtest.Resync(ids[(round+7)%len(ids)]))
	}
	close(stop)
	readers.Wait()
}

// readOn runs a command again and again. Until the store is made it may say that
// there is none; after that it must succeed.
func readOn(t *testing.T, h *home, args []string, stop <-chan struct{}) {
	t.Helper()
	made, reads := false, 0
	for {
		select {
		case <-stop:
			if reads < 3 {
				t.Errorf("%q ran %d times only", args, reads)
			}
			return
		default:
		}
		o := h.run(args...)
		reads++
		switch {
		case !made && notMadeYet(o):
		case o.code != exitDone:
			t.Errorf("%q beside a writer: %s", args, o)
			return
		default:
			made = true
		}
		if made && args[0] == "sql" && strings.TrimSpace(o.stdout) != "[]" {
			t.Errorf("half a page was seen: %s", o)
		}
	}
}
