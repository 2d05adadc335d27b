//go:build unix

package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/watch"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
)

// watcher is a process of "lobstrail watch", and a service manager that listens to it.
type watcher struct {
	t       *testing.T
	cmd     *exec.Cmd
	ended   chan struct{}
	manager *net.UnixConn

	mu  sync.Mutex
	log strings.Builder
}

// Write collects the log.
func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *watcher) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// watches starts a watcher, which listens at a free port.
func (h *home) watches(t *testing.T, args ...string) *watcher {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // a socket has a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &watcher{t: t, ended: make(chan struct{})}
	if w.manager, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.manager.Close() })
	w.cmd = h.command(append([]string{"watch", "--listen", "127.0.0.1:0", "--jitter", "0s"}, args...)...)
	w.cmd.Env = append(w.cmd.Env, "NOTIFY_SOCKET="+w.manager.LocalAddr().String())
	w.cmd.Stderr = w
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(w.ended)
		_ = w.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.ended
		if fault := unacceptable(w.text()); fault != "" {
			t.Errorf("the log says %q:\n%s", fault, w.text())
		}
	})
	return w
}

// told returns what the manager is told next, without STATUS.
func (w *watcher) told() string {
	w.t.Helper()
	buffer := make([]byte, 4096)
	for {
		w.manager.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, err := w.manager.Read(buffer)
		if err != nil {
			w.t.Fatalf("%v; the log:\n%s", err, w.text())
		}
		if text := string(buffer[:n]); !strings.HasPrefix(text, "STATUS=") {
			return text
		}
	}
}

// logs waits for a line of the log that matches, and returns its first submatch.
func (w *watcher) logs(pattern string) string {
	w.t.Helper()
	var found []string
	w.until(pattern, func() bool {
		found = regexp.MustCompile(pattern).FindStringSubmatch(w.text())
		return found != nil
	})
	return found[len(found)-1]
}

// until waits until something holds.
func (w *watcher) until(what string, holds func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("no %s; the log:\n%s", what, w.text())
		}
	}
}

// health asks /healthz.
func (w *watcher) health() (status int, r watch.Report) {
	w.t.Helper()
	status, body := w.get("/healthz")
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		w.t.Fatalf("%v: %s", err, body)
	}
	return status, r
}

// get asks the server of the watcher.
func (w *watcher) get(path string) (status int, body string) {
	w.t.Helper()
	response, err := http.Get("http://" + w.logs(`address=([0-9.:]+)`) + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, string(raw)
}

func (w *watcher) signal(sig os.Signal) {
	w.t.Helper()
	if err := w.cmd.Process.Signal(sig); err != nil {
		w.t.Fatal(err)
	}
}

// stop sends a signal, and returns the exit code; the process must end within 5 seconds.
func (w *watcher) stop(sig os.Signal) int {
	w.t.Helper()
	w.signal(sig)
	select {
	case <-w.ended:
	case <-time.After(5 * time.Second):
		w.t.Fatalf("it does not end; the log:\n%s", w.text())
	}
	return w.cmd.ProcessState.ExitCode()
}

// runs are those of the store, the oldest first.
func (h *home) runs() (runs []report.RunJSON) {
	h.t.Helper()
	h.read(&runs, "runs")
	slices.Reverse(runs)
	return runs
}

// hold makes answers wait until release is called. reached waits until one does.
func hold(t *testing.T, server *lobstrtest.Server, when lobstrtest.When) (reached, release func()) {
	t.Helper()
	held, waits := make(chan struct{}), make(chan struct{}, 100)
	server.Inject(lobstrtest.Fault{Name: "slow", Do: lobstrtest.Mangles(func(body []byte) []byte {
		waits <- struct{}{}
		<-held
		return body
	})}, when)
	release = sync.OnceFunc(func() { close(held) })
	t.Cleanup(release)
	return func() {
		t.Helper()
		select {
		case <-waits:
		case <-time.After(20 * time.Second):
			t.Fatal("nobody asks")
		}
	}, release
}

func TestWatchIsAServiceForSystemd(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 5)
	server := serve(t, world)
	reached, release := hold(t, server, lobstrtest.When{Times: 1})
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	h.vars["WATCHDOG_USEC"] = "1000000"
	file := filepath.Join(h.dir, "config.toml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("[watch]\nevery = \"1h\"\n")
	w := h.watches(t, "--config", file)
	var told []string
	next := func() string { // what is told beside the watchdog
		for {
			if text := w.told(); text != "WATCHDOG=1" {
				return text
			}
			told = append(told, "WATCHDOG=1")
		}
	}
	if text := next(); text != "READY=1" {
		t.Errorf("told %q", text)
	}
	reached()
	if status, r := w.health(); status != 503 || r.Status != watch.Starting || r.Doing != "snapshot" {
		t.Errorf("before the first run: %d %+v", status, r)
	}
	release()
	w.logs(`msg="run complete" .*captured=(5)`)
	if status, r := w.health(); status != 200 || r.Workspaces[0].Run != 1 || r.Workspaces[0].StaleAfter != 7200 {
		t.Errorf("after it: %d %+v", status, r)
	}

	reloads(t, w, write, next)

	if code := w.stop(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit %d", code)
	}
	for {
		if text := next(); text == "STOPPING=1" {
			break
		}
	}
	if len(told) == 0 {
		t.Error("the watchdog was not fed")
	}
}

// reloads sends SIGHUP with a wrong configuration, which changes nothing, and with a right one.
func reloads(t *testing.T, w *watcher, write func(text string), next func() string) {
	t.Helper()
	write("[watch]\nevery = \"1h\"\njiter = 3\n")
	w.signal(syscall.SIGHUP)
	if text := next(); !strings.HasPrefix(text, "RELOADING=1\n") {
		t.Errorf("told %q", text)
	}
	if text := next(); text != "READY=1" {
		t.Errorf("told %q", text)
	}
	w.logs(`the new configuration is wrong.*(jiter)`)
	write("[watch]\nevery = \"10s\"\n")
	w.signal(syscall.SIGHUP)
	w.until("new interval", func() bool { _, r := w.health(); return r.Workspaces[0].StaleAfter == 20 })
}

func TestWatchThatIsStoppedLosesNothing(t *testing.T) {
	t.Parallel()
	for sig, code := range map[syscall.Signal]int{syscall.SIGTERM: exitDone, syscall.SIGINT: exitInterrupted, syscall.SIGKILL: -1} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			world := nowWorld()
			addCrowd(world, 150)
			server := serve(t, world)
			reached, release := hold(t, server, lobstrtest.When{Page: 2})
			h := newHome(t).asks(server, lobstrtest.DefaultToken)
			w := h.watches(t, "--every", "1h", "--log-format", "json")
			reached()
			if got := w.stop(sig); got != code {
				t.Errorf("exit %d, want %d", got, code)
			}
			for line := range strings.Lines(w.text()) {
				if !json.Valid([]byte(line)) {
					t.Errorf("a line of the log is no JSON: %s", line)
				}
			}
			if sig == syscall.SIGTERM && !strings.Contains(w.text(), `"msg":"run interrupted"`) {
				t.Errorf("the log: %s", w.text())
			}
			release()
			server.ClearFaults()
			w = h.watches(t, "--every", "1h")
			w.logs(`msg="run complete" workspace=default (run=2)`)
			runs := h.runs()
			stored := runs[0].Captured == 100 || sig == syscall.SIGKILL // which may come before the first page is stored
			if len(runs) != 2 || runs[0].State != "interrupted" || !stored || runs[0].Changed+runs[1].Changed != 150 {
				t.Errorf("%+v", runs)
			}
			h.must(exitDone, "verify", "--quiet")
		})
	}
}

// TestWatchKeepsItsScheduleOverARestart: a daemon that crashes again and again does not ask
// the API more often than one that runs.
func TestWatchKeepsItsScheduleOverARestart(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 1)
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken)
	w := h.watches(t, "--every", "1h")
	w.logs(`(run complete)`)
	for range 3 {
		w.stop(syscall.SIGKILL)
		w = h.watches(t, "--every", "1h")
		w.until("health", func() bool { status, _ := w.health(); return status == 200 })
	}
	if runs := h.runs(); len(runs) != 1 {
		t.Errorf("%d runs", len(runs))
	}
}

func TestWatchIsUnhealthyWhenTheAPIIsDown(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 3)
	server := serve(t, world)
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	w := h.watches(t, "--every", "1s", "--retries", "0")
	fresh := func() bool { status, _ := w.health(); return status == 200 }
	w.until("health", fresh)
	server.Inject(lobstrtest.Fault{Name: "down", Do: lobstrtest.Answers(503, "text/html", "Back\x1b[2J soon.")}, lobstrtest.When{})
	w.until("bad health", func() bool { status, r := w.health(); return status == 503 && r.Status == watch.Stale })
	w.logs(`level=ERROR msg="(run failed)"`)
	server.ClearFaults()
	w.until("health again", fresh)
	if strings.Contains(w.text(), "\x1b") {
		t.Error("the log holds a control character of the API")
	}
}

// TestWatchTellsThatTheStoreIsGone: a history that is gone is no small thing.
func TestWatchTellsThatTheStoreIsGone(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 2)
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken)
	w := h.watches(t, "--every", "1s")
	db := w.logs(`level=INFO msg="created the store" store=(\S+)`)
	w.logs(`(run complete)`)
	w.until("end of the run", func() bool { _, r := w.health(); return r.Doing == "waiting" })
	for _, end := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(db + end) // the others are there only at times
	}
	w.logs(`level=WARN msg="(the store was removed)`)
}

func TestWatchLeavesTheStoreToOthersBetweenItsRuns(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 2)
	server := serve(t, world)
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	w := h.watches(t, "--every", "2s", "--lock-wait", "100ms")
	w.logs(`(run complete)`)
	reached, release := hold(t, server, lobstrtest.When{Times: 1})
	other := begin(t, h.command("snapshot", "--lock-wait", "30s"))
	reached()
	w.logs(`msg="(a snapshot was missed: the store is busy)"`)
	release()
	if o := other(); o.code != exitDone {
		t.Errorf("a snapshot by hand: %s", o)
	}
	w.logs(`(?s)missed.*(run complete)`)
	w.until("end of the run", func() bool { _, r := w.health(); return r.Doing == "waiting" })
	h.must(exitDone, "prune", "--keep-within", "1d", "--lock-wait", "1s")
}

func TestWatchAtAPortInUse(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	h := newHome(t)
	h.vars["LOBSTR_TOKEN"] = "k"
	o := h.must(exitFailed, "watch", "--listen", listener.Addr().String())
	if !strings.Contains(o.stderr, "address already in use") || !strings.Contains(o.stderr, "--listen") {
		t.Errorf("%s", o)
	}
	if _, err := os.Stat(h.db); err == nil {
		t.Error("a store was made")
	}
}

func TestWatchOfSeveralWorkspaces(t *testing.T) {
	t.Parallel()
	first := nowWorld()
	server := serve(t, first)
	for _, key := range []string{"acme-key", "globex-key"} {
		world := lobstrtest.NewWorld(first.Clock())
		addCrowd(world, 2)
		server.AddWorkspace(key, world)
	}
	h := newHome(t).asks(server, "")
	h.vars["ACME"], h.vars["GLOBEX"] = "a-key-that-was-revoked", "globex-key"
	file := filepath.Join(h.dir, "config.toml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	two := "[workspaces.acme]\ntoken_file = \"acme\"\nevery = \"10s\"\n[workspaces.globex]\ntoken_env = \"GLOBEX\"\nevery = \"1h\"\n"
	write(two)
	if err := os.WriteFile(filepath.Join(h.dir, "acme"), []byte("a-key-that-was-revoked\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := h.watches(t, "--all-workspaces", "--config", file)
	w.logs(`msg="run failed" workspace=(acme)`)
	w.logs(`msg="run complete" workspace=(globex)`)
	status, r := w.health()
	if status != 503 || len(r.Workspaces) != 2 || r.Workspaces[0].Status != watch.Starting || r.Workspaces[0].StaleAfter != 20 ||
		r.Workspaces[1].Status != watch.OK || r.Workspaces[1].StaleAfter != 7200 {
		t.Errorf("%d %+v", status, r)
	}
	// A new key needs no reload, and a reload can name other workspaces.
	if err := os.WriteFile(filepath.Join(h.dir, "acme"), []byte("acme-key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(strings.ReplaceAll(two, "[workspaces.globex]", "[workspaces.initech]"))
	w.signal(syscall.SIGHUP)
	w.logs(`msg="run complete" workspace=(initech)`)
	if _, r := w.health(); len(r.Workspaces) != 2 || r.Workspaces[1].Workspace != "initech" {
		t.Errorf("after the reload: %+v", r)
	}
	w.logs(`msg="run complete" workspace=(acme)`)
	if strings.Contains(w.text(), "-key") {
		t.Errorf("a key is in the log:\n%s", w.text())
	}
}
