package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
)

// crush is many processes at one store for a while.
type crush struct {
	home             *home
	writers, readers int
	span             time.Duration
	reads            atomic.Int64
}

// effort is what became of one writer that runs batch after batch.
type effort struct {
	batches int
	longest time.Duration // of a batch with its wait
}

func (e effort) String() string {
	return fmt.Sprintf("%d batches, the longest took %s", e.batches, e.longest.Round(time.Millisecond))
}

// TestContention lets eight writers and sixteen readers at one store for a minute
// (fewer for seconds, unless in the long mode), from before there is one. No reader
// fails or sees half a page; no writer fails; each waits for a bounded time, and
// comes to its turn about as often as the others.
func TestContention(t *testing.T) { onEngines(t, contend) }

func contend(t *testing.T, engine testEngine) {
	world := nowWorld()
	ids := addCrowd(world, 30)
	server := serve(t, world)
	server.SetPageLimits(10, 10)
	c := &crush{home: newHomeOn(t, engine).asks(server, lobstrtest.DefaultToken), writers: 4, readers: 6, span: 3 * time.Second}
	switch {
	case *long:
		c.writers, c.readers, c.span = 8, 16, time.Minute
	case testing.Short():
		c.writers, c.readers, c.span = 3, 4, 2*time.Second
	}
	efforts := c.run(t, func(round int) {
		happen(world, lobstrtest.Expire(ids[round%len(ids)]), lobstrtest.Resync(ids[(round+7)%len(ids)]))
	})
	total := 0
	for _, e := range efforts {
		total += e.batches
		t.Log(e)
	}
	t.Logf("%d reads", c.reads.Load())
	c.checkRuns(t, total)
	if fewest, most := slices.MinFunc(efforts, byBatches), slices.MaxFunc(efforts, byBatches); *long && most.batches > 3*fewest.batches {
		t.Errorf("one writer wrote %d batches and another %d", most.batches, fewest.batches)
	}
}

func byBatches(a, b effort) int { return a.batches - b.batches }

// run lets all of them go on for the span. between is called now and then.
func (c *crush) run(t *testing.T, between func(round int)) []effort {
	t.Helper()
	reading := [][]string{
		{"accounts", "--json"},
		{"changes", "--json"},
		{"runs", "--format", "ndjson"},
		{"sql", "--json", "SELECT run, count(*) % 10 AS torn FROM snapshots GROUP BY run HAVING count(*) % 10 <> 0"},
	}
	stop, efforts := make(chan struct{}), make([]effort, c.writers)
	var all sync.WaitGroup
	for i := range c.readers {
		all.Go(func() { c.read(t, reading[i%len(reading)], stop) })
	}
	for i := range c.writers {
		all.Go(func() { efforts[i] = c.write(t, stop) })
	}
	for begun, round := time.Now(), 0; time.Since(begun) < c.span; round++ {
		between(round)
		time.Sleep(50 * time.Millisecond)
	}
	close(stop)
	all.Wait()
	return efforts
}

// write runs batch after batch, at least one. Each waits for the others for as
// long as a batch may take at most, here: a wait that is not bounded ends as busy.
func (c *crush) write(t *testing.T, stop <-chan struct{}) (e effort) {
	t.Helper()
	for {
		begun := time.Now()
		o := c.home.run("snapshot", "--json", "--lock-wait", "60s")
		if e.batches++; o.code != exitDone {
			t.Errorf("a writer among writers: %s", o)
			return e
		}
		e.longest = max(e.longest, time.Since(begun))
		select {
		case <-stop:
			return e
		default:
		}
	}
}

// read runs a command again and again. Until the store is made it may say that
// there is none; after that it must succeed.
func (c *crush) read(t *testing.T, args []string, stop <-chan struct{}) {
	t.Helper()
	for made := false; ; {
		o := c.home.run(args...)
		c.reads.Add(1)
		switch {
		case !made && c.home.notMadeYet(o):
		case o.code != exitDone:
			t.Errorf("%q beside a writer: %s", args, o)
			return
		default:
			made = true
		}
		if made && args[0] == "sql" && strings.TrimSpace(o.stdout) != "[]" {
			t.Errorf("half a page was seen: %s", o)
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}

// checkRuns: every batch is there, whole, and everything was first seen once.
func (c *crush) checkRuns(t *testing.T, batches int) {
	t.Helper()
	c.home.must(exitDone, "verify")
	var runs []report.RunJSON
	c.home.read(&runs, "runs")
	for _, run := range runs {
		if !run.Complete || run.Captured != 30 {
			t.Errorf("run %d is %s and captured %d", run.Run, run.State, run.Captured)
		}
	}
	if len(runs) != batches {
		t.Errorf("%d runs of %d batches", len(runs), batches)
	}
	var appeared []report.ChangeJSON
	if c.home.read(&appeared, "changes", "--kind", "appeared"); len(appeared) != 30 {
		t.Errorf("30 accounts were first seen %d times", len(appeared))
	}
}
