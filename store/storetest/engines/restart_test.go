package engines_test

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// TestServerRestarts restarts the server, orderly and as after a crash, while a session
// stores page after page: it waits, goes on, and makes the store of an undisturbed session.
func TestServerRestarts(t *testing.T) {
	if testing.Short() {
		t.Skip("starting and restarting a server takes seconds")
	}
	postgrestest.Database(t) // where no server may run, the test is skipped as others are
	dir, url := ownServer(t)
	restarts := 2
	if *long {
		restarts = 30
	}
	var steps atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range restarts {
			for seen := steps.Load(); steps.Load() < seen+3 && t.Context().Err() == nil; { // so that each hits a page of its own
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Duration(rand.N(5000)) * time.Microsecond)
			mode := []string{"immediate", "fast"}[i%2]
			if out, err := exec.Command(script, "restart", dir, mode).CombinedOutput(); err != nil {
				t.Errorf("restart -m %s: %v\n%s", mode, err, out)
				return
			}
		}
	}()
	s := session{engine: onServer, place: url, runs: 3, steps: 20 * restarts}
	atEnd := int64(s.runs) * int64(s.steps)
	s.before = func(int64, int) {
		if steps.Add(1) > atEnd-5 {
			<-done // what is stored after all restarts is stored once, too
		}
	}
	if err := s.play(t.Context()); err != nil {
		t.Fatalf("%s: %v", s.did, err)
	}
	want := s.undisturbed(t)
	if got := sound(t, onServer, url); got != want {
		t.Errorf("the log has %d entries and root %v, that of an undisturbed session %d and %v", got.N, got.Hash, want.N, want.Hash)
	}
}

// script starts and stops servers.
const script = "../../../.ci/postgres"

// ownServer starts a server for this test. It returns its directory, and the URL of a
// database there.
func ownServer(t *testing.T) (dir, url string) {
	t.Helper()
	home, err := os.MkdirTemp("", "lobstrail-restart-") // not t.TempDir: the user postgres must enter it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(home, "servers")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	start := exec.CommandContext(ctx, script, "start", dir, "15")
	start.Stderr = os.Stderr
	out, err := start.Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(script, "stop", dir).CombinedOutput(); err != nil {
			t.Errorf("stop: %v\n%s", err, out)
		}
	})
	found := regexp.MustCompile(`LOBSTRAIL_TEST_POSTGRES=(\S+)`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("no URL of the server: %s", out)
	}
	return dir, string(found[1])
}
