package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/store"
)

// home is where a user's lobstrail processes live: their folders, and what they
// find in the environment.
type home struct {
	t       testing.TB
	dir     string
	db      string
	vars    map[string]string
	program string
	engine  testEngine
}

func newHome(t testing.TB) *home {
	t.Helper()
	dir := t.TempDir()
	return &home{t: t, engine: testEngines[0], dir: dir, program: "lobstrail", db: filepath.Join(dir, "data", "lobstrail", "lobstrail.db"), vars: map[string]string{
		"HOME": filepath.Join(dir, "home"), "XDG_DATA_HOME": filepath.Join(dir, "data"),
		"XDG_CONFIG_HOME": filepath.Join(dir, "config"), "TMPDIR": dir, "TZ": "UTC", "PATH": os.Getenv("PATH"),
		"GORACE": os.Getenv("GORACE"),
	}}
}

// onEngines runs a test for each engine, beside other tests. On a server it takes longer:
// there it runs every other time, and always with -long.
func onEngines(t *testing.T, test func(t *testing.T, engine testEngine)) {
	t.Helper()
	t.Parallel()
	for _, engine := range testEngines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			if engine.name != "sqlite" && !*long && flag.Lookup("test.run").Value.String() == "" && rand.IntN(2) == 0 {
				t.Skip("it runs every other time, and with -long")
			}
			test(t, engine)
		})
	}
}

// newHomeOn is a home whose store, which is not there yet, is kept by an engine. It skips
// the test where the engine cannot run.
func newHomeOn(t testing.TB, engine testEngine) *home {
	t.Helper()
	h := newHome(t)
	h.engine = engine
	return h.use(engine.fresh(t, h.db))
}

// use lets the processes of the home have another store.
func (h *home) use(location string) *home {
	h.db, h.vars["LOBSTRAIL_DB"] = location, location
	return h
}

// mayBe reports whether a run that nobody runs may have the state. A server learns that a
// writer was killed when its lease ends.
func (h *home) mayBe(state store.RunState) bool {
	return state == store.Interrupted || state == store.Complete || state == store.Running && h.engine.name == "postgres"
}

// asks points the home's processes at a server.
func (h *home) asks(server *lobstrtest.Server, key string) *home {
	h.vars["LOBSTR_API_BASE"], h.vars["LOBSTR_TOKEN"] = server.URL, key
	return h
}

// patience is how long a process may take before it counts as hanging.
const patience = 90 * time.Second

// command is a lobstrail process of this home. It is killed when it hangs.
func (h *home) command(args ...string) *exec.Cmd {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	h.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, h.program, args...)
	for _, name := range slices.Sorted(maps.Keys(h.vars)) {
		cmd.Env = append(cmd.Env, name+"="+h.vars[name])
	}
	cmd.Dir = h.dir
	return cmd
}

// outcome is what came of a process.
type outcome struct {
	code           int
	stdout, stderr string
}

func (o outcome) String() string {
	return fmt.Sprintf("exit %d\nstdout: %s\nstderr: %s", o.code, o.stdout, o.stderr)
}

func (h *home) run(args ...string) outcome {
	h.t.Helper()
	return finish(h.t, h.command(args...))
}

func finish(t testing.TB, cmd *exec.Cmd) outcome {
	t.Helper()
	return begin(t, cmd)()
}

// begin starts a process. The function that it answers waits for its end.
func begin(t testing.TB, cmd *exec.Cmd) (end func() outcome) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	return func() outcome {
		t.Helper()
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			t.Errorf("%q: %v", cmd.Args, err)
		}
		o := outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
		if fault := unacceptable(o.stderr); fault != "" {
			t.Errorf("%q says %q:\n%s", cmd.Args, fault, o)
		}
		return o
	}
}

// unacceptable finds what no user may ever read.
func unacceptable(stderr string) string {
	for _, text := range []string{"panic:", "goroutine 1", "DATA RACE", "database is locked", "SQLITE_", "context canceled"} {
		if strings.Contains(stderr, text) {
			return text
		}
	}
	return ""
}

// must runs a command that has to exit with a code.
func (h *home) must(code int, args ...string) outcome {
	h.t.Helper()
	o := h.run(args...)
	if o.code != code {
		h.t.Fatalf("lobstrail %q: want exit %d, got %s", args, code, o)
	}
	return o
}

// read runs a command with --json that has to succeed, and decodes its answer.
func (h *home) read(answer any, args ...string) {
	h.t.Helper()
	o := h.must(exitDone, append(args, "--json")...)
	if err := json.Unmarshal([]byte(o.stdout), answer); err != nil {
		h.t.Fatalf("lobstrail %q: %v in %s", args, err, o.stdout)
	}
}

// nowWorld is an empty workspace whose time is that of the machine: real
// processes ask it.
func nowWorld() *lobstrtest.World {
	return lobstrtest.NewWorld(lobstrtest.NewClock(time.Now()))
}

// serve serves the world to real processes until the test ends. Its clock stands
// still but for events, so that it never runs ahead of theirs.
func serve(t testing.TB, w *lobstrtest.World) *lobstrtest.Server {
	t.Helper()
	server := lobstrtest.New(t, w)
	instant := lobstrtest.Latency{Min: time.Microsecond, Max: time.Microsecond}
	server.SetLatency(instant, instant)
	return server
}

// happen lets events happen at the time of the machine.
func happen(w *lobstrtest.World, events ...lobstrtest.Event) {
	if now := time.Now(); now.After(w.Clock().Now()) {
		w.Clock().Set(now)
	}
	w.Apply(events...)
}

// addCrowd adds accounts named u000, u001 and so on, and answers their ids.
func addCrowd(w *lobstrtest.World, n int) []string {
	var ids []string
	for i := range n {
		squid := fmt.Sprintf("Squid %d", i%7)
		ids = append(ids, w.Add(lobstrtest.Account{Username: fmt.Sprintf("u%03d", i), Squids: []string{squid}}))
	}
	return ids
}

// within runs a command within the test, on a terminal of so many columns (0:
// none).
func within(columns int, vars map[string]string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	env := &environment{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, now: time.Now, zone: time.UTC,
		getenv: func(name string) string { return vars[name] }, stdoutWidth: columns,
	}
	code := run(context.Background(), env, args)
	return outcome{code, stdout.String(), stderr.String()}
}

// snapshotBeside runs a command within the test, with a terminal of so many
// columns on stderr (0: none).
func (h *home) snapshotBeside(t *testing.T, columns int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, notes bytes.Buffer
	env := &environment{
		stdin: strings.NewReader(""), stdout: &out, stderr: &notes, now: time.Now, zone: time.UTC,
		getenv: func(name string) string { return h.vars[name] }, stderrWidth: columns,
	}
	if code := run(context.Background(), env, args); code != exitDone {
		t.Fatalf("%q: exit %d, %s", args, code, notes.String())
	}
	return out.String(), notes.String()
}

// The clock of the fake stands still, so that after two seconds runs tell of it.
var varying = regexp.MustCompile(`"run": \d+|"clock_(?:skew|held)_seconds": -?[0-9.]+|Run \d+|\d{4}-\d\d-\d\dT[0-9:.]+Z| in [<0-9a-z]+\.`)

// clockNote comes once a test has run for two seconds: the clock of its server stands
// still (see serve).
var clockNote = regexp.MustCompile(`(?m)^clock: .*\n`)

// masked takes out of an answer what differs from run to run.
func masked(out string) string {
	return varying.ReplaceAllString(clockNote.ReplaceAllString(out, ""), "*")
}
