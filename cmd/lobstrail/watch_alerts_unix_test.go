//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/watch"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report/alert"
)

// receiver is a webhook that remembers what it took.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int // of its answers
	hang   chan struct{}
	took   []string // event and condition
	asked  int
}

func receives(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: 200}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		raw, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		status, hang := r.status, r.hang
		r.asked++
		var body alert.Body
		if err := json.Unmarshal(raw, &body); status == 200 && err == nil {
			r.took = append(r.took, string(body.Event)+" "+string(body.Condition))
		}
		r.mu.Unlock()
		if hang != nil {
			<-hang
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

// set changes how it answers from now on.
func (r *receiver) set(status int, hang chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.hang = status, hang
}

func (r *receiver) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.took, ", ")
}

func (r *receiver) requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// sends gives the home a configuration with a sink.
func (h *home) sends(r *receiver, conditions string) *home {
	h.t.Helper()
	h.vars["LOBSTRAIL_CONFIG"], h.vars["HOOK_URL"] = filepath.Join(h.dir, "config.toml"), r.URL+"/SECRETPATH"
	text := fmt.Sprintf("[[sinks]]\nname = \"ops\"\ntype = \"webhook\"\nurl_env = \"HOOK_URL\"\nconditions = [%s]\n", conditions)
	if err := os.WriteFile(h.vars["LOBSTRAIL_CONFIG"], []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return h
}

func TestWatchTellsAlerts(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	ids := addCrowd(world, 3)
	hook := receives(t)
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken).sends(hook, `"account_expired"`)
	w := h.watches(t, "--every", "1s")
	w.logs(`(run complete)`)
	happen(world, lobstrtest.Expire(ids[1]))
	w.until("message", func() bool { return hook.all() == "fired account_expired" })
	happen(world, lobstrtest.Resync(ids[1]))
	w.until("recovery", func() bool { return hook.all() == "fired account_expired, recovered account_expired" })

	hook.set(500, nil)
	happen(world, lobstrtest.Expire(ids[2]))
	w.logs(`msg="(a delivery failed)" workspace=default sink=ops`)
	w.logs(`(?s)a delivery failed.*run complete.*run complete.*(run complete)`)
	if n := strings.Count(w.text(), "a delivery failed"); n != 1 || hook.requests() != 3 {
		t.Errorf("%d lines of a delivery that failed, %d requests:\n%s", n, hook.requests(), w.text())
	}
	if strings.Contains(w.text(), "SECRETPATH") || strings.Contains(w.text(), lobstrtest.DefaultToken) {
		t.Error("a secret is in the log")
	}
	if code := w.stop(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit %d", code)
	}
	hook.set(200, nil)
	h.must(exitDone, "alerts", "deliver") // it was kept
	if got := strings.Count(hook.all(), "fired"); got != 2 {
		t.Errorf("%d messages", got)
	}
}

func TestWatchStopsInTheMidstOfADelivery(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	ids := addCrowd(world, 2)
	hook := receives(t)
	hang := make(chan struct{})
	defer close(hang)
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken).sends(hook, `"account_expired"`)
	w := h.watches(t, "--every", "1s")
	w.logs(`(run complete)`)
	hook.set(200, hang)
	happen(world, lobstrtest.Expire(ids[0]))
	w.until("message", func() bool { return hook.requests() == 1 })
	if code := w.stop(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit %d", code)
	}
	hook.set(200, nil)
	h.must(exitDone, "alerts", "deliver") // it was not lost, and no failure of the sink
	if got := hook.all(); got != "fired account_expired, fired account_expired" {
		t.Errorf("%s", got)
	}
}

func TestWatchTellsThatTheStoreIsDamaged(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 3)
	hook := receives(t)
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken).sends(hook, `"store_damaged"`)
	w := h.watches(t, "--every", "1s")
	w.logs(`(run complete)`)
	w.until("end of the run", func() bool { _, r := w.health(); return r.Doing == "waiting" })
	h.must(exitDone, "backup", "good.db")
	// Nobody writes while the file is replaced: each process opens what is there.
	broken := make([]byte, 64<<10)
	good, err := os.ReadFile(filepath.Join(h.dir, "good.db"))
	if err != nil {
		t.Fatal(err)
	}
	copy(broken, good[:100]) // its header is left
	replace(t, h.db, broken)
	w.until("message", func() bool { return hook.all() != "" })
	w.until("bad health", func() bool { status, r := w.health(); return status == 503 && r.Status == watch.Damaged })
	time.Sleep(2500 * time.Millisecond) // two more runs that fail
	if got := hook.all(); got != "fired store_damaged" {
		t.Errorf("%s", got)
	}
	replace(t, h.db, good)
	w.until("recovery", func() bool { return hook.all() == "fired store_damaged, recovered store_damaged" })
	w.until("health", func() bool { status, _ := w.health(); return status == 200 })
}

// TestSnapshotTellsThatTheStoreIsDamaged: once, whichever process finds it, and once that it
// works again.
func TestSnapshotTellsThatTheStoreIsDamaged(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 3)
	hook := receives(t)
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken).sends(hook, `"store_damaged"`)
	h.must(exitDone, "snapshot")
	good, err := os.ReadFile(h.db)
	if err != nil {
		t.Fatal(err)
	}
	broken := make([]byte, 64<<10)
	copy(broken, good[:100])
	replace(t, h.db, broken)
	hook.set(500, nil)
	if o := h.must(exitDamaged, "snapshot", "--quiet"); !strings.Contains(o.stderr, "warning: sink ops: answered 500") {
		t.Errorf("%s", o)
	}
	hook.set(200, nil)
	for range 3 {
		h.must(exitDamaged, "snapshot")
	}
	if got := hook.all(); got != "fired store_damaged" {
		t.Errorf("damaged: %s", got)
	}
	replace(t, h.db, good)
	for range 2 {
		h.must(exitDone, "snapshot")
	}
	if got := hook.all(); got != "fired store_damaged, recovered store_damaged" {
		t.Errorf("works again: %s", got)
	}
	if _, err := os.Stat(h.db + ".damaged"); !os.IsNotExist(err) {
		t.Errorf("the note of who was told: %v", err)
	}
}

// replace puts another file in the place of the store, without its journal.
func replace(t *testing.T, db string, content []byte) {
	t.Helper()
	if err := os.WriteFile(db+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, journal := range []string{"-wal", "-shm"} {
		if err := os.Remove(db + journal); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if err := os.Rename(db+".new", db); err != nil {
		t.Fatal(err)
	}
}

func TestWatchServesMetrics(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 3)
	server := serve(t, world)
	reached, release := hold(t, server, lobstrtest.When{Times: 1})
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	w := h.watches(t, "--every", "1h")
	metrics := func() string {
		t.Helper()
		status, body := w.get("/metrics")
		if status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		return body
	}
	for _, want := range []string{"lobstrail_watch_missed_snapshots_total 0", "lobstrail_watch_healthy 0"} {
		if got := metrics(); !strings.Contains(got, want) {
			t.Errorf("before the first run: no %s in\n%s", want, got)
		}
	}
	reached()
	release()
	w.logs(`(run complete)`)
	text := metrics()
	for _, want := range []string{"lobstrail_watch_healthy 1", "lobstrail_store_bytes", `lobstrail_accounts{health="healthy"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if promtool, err := exec.LookPath("promtool"); err == nil {
		cmd := exec.Command(promtool, "check", "metrics")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("promtool: %v: %s", err, out)
		}
	}
	if err := os.WriteFile(h.db+".new", []byte("no store, but some text that is long enough to be looked at by anybody"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(h.db+".new", h.db); err != nil {
		t.Fatal(err)
	}
	if status, body := w.get("/metrics"); status != 503 {
		t.Errorf("of another file: %d %s", status, body)
	}
}
