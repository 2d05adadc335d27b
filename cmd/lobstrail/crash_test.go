package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

const (
	crashAccounts = 60
	crashPage     = 10
)

// crashSite is a workspace of several pages, and a home of which batches are
// disturbed.
type crashSite struct {
	world     *lobstrtest.World
	ids       []string
	server    *lobstrtest.Server
	disturbed *home
}

func newCrashSite(t *testing.T) *crashSite {
	t.Helper()
	return newCrashSiteOn(t, testEngines[0])
}

func newCrashSiteOn(t *testing.T, engine testEngine) *crashSite {
	t.Helper()
	s := &crashSite{world: nowWorld()}
	s.ids = addCrowd(s.world, crashAccounts)
	s.server = serve(t, s.world)
	s.server.SetPageLimits(crashPage, crashPage)
	s.disturbed = newHomeOn(t, engine).asks(s.server, lobstrtest.DefaultToken)
	return s
}

// answersSlowly makes kills and signals fall between pages.
func (s *crashSite) answersSlowly() {
	s.server.Inject(lobstrtest.Fault{Name: "slow", Do: lobstrtest.Drips(3, 7*time.Millisecond)}, lobstrtest.When{})
}

// TestKilledWhileTheStoreIsMade kills the first batch of a store that is not there
// yet, mostly within the few milliseconds in which it comes to be. The next batch
// makes a store that everybody can read.
func TestKilledWhileTheStoreIsMade(t *testing.T) { onEngines(t, killWhileTheStoreIsMade) }

func killWhileTheStoreIsMade(t *testing.T, engine testEngine) {
	world := nowWorld()
	addCrowd(world, 5)
	server := serve(t, world)
	rng := rand.New(rand.NewPCG(2, uint64(os.Getpid())))
	kills := 15
	switch {
	case *long:
		kills = 400
	case testing.Short():
		kills = 4
	}
	if engine.name == "postgres" { // where a killed migration locks the tables for half a minute
		kills = fewer(3, 1)
	}
	for kill := range kills {
		h := newHomeOn(t, engine).asks(server, lobstrtest.DefaultToken)
		cmd := h.command("snapshot")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for begun := time.Now(); time.Since(begun) < time.Second; {
			if made, err := engine.exists(h.db); err == nil && made {
				break
			}
		}
		time.Sleep(time.Duration(rng.IntN(6000*(1+kill%4/3*9))) * time.Microsecond)
		cmd.Process.Kill() // it may have ended by itself
		cmd.Wait()         // killed, or done
		if o := h.run("accounts"); o.code != exitDone && !h.notMadeYet(o) {
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
// made yet, or never will. In a database, each migration is a transaction of its own.
func (h *home) notMadeYet(o outcome) bool {
	halfway := h.engine.name == "postgres" && o.code == exitFailed && strings.Contains(o.stderr, "store is older than this")
	return o.code == exitNoStore || halfway
}

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

// TestTheInterruptedRunKeepsWhatItStored sends SIGINT while pages are on their way.
func TestTheInterruptedRunKeepsWhatItStored(t *testing.T) { onEngines(t, interruptRuns) }

func interruptRuns(t *testing.T, engine testEngine) {
	s := newCrashSiteOn(t, engine)
	s.answersSlowly()
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
