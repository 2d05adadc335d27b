package engines_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/storetest/engines"
)

// job is what a second process is to do: it stores scripted runs, one after the other, and
// gives the workspace back after some of them, until its standard input ends.
type job struct {
	URL    string
	Host   string        // the name of its machine, where it has one of its own
	Offset time.Duration // of its clock
	Steps  int           // of each run

	// Pages, unless it is 0, asks for something else: see measure.
	Pages     int
	Workspace string
}

// news is what a second process says, one line of JSON each.
type news struct {
	Host   string
	PID    int
	Run    int64              // that it stores
	Turn   int                // 1: it is the first one since it got the workspace
	Step   int                // that is stored; 0: the run has begun
	Ended  bool               // the run is
	Fenced *store.FencedError // why it ends
	Err    string             // why else
	heard  time.Time          // when this process got it
}

// theLease is that of the workspaces of second processes.
const theLease = time.Second

// jobVariable is set in the environment of second processes.
const jobVariable = "LOBSTRAIL_TEST_JOB"

func TestMain(m *testing.M) {
	text := os.Getenv(jobVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var j job
	err := json.Unmarshal([]byte(text), &j)
	switch {
	case err == nil && j.Pages > 0:
		err = j.measure(context.Background())
	case err == nil:
		err = j.work()
	}
	last := news{}
	if fenced, ok := errors.AsType[*store.FencedError](err); ok {
		last.Fenced = fenced
	} else if err != nil {
		last.Err = err.Error()
	}
	say(last)
}

func say(n news) {
	n.Host, _ = os.Hostname()
	n.PID = os.Getpid()
	line, _ := json.Marshal(n)
	fmt.Println(string(line))
}

func (j job) work() error {
	if err := rename(j.Host); err != nil {
		return err
	}
	var stop atomic.Bool
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop.Store(true)
	}()
	for !stop.Load() {
		if err := j.turn(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

// turn has the workspace for three runs.
func (j job) turn(ctx context.Context) (err error) {
	now := func() time.Time { return time.Now().Add(j.Offset).Truncate(time.Millisecond) }
	s, err := onServer.OpenWriter(ctx, j.URL, engines.Options{Now: now, Rules: report.Rules(), LockWait: time.Minute, Marks: marks(os.Getpid())})
	if err != nil {
		return err
	}
	defer func() {
		if closing := s.Close(); err == nil {
			err = closing
		}
	}()
	for i := range 3 {
		run, err := s.Begin(ctx, acme, store.ScopeAll)
		if err != nil {
			return err
		}
		say(news{Run: run.ID()})
		for step := 1; step <= j.Steps; step++ {
			if _, err := run.Append(ctx, answer(run.ID(), step, j.Steps, now(), time.Now().Truncate(time.Second))); err != nil {
				return err
			}
			say(news{Run: run.ID(), Turn: i + 1, Step: step})
		}
		if err := run.Finish(ctx, outcome(run.ID(), j.Steps)); err != nil {
			return err
		}
		say(news{Run: run.ID(), Ended: true})
	}
	return nil
}

// measure stores ten pages of a hundred accounts, says so, and waits for a line of its
// standard input. Then it stores them again and again, says when it is done, and waits for
// another line.
func (j job) measure(ctx context.Context) error {
	s, err := onServer.OpenWriter(ctx, j.URL, engines.Options{Rules: report.Rules()})
	if err != nil {
		return err
	}
	input := bufio.NewReader(os.Stdin)
	for _, pages := range []int{10, j.Pages} {
		run, err := s.Begin(ctx, j.Workspace, store.ScopeAll)
		if err != nil {
			return err
		}
		for page := range pages {
			r := store.Response{Source: store.List, Page: page%10 + 1, Sent: time.Now(), Received: time.Now()}
			for n := range 100 {
				r.Accounts = append(r.Accounts, account(1, 1, 10*(page%10), n))
			}
			if page%10 == 0 && page > 0 { // each account once in a run
				if run, err = s.Begin(ctx, j.Workspace, store.ScopeAll); err != nil {
					return err
				}
			}
			if _, err := run.Append(ctx, r); err != nil {
				return err
			}
		}
		say(news{Step: pages})
		input.ReadString('\n') // or the end of it
	}
	return s.Close()
}

// worker is a second process.
type worker struct {
	*exec.Cmd
	stdin io.WriteCloser
	news  chan news // closed when it has ended
}

// start starts a second process, on a machine of its own if it has a name for that and the
// system lets this process make one.
func (j job) start(t testing.TB) *worker {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{Cmd: exec.Command(os.Args[0], "-test.run=^$"), news: make(chan news, 1<<16)}
	w.Env = append(os.Environ(), jobVariable+"="+string(text))
	w.Stderr = os.Stderr
	in, err := w.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	w.stdin = in
	out, err := w.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if j.Host != "" {
		apart(w.Cmd)
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Process.Kill() })
	go func() {
		defer close(w.news)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var n news
			if err := json.Unmarshal(lines.Bytes(), &n); err != nil {
				n.Err = lines.Text()
			}
			n.heard = time.Now()
			w.news <- n
		}
	}()
	return w
}

// next is the next of its news that fits, or the last one before it ended. It waits for a
// minute.
func (w *worker) next(heard func(news), fits func(news) bool) (last news) {
	late := time.After(time.Minute)
	for {
		select {
		case n, ok := <-w.news:
			if !ok {
				return last
			}
			heard(n)
			if last = n; fits(n) {
				return n
			}
		case <-late:
			return news{Err: fmt.Sprintf("nothing that fits, the last was %+v", last)}
		}
	}
}

// kill ends it in whatever it does, and hears what it has said until then.
func (w *worker) kill(heard func(news)) {
	w.Process.Kill()
	w.next(heard, func(news) bool { return false })
	w.Wait()
}
