//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// terminal is a process on a terminal of its own, and the one who sits there.
type terminal struct {
	t    *testing.T
	cmd  *exec.Cmd
	keys *os.File
	mu   sync.Mutex
	seen bytes.Buffer
	done chan error
}

func newTerminal(t *testing.T, vars []string, args ...string) *terminal {
	t.Helper()
	x := &terminal{t: t, cmd: exec.Command("lobstrail", args...), done: make(chan error, 1)}
	x.cmd.Env = append(os.Environ(), vars...)
	keys, err := pty.StartWithSize(x.cmd, &pty.Winsize{Rows: 50, Cols: 100})
	if err != nil {
		t.Skip("no terminal here:", err)
	}
	x.keys = keys
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := keys.Read(buf)
			x.mu.Lock()
			x.seen.Write(buf[:n])
			x.mu.Unlock()
			if err != nil {
				break
			}
		}
	}()
	go func() { x.done <- x.cmd.Wait() }()
	t.Cleanup(func() {
		x.cmd.Process.Kill()
		keys.Close()
	})
	return x
}

// press types and waits until all of the texts were shown since then.
func (x *terminal) press(keys string, texts ...string) {
	x.t.Helper()
	x.mu.Lock()
	from := x.seen.Len()
	x.mu.Unlock()
	if _, err := x.keys.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
	x.expect(from, texts...)
}

func (x *terminal) expect(from int, texts ...string) {
	x.t.Helper()
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		x.mu.Lock()
		shown := x.seen.String()[from:]
		x.mu.Unlock()
		missing := ""
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				missing = text
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(late) {
			x.t.Fatalf("%q is not shown, but %q", missing, shown)
		}
	}
}

// exits waits for the end of the process.
func (x *terminal) exits(code int) {
	x.t.Helper()
	select {
	case err := <-x.done:
		got := 0
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			got = exit.ExitCode()
		}
		if got != code {
			x.t.Fatalf("exit %d, %q", got, x.seen.String())
		}
	case <-time.After(20 * time.Second):
		x.t.Fatalf("it does not end: %q", x.seen.String())
	}
}

const ctrlC = "\x03"

// TestTheTerminal: Ctrl-C stops a query or clears the line and never ends the session;
// what was typed can be edited and called back, in the next session too; and
// SIGTERM leaves a terminal as it was.
func TestTheTerminal(t *testing.T) {
	t.Parallel()
	db, state := demoStore(t), t.TempDir()
	vars := []string{"XDG_STATE_HOME=" + state, "TERM=xterm-256color", "LOBSTRAIL_DB=" + db, "TZ=UTC"}
	x := newTerminal(t, vars, "sql")
	x.expect(0, "lobstrail> ")
	x.press("SELECT 'typed'"+ctrlC, "lobstrail> ")
	x.press("SELECT nonsense,\r", "...> ")
	x.press(ctrlC, "lobstrail> ")
	x.press("SELECT 40 +\r", "...> ")
	x.press("\x1b[D2;\r", "42", "1 row.", "lobstrail> ") // Left does nothing here
	x.press("SELECT 'a3c';\x1b[D\x1b[D\x1b[D\x7f\x7fxb3\r", "xb3c\r\n", "lobstrail> ")
	x.press(`WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT 1 UNION ALL SELECT count(*) FROM r;`+"\r", "FROM r;", "\r\n")
	time.Sleep(100 * time.Millisecond) // it runs
	x.press(ctrlC, "the query was stopped", "lobstrail> ")
	x.press("SELECT * FROM health_periods LIMIT 1;\r", "min_seconds", "lobstrail> ")
	x.press("\x04", "\r\n")
	x.exits(exitDone)

	x = newTerminal(t, vars, "sql")
	x.expect(0, "lobstrail> ")
	x.press("\x1b[A\x1b[A\x1b[A\r", "xb3c", "1 row.", "lobstrail> ")
	if raw, err := os.ReadFile(filepath.Join(state, "lobstrail", "sql_history")); err != nil || strings.Contains(string(raw), "typed") {
		t.Errorf("history: %q, %v", raw, err)
	}
	was, err := term.GetState(int(x.keys.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	x.cmd.Process.Signal(syscall.SIGTERM)
	x.exits(exitInterrupted)
	if is, err := term.GetState(int(x.keys.Fd())); err != nil || *is == *was {
		t.Errorf("the terminal is still in the mode of the editor, %v", err)
	}
}
