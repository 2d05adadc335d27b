//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// mirrorProcess is a process that mirrors a store.
type mirrorProcess struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr sharedBuffer
	ended          chan struct{}
}

// mirrors starts a process that mirrors a store.
func (h *home) mirrors(t *testing.T, from, to string) *mirrorProcess {
	t.Helper()
	m := &mirrorProcess{t: t, cmd: h.command("copy", "--follow", "--every", "1s", "--json", from, to), ended: make(chan struct{})}
	m.cmd.Stdout, m.cmd.Stderr = &m.stdout, &m.stderr
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(m.ended)
		_ = m.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = m.cmd.Process.Kill()
		<-m.ended
	})
	return m
}

// until waits until something holds, while the process runs.
func (m *mirrorProcess) until(what string, holds func() bool) {
	m.t.Helper()
	for deadline := time.After(patience); !holds(); {
		select {
		case <-m.ended:
			m.t.Fatalf("%s: it has ended\nstdout: %s\nstderr: %s", what, m.stdout.String(), m.stderr.String())
		case <-deadline:
			m.t.Fatalf("%s: not yet\nstdout: %s\nstderr: %s", what, m.stdout.String(), m.stderr.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// copies waits until the mirror has printed n lines, one for each copy.
func (m *mirrorProcess) copies(n int) {
	m.t.Helper()
	m.until(fmt.Sprintf("%d copies", n), func() bool { return strings.Count(m.stdout.String(), "\n") >= n })
}

// warns waits for the nth warning on stderr and checks its text. It fails when there are
// more than n.
func (m *mirrorProcess) warns(n int, says string) {
	m.t.Helper()
	var warnings []string
	m.until(fmt.Sprintf("%d warnings", n), func() bool {
		warnings = regexp.MustCompile(`.*tried again: .*`).FindAllString(m.stderr.String(), -1)
		return len(warnings) >= n
	})
	if len(warnings) > n || !strings.Contains(warnings[n-1], says) {
		m.t.Errorf("want %d warnings, the last about %q: %s", n, says, m.stderr.String())
	}
}

// ends waits for the end, and checks the exit code.
func (m *mirrorProcess) ends(want int) {
	m.t.Helper()
	select {
	case <-m.ended:
	case <-time.After(patience):
		m.t.Fatalf("it does not end: %s", m.stderr.String())
	}
	if code := m.cmd.ProcessState.ExitCode(); code != want {
		m.t.Errorf("exit %d instead of %d: %s", code, want, m.stderr.String())
	}
	if fault := unacceptable(m.stderr.String()); fault != "" {
		m.t.Errorf("stderr says %q:\n%s", fault, m.stderr.String())
	}
}

// terminate ends the mirror as systemd does.
func (m *mirrorProcess) terminate() {
	m.t.Helper()
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		m.t.Fatal(err)
	}
	m.ends(exitDone)
}

// newMirror is a home with one snapshot, and a mirror that has copied it to target.
func newMirror(t *testing.T, engine testEngine) (h *home, target string, m *mirrorProcess) {
	t.Helper()
	h = newHome(t)
	target = engine.fresh(t, filepath.Join(h.dir, "mirror.db"))
	world := nowWorld()
	addCrowd(world, 3)
	h.asks(serve(t, world), lobstrtest.DefaultToken)
	h.must(exitDone, "snapshot")
	m = h.mirrors(t, h.db, target)
	m.copies(1)
	return h, target, m
}

// isMirror checks that both stores are sound, and have the same runs.
func (h *home) isMirror(from, to string) {
	h.t.Helper()
	h.must(exitDone, "verify", "--db", to)
	if want, is := h.must(exitDone, "runs", "--json", "--db", from).stdout, h.must(exitDone, "runs", "--json", "--db", to).stdout; want != is {
		h.t.Errorf("the mirror has the runs %s\ninstead of %s", is, want)
	}
}

// TestMirror: a mirror brings what is new, also after the source was away for a time, and
// ends cleanly.
func TestMirror(t *testing.T) {
	t.Parallel()
	for _, engine := range testEngines {
		t.Run(engine.name, func(t *testing.T) {
			h, target, m := newMirror(t, engine)
			h.must(exitDone, "snapshot")
			m.copies(2)

			away := filepath.Join(h.dir, "away.db")
			if err := os.Rename(h.db, away); err != nil {
				t.Fatal(err)
			}
			m.warns(1, "no store")
			if err := os.Rename(away, h.db); err != nil {
				t.Fatal(err)
			}
			h.must(exitDone, "snapshot")
			m.copies(3)

			m.terminate()
			if strings.Count(m.stderr.String(), "tried again") != 1 {
				t.Errorf("stderr: %s", m.stderr.String())
			}
			h.isMirror(h.db, target)
		})
	}
}

// TestMirrorEnds when its target cannot become the mirror any more.
func TestMirrorEnds(t *testing.T) {
	onEngines(t, func(t *testing.T, engine testEngine) {
		for name, c := range map[string]struct {
			happens func(h *home, target string) error
			exit    int
			says    string
		}{
			"diverged": {func(h *home, target string) error {
				h.must(exitDone, "snapshot", "--db", target)
				return nil
			}, exitDamaged, "diverged"},
			"newer": {func(_ *home, target string) error {
				return engine.edit(target, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)")
			}, exitFailed, "newer than this lobstrail"},
		} {
			t.Run(name, func(t *testing.T) {
				h, target, m := newMirror(t, engine)
				if err := c.happens(h, target); err != nil {
					t.Fatal(err)
				}
				if m.ends(c.exit); !strings.Contains(m.stderr.String(), c.says) {
					t.Errorf("stderr: %s", m.stderr.String())
				}
			})
		}
	})
}

// TestMirrorThatCannotBegin ends at once, unless a server cannot be reached.
func TestMirrorThatCannotBegin(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	m := h.mirrors(t, filepath.Join(h.dir, "nothing.db"), filepath.Join(h.dir, "mirror.db"))
	if m.ends(exitNoStore); !strings.Contains(m.stderr.String(), "nothing.db") {
		t.Errorf("stderr: %s", m.stderr.String())
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
