package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

const (
	crashAccounts = 60
	crashPage     = 10
)

// crashSite is a workspace of several pages that answers slowly, and two homes:
// one whose batches are disturbed, and one whose batches are not.
type crashSite struct {
	world             *lobstrtest.World
	ids               []string
	server            *lobstrtest.Server
	disturbed, steady *home
}

func newCrashSite(t *testing.T) *crashSite {
	t.Helper()
	s := &crashSite{world: nowWorld()}
	s.ids = addCrowd(s.world, crashAccounts)
	s.server = serve(t, s.world)
	s.server.SetPageLimits(crashPage, crashPage)
	s.server.Inject(lobstrtest.Drip(3, 7*time.Millisecond), lobstrtest.When{})
	s.disturbed = newHome(t).asks(s.server, lobstrtest.DefaultToken)
	s.steady = newHome(t).asks(s.server, lobstrtest.DefaultToken)
	return s
}

// happens lets a round of things happen, other ones each time.
func (s *crashSite) happens(round int) {
	pick := func(i int) string { return s.ids[(round*13+i*7)%len(s.ids)] }
	happen(s.world, lobstrtest.Expire(pick(0)), lobstrtest.Resync(pick(1)),
		lobstrtest.SetLimit(pick(2), "searches", 50+round), lobstrtest.Assign(fmt.Sprintf("New %d", round%3), pick(3)),
		lobstrtest.Unassign(fmt.Sprintf("Squid %d", round%7), pick(4)), lobstrtest.Delete(s.ids[(round*5)%len(s.ids)]))
}

// TestKillMinusNine kills batches at random instants. After each the store opens,
// holds whole pages only, and a batch that is left alone completes it; in the end
// it tells the same history as a store whose batches were never disturbed.
func TestKillMinusNine(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t)
	s.steady.must(exitDone, "snapshot")
	s.disturbed.must(exitDone, "snapshot")
	rng := rand.New(rand.NewPCG(1, uint64(os.Getpid())))
	kills := 8
	if *long {
		kills = 60
	}
	for kill := range kills {
		if kill%2 == 0 { // every other batch finds nothing new
			s.happens(kill)
			s.steady.must(exitDone, "snapshot")
		}
		s.kill(t, time.Duration(rng.IntN(330))*time.Millisecond)
		s.inspect(t)
		s.disturbed.must(exitDone, "snapshot")
	}
	if diff := cmp.Diff(historyOf(s.steady), historyOf(s.disturbed)); diff != "" {
		t.Errorf("the disturbed store tells another history (-steady +disturbed):\n%s", diff)
	}
}

func (s *crashSite) kill(t *testing.T, after time.Duration) {
	t.Helper()
	cmd := s.disturbed.command("snapshot")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	cmd.Process.Kill() // it may have ended by itself
	cmd.Wait()         // killed, or done
}

// inspect checks a store whose writer may just have been killed.
func (s *crashSite) inspect(t *testing.T) {
	t.Helper()
	var runs []report.RunJSON
	s.disturbed.read(&runs, "runs")
	snapshots := s.disturbed.countByRun()
	for _, run := range runs {
		if run.State != store.Interrupted && run.State != store.Complete {
			t.Errorf("run %d is %s, and nobody runs it", run.Run, run.State)
		}
		// Those that are gone have a snapshot too: one that says so.
		if got := snapshots[run.Run]; got != run.Captured+run.Gone {
			t.Errorf("run %d counts %d captured and %d gone, and has %d snapshots", run.Run, run.Captured, run.Gone, got)
		}
		if run.State == store.Interrupted && run.Captured%crashPage != 0 && run.Captured < run.Requested {
			t.Errorf("run %d of pages of %d has captured %d", run.Run, crashPage, run.Captured)
		}
	}
	var check []struct {
		Answer string `json:"integrity_check"`
	}
	s.disturbed.read(&check, "sql", "PRAGMA integrity_check")
	if len(check) != 1 || check[0].Answer != "ok" {
		t.Errorf("after a kill: %v", check)
	}
}

// TestKilledWhileTheStoreIsMade kills the first batch of a store that is not there
// yet, mostly within the few milliseconds in which it comes to be. The next batch
// makes a store that everybody can read.
func TestKilledWhileTheStoreIsMade(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 5)
	server := serve(t, world)
	rng := rand.New(rand.NewPCG(2, uint64(os.Getpid())))
	kills := 30
	if *long {
		kills = 400
	}
	for kill := range kills {
		h := newHome(t).asks(server, lobstrtest.DefaultToken)
		cmd := h.command("snapshot")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for begun := time.Now(); time.Since(begun) < time.Second; {
			if _, err := os.Stat(h.db); err == nil {
				break
			}
		}
		time.Sleep(time.Duration(rng.IntN(6000*(1+kill%4/3*9))) * time.Microsecond)
		cmd.Process.Kill() // it may have ended by itself
		cmd.Wait()         // killed, or done
		if o := h.run("accounts"); o.code != exitDone && !notMadeYet(o) {
			t.Fatalf("after a kill: %s", o)
		}
		h.must(exitDone, "snapshot")
		var accounts []report.AccountJSON
		if h.read(&accounts, "accounts"); len(accounts) != 5 {
			t.Fatalf("%d accounts, want 5", len(accounts))
		}
	}
}

// notMadeYet reports whether a command met a store that its first writer has not
// made yet, or never will.
func notMadeYet(o outcome) bool { return o.code == exitNoStore }

func (h *home) countByRun() map[int64]int {
	h.t.Helper()
	var rows []struct {
		Run int64 `json:"run"`
		N   int   `json:"n"`
	}
	h.read(&rows, "sql", "SELECT run, count(*) AS n FROM snapshots GROUP BY run")
	counts := map[int64]int{}
	for _, row := range rows {
		counts[row.Run] = row.N
	}
	return counts
}

// historyOf is what a store tells, but for the numbers of runs and the instants,
// which differ from one batch to the other.
func historyOf(h *home) (lines []string) {
	h.t.Helper()
	var changes []report.ChangeJSON
	h.read(&changes, "changes")
	for _, c := range changes {
		lines = append(lines, fmt.Sprintf("%s %s %s %s -> %s", c.Username, c.Kind, c.Path, c.Old, c.New))
	}
	var accounts []report.AccountJSON
	h.read(&accounts, "accounts", "--all")
	for _, a := range accounts {
		lines = append(lines, fmt.Sprintf("%s is %s %s, %d squids", a.Username, a.Health, a.Status, len(a.Squids)))
	}
	// The changes of one run come in the order in which they were noticed: by page.
	slices.Sort(lines)
	return lines
}

// TestTheInterruptedRunKeepsWhatItStored sends SIGINT while pages are on their way.
func TestTheInterruptedRunKeepsWhatItStored(t *testing.T) {
	t.Parallel()
	s := newCrashSite(t)
	s.disturbed.must(exitDone, "snapshot")
	for round := range 3 {
		s.server.ResetRequests()
		cmd := s.disturbed.command("snapshot", "--json")
		end := begin(t, cmd)
		for s.server.Count(lobstrtest.List) < 1+round {
			time.Sleep(time.Millisecond)
		}
		cmd.Process.Signal(os.Interrupt) // it may have ended by itself
		o := end()
		var run report.RunJSON
		switch {
		case o.code == exitDone:
			continue // it was faster
		case o.code != exitInterrupted:
			t.Fatalf("want exit 130: %s", o)
		case !strings.Contains(o.stderr, "what was stored before stays"):
			t.Errorf("no word of what stays: %s", o)
		}
		s.disturbed.read(&run, "runs", fmt.Sprint(round+2))
		if run.State != store.Interrupted || run.FinishedAt.IsZero() {
			t.Errorf("run %d is %s, finished at %v", run.Run, run.State, run.FinishedAt)
		}
		if got := s.disturbed.countByRun()[run.Run]; got != run.Captured || got%crashPage != 0 {
			t.Errorf("run %d captured %d and has %d snapshots", run.Run, run.Captured, got)
		}
	}
	s.disturbed.must(exitDone, "snapshot")
}
