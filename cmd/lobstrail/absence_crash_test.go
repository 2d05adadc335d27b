package main

import (
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
)

// TestAKilledJobConcludesNothing: a 404 that a job held back when it was killed is neither
// concluded nor lost. The next job asks again, and the account is gone once.
func TestAKilledJobConcludesNothing(t *testing.T) { onEngines(t, killWhileA404IsHeldBack) }

func killWhileA404IsHeldBack(t *testing.T, engine testEngine) {
	world := nowWorld()
	ids := addCrowd(world, 6)
	server := serve(t, world)
	h := newHomeOn(t, engine).asks(server, lobstrtest.DefaultToken)
	h.must(exitDone, "snapshot")
	happen(world, lobstrtest.Delete(ids[0]))
	server.Inject(lobstrtest.FaultNamed("hang"), lobstrtest.When{Account: ids[2]})
	server.ResetRequests()

	job := h.command("snapshot", ids[0], ids[1], ids[2], "--concurrency", "1")
	if err := job.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); server.Count(lobstrtest.Detail) < 3 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	job.Process.Kill()
	if err := job.Wait(); err == nil || server.Count(lobstrtest.Detail) != 3 {
		t.Fatalf("the job was not killed at its third account: %v, %d requests", err, server.Count(lobstrtest.Detail))
	}
	server.ClearFaults()

	var gone []report.ChangeJSON
	h.read(&gone, "changes", "--kind", "gone")
	if len(gone) != 0 {
		t.Errorf("a killed job concluded %+v", gone)
	}
	for range 2 {
		h.must(exitDone, "snapshot")
		h.read(&gone, "changes", "--kind", "gone")
		if len(gone) != 1 || gone[0].Account != ids[0] {
			t.Errorf("gone: %+v", gone)
		}
	}
	h.must(exitDone, "verify")
}
