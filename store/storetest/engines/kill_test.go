//go:build unix

package engines_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres"
	"github.com/lobstrail/lobstrail/store/storetest/engines"
)

// TestTwoMachines: two processes write to one workspace in turns, each on a machine of its
// own, one with a clock that is an hour behind. They are killed at any moment, and stopped
// for longer than their lease while they have it. In the end all that was reported as stored
// is there, once, nothing is there twice, no run has anything of another between what is its
// own, and the log is the one that the same answers make in a file, root for root.
func TestTwoMachines(t *testing.T) {
	kills, stops := 6, 1
	switch {
	case *long:
		kills, stops = 300, 40
	case testing.Short():
		kills, stops = 3, 1
	}
	place := onServer.Place(t, report.Rules())
	c := &chaos{t: t, heard: map[int64]int{}, ended: map[int64]bool{}}
	url := withLease(t, place)
	c.jobs = [2]job{{URL: url, Host: "near-1", Steps: 8}, {URL: url, Host: "far-2", Offset: -time.Hour, Steps: 8}}
	for i := range c.workers {
		c.workers[i] = c.jobs[i].start(t)
	}
	for n := range kills + stops {
		if n%(kills/stops+1) == kills/stops {
			c.stop()
		} else {
			c.kill()
		}
		if t.Failed() {
			return
		}
	}
	c.finish()
	// A machine that is very busy can stop a process for a second.
	if c.fenced > c.stopped+2 {
		t.Errorf("%d processes were stopped, and %d were fenced", c.stopped, c.fenced)
	}
	compare(t, place, c)
}

// chaos is what happens to the two processes, and what they reported.
type chaos struct {
	t       *testing.T
	jobs    [2]job
	workers [2]*worker
	heard   map[int64]int // by run: the last step that was reported as stored
	ended   map[int64]bool
	fenced  int // processes that another one replaced
	stopped int // those that were stopped for that
}

func (c *chaos) hear(n news) {
	switch {
	case n.Err != "":
		c.t.Errorf("process %d on %s: %s", n.PID, n.Host, n.Err)
	case n.Fenced != nil:
		c.fenced++
	case n.Ended:
		c.ended[n.Run] = true
	case n.Run > 0:
		c.heard[n.Run] = n.Step
	}
}

// drain hears what was said so far.
func (c *chaos) drain() {
	for _, w := range c.workers {
		for len(w.news) > 0 {
			if n, ok := <-w.news; ok {
				c.hear(n)
			}
		}
	}
}

// kill lets both work for a moment, and kills one, more often than not the one that
// stores; a new process takes its place.
func (c *chaos) kill() {
	c.drain()
	victim := rand.N(2)
	if rand.N(4) > 0 {
		victim = c.writer(func(n news) bool { return n.Run > 0 })
	}
	time.Sleep(time.Duration(rand.N(30000)) * time.Microsecond)
	c.workers[victim].kill(c.hear)
	if rand.N(3) > 0 { // the machine stays as it is, but for the process
		c.jobs[victim].Host = []string{"near-1", "far-2", ""}[rand.N(3)]
	}
	c.workers[victim] = c.jobs[victim].start(c.t)
}

// stop stops the process that stores, for as long as it takes the other one to take over,
// and some more. It must then say who has, and end.
func (c *chaos) stop() {
	c.drain()
	victim := c.writer(func(n news) bool { return n.Turn == 1 && (n.Step == 1 || n.Step == 2) }) // it has much more to store
	paused, other := c.workers[victim], c.workers[1-victim]
	time.Sleep(time.Duration(rand.N(10000)) * time.Microsecond)
	if err := paused.Process.Signal(syscall.SIGSTOP); err != nil {
		c.t.Fatal(err)
	}
	begun := time.Now()
	c.stopped++
	next := other.next(c.hear, func(n news) bool { return n.Step > 0 && n.heard.Sub(begun) > theLease/2 })
	if took := time.Since(begun); took > 20*theLease {
		c.t.Errorf("it took %v to take over", took)
	}
	if err := paused.Process.Signal(syscall.SIGCONT); err != nil {
		c.t.Fatal(err)
	}
	last := paused.next(c.hear, func(n news) bool { return n.Fenced != nil })
	paused.kill(c.hear)
	if f := last.Fenced; f == nil {
		c.t.Errorf("the process that was stopped ended with %+v", last)
	} else if f.PID != 0 && (f.Host != next.Host || f.PID != next.PID || f.Since.Before(begun.Add(-time.Second)) || f.Since.After(time.Now().Add(time.Second))) {
		c.t.Errorf("process %d on %s took over, and the process that was stopped says: %v", next.PID, next.Host, f)
	}
	c.workers[victim] = c.jobs[victim].start(c.t)
}

// writer is the process that says next what fits. One that was fenced gets a successor.
func (c *chaos) writer(fits func(news) bool) int {
	for begun := time.Now(); time.Since(begun) < time.Minute; {
		for i, w := range c.workers {
			select {
			case n, ok := <-w.news:
				if !ok {
					w.Wait()
					c.workers[i] = c.jobs[i].start(c.t)
				} else if c.hear(n); fits(n) {
					return i
				}
			case <-time.After(time.Millisecond):
			}
		}
	}
	c.t.Fatal("nobody stores anything")
	return 0
}

// finish lets both end by themselves.
func (c *chaos) finish() {
	for _, w := range c.workers {
		w.stdin.Close()
	}
	for _, w := range c.workers {
		w.next(c.hear, func(news) bool { return false })
		if err := w.Wait(); err != nil {
			c.t.Error(err)
		}
	}
}

// compare checks what is stored against what was reported, and against a file that gets
// the same answers at the same instants from one process that nothing disturbs.
func compare(t *testing.T, place string, c *chaos) {
	t.Helper()
	// A writer that comes later marks the last run, if its process was killed.
	s := onServer.Writer(t, place, engines.Options{Rules: report.Rules(), LockWait: 10 * time.Second})
	if err := s.(*postgres.Store).Settle(t.Context(), []string{acme}); err != nil {
		t.Fatal(err)
	}
	runs := storedRuns(t, place)
	steps := 0
	for _, r := range runs {
		r.check(t, c)
		steps += len(r.steps)
	}
	for run := range c.heard {
		if int(run) > len(runs) {
			t.Errorf("run %d was reported, and is not stored", run)
		}
	}
	got, want := sound(t, onServer, place), replay(t, runs, c.jobs[0].Steps)
	if got != want {
		t.Errorf("the log has %d entries and root %v; the same answers make %d and %v in a file", got.N, got.Hash, want.N, want.Hash)
	}
	t.Logf("%d runs, %d of them ended, with %d steps; %d entries", len(runs), len(c.ended), steps, got.N)
}

// check compares a run with what was reported of it. A step, or the end of a run, that was
// not reported is stored or is not.
func (r storedRun) check(t *testing.T, c *chaos) {
	t.Helper()
	if n := len(r.steps); n != c.heard[r.id] && n != c.heard[r.id]+1 {
		t.Errorf("%d steps of run %d are stored, %d were reported", n, r.id, c.heard[r.id])
	}
	if ended := r.state != store.Interrupted; c.ended[r.id] && !ended || ended && len(r.steps) != c.jobs[0].Steps || r.state == store.Running {
		t.Errorf("run %d is %s after %d steps; its end was reported: %v", r.id, r.state, len(r.steps), c.ended[r.id])
	}
	for i, s := range r.steps {
		want := fmt.Sprintf(`"%d-%d"`, r.id, i+1)
		if i+1 == c.jobs[0].Steps && r.id%3 == 2 { // where the account is gone
			want = ""
		}
		if s.note.String != want {
			t.Errorf("step %d of run %d shows %s, want %s", i+1, r.id, s.note.String, want)
		}
	}
}
