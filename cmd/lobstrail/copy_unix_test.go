//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// sharedBuffer takes what a process writes while a test reads it.
type sharedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *sharedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *sharedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// TestMirror: a mirror brings what is new, also after the source was away for a time, and
// ends cleanly.
func TestMirror(t *testing.T) {
	t.Parallel()
	for _, engine := range testEngines {
		t.Run(engine.name, func(t *testing.T) {
			h := newHome(t)
			target := engine.fresh(t, filepath.Join(h.dir, "mirror.db"))
			world := nowWorld()
			addCrowd(world, 3)
			h.asks(serve(t, world), lobstrtest.DefaultToken)
			h.must(exitDone, "snapshot")
			var stdout, stderr sharedBuffer
			mirror := h.command("copy", "--follow", "--every", "1s", "--json", h.db, target)
			mirror.Stdout, mirror.Stderr = &stdout, &stderr
			if err := mirror.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- mirror.Wait() }()
			t.Cleanup(func() { mirror.Process.Kill() })
			until := func(what string, holds func() bool) {
				t.Helper()
				for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatalf("%s: not yet\nstdout: %s\nstderr: %s", what, stdout.String(), stderr.String())
					}
				}
			}
			copies := func(n int) func() bool {
				return func() bool { return strings.Count(stdout.String(), "\n") >= n }
			}
			until("the first copy", copies(1))
			h.must(exitDone, "snapshot")
			until("a copy of what is new", copies(2))

			away := filepath.Join(h.dir, "away.db")
			if err := os.Rename(h.db, away); err != nil {
				t.Fatal(err)
			}
			until("a word about the source", func() bool { return strings.Contains(stderr.String(), "tried again") })
			if err := os.Rename(away, h.db); err != nil {
				t.Fatal(err)
			}
			h.must(exitDone, "snapshot")
			until("a copy after the source came back", copies(3))

			mirror.Process.Signal(syscall.SIGTERM)
			if err := <-ended; err != nil {
				t.Errorf("after SIGTERM: %v", err)
			}
			if strings.Count(stderr.String(), "tried again") != 1 {
				t.Errorf("stderr: %s", stderr.String())
			}
			h.must(exitDone, "verify", "--db", target)
			if want, is := h.must(exitDone, "runs", "--json").stdout, h.must(exitDone, "runs", "--json", "--db", target).stdout; want != is {
				t.Errorf("the mirror has the runs %s\ninstead of %s", is, want)
			}
		})
	}
}

// TestCopiesAtOnce into one store wait for each other.
func TestCopiesAtOnce(t *testing.T) {
	t.Parallel()
	for _, engine := range testEngines {
		t.Run(engine.name, func(t *testing.T) {
			h := newHome(t)
			target, source := engine.fresh(t, filepath.Join(h.dir, "copy.db")), testEngines[0].demo(t, filepath.Join(h.dir, "demo.db"))
			var ends []func() outcome
			for range 3 {
				ends = append(ends, begin(t, h.command("copy", source, target)))
			}
			for _, end := range ends {
				if o := end(); o.code != exitDone {
					t.Errorf("a copy beside others: %s", o)
				}
			}
			h.must(exitDone, "verify", "--db", target)
		})
	}
}

// TestEqualAnswers: every command that reads answers the same on a copy, byte for byte.
func TestEqualAnswers(t *testing.T) {
	t.Parallel()
	for _, engine := range testEngines {
		t.Run(engine.name, func(t *testing.T) {
			h := newHome(t)
			source, there := testEngines[0].demo(t, filepath.Join(h.dir, "demo.db")), engine.fresh(t, filepath.Join(h.dir, "there.db"))
			back := filepath.Join(h.dir, "back.db")
			h.must(exitDone, "alerts", "silence", "--db", source, "--type", "linkedin-sync", "--for", "2h", "--reason", "known")
			h.must(exitDone, "copy", source, there)
			h.must(exitDone, "copy", there, back)
			for _, command := range [][]string{
				{"accounts"}, {"accounts", "--at", "2d"}, {"changes"}, {"changes", "--since", "2d"}, {"squids"}, {"squids", "--history"}, {"runs"}, {"runs", "2"},
				{"alerts", "silences"}, {"verify"}, {"sql", "SELECT * FROM alerts ORDER BY 1, 2"}, {"sql", "SELECT * FROM deliveries ORDER BY 1, 2, 7"},
				{"sql", "SELECT * FROM account_versions ORDER BY 1, 2, 3"}, {"sql", "SELECT * FROM snapshots ORDER BY 1, 2, 3, 4"},
				{"sql", "SELECT * FROM limit_usage ORDER BY 1, 2, 3, 7"},
			} {
				want := h.must(exitDone, append(command, "--json", "--db", source)...).stdout
				for _, db := range []string{there, back} {
					if is := h.must(exitDone, append(command, "--json", "--db", db)...).stdout; is != want {
						t.Errorf("%q: %.2000s\ninstead of %.2000s", command, is, want)
					}
				}
			}
		})
	}
}
