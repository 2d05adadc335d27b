//go:build unix

package notify

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/report/alert"
)

// script makes a command of a shell script.
func script(t *testing.T, text string, args ...string) Settings {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tell")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return Settings{Name: "tell", Type: Command, Command: append([]string{file}, args...), Environment: []string{"PATH=/usr/bin:/bin"}, Timeout: hangTimeout}
}

func TestCommandGetsTheBodyAndNothingElse(t *testing.T) {
	t.Setenv("LOBSTR_TOKEN", "canary")
	dir := t.TempDir()
	sink, err := New(script(t, `cat > "$1/body"; env > "$1/env"; printf '%s\n' "$2" > "$1/arg"`, dir, "$(id); `id` > x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := send(t, sink); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	var got alert.Body
	if err := json.Unmarshal([]byte(read("body")), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(expiredBody(), got); diff != "" {
		t.Error(diff)
	}
	if arg := read("arg"); arg != "$(id); `id` > x\n" {
		t.Errorf("a shell has read %q", arg)
	}
	for line := range strings.Lines(read("env")) {
		if name, _, _ := strings.Cut(line, "="); name != "PATH" && name != "PWD" && name != "_" && name != "SHLVL" && name != "OLDPWD" { // of sh
			t.Errorf("the command sees %s", line)
		}
	}
}

// No environment given is none, not ours.
func TestCommandWithoutEnvironment(t *testing.T) {
	t.Setenv("LOBSTR_TOKEN", "canary")
	file := filepath.Join(t.TempDir(), "env")
	s := script(t, `/usr/bin/env > "$1"`, file)
	s.Environment = nil
	sink, err := New(s)
	if err == nil {
		err = send(t, sink)
	}
	raw, readErr := os.ReadFile(file)
	if err != nil || readErr != nil || strings.Contains(string(raw), "canary") {
		t.Errorf("%v %v %s", err, readErr, raw)
	}
}

func TestCommandFailures(t *testing.T) {
	for text, want := range map[string]string{
		"echo canary >&2; exit 3":       "the command exited with 3",
		"kill -9 $$":                    "the command was killed by a signal",
		"sleep 60":                      "the command did not end in time, and was killed",
		"trap '' TERM INT; sleep 60":    "the command did not end in time, and was killed",
		"exit 0 # reads nothing":        "",
		"sleep 3 & exit 0 # background": "",
		"yes canary":                    "the command did not end in time, and was killed",
	} {
		sink, err := New(script(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if err := send(t, sink); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for program, want := range map[string]string{
		"no-such-program-canary": "the command was not found in PATH",
		"/etc/passwd":            "the command could not be started: the program is missing, or may not be run",
		"/no/such/canary":        "the command could not be started: the program is missing, or may not be run",
	} {
		sink, err := New(Settings{Name: "tell", Type: Command, Command: []string{program}})
		if err != nil {
			t.Fatal(err)
		}
		if err := send(t, sink); err == nil || err.Error() != want {
			t.Errorf("%s: %v", program, err)
		}
	}
}

// What a command has started dies with it when its time is over.
func TestCommandIsKilledWithItsChildren(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	sink, err := New(script(t, `sh -c 'echo $$ > "$0"; sleep 60' "$1" & wait`, file))
	if err != nil {
		t.Fatal(err)
	}
	if err := send(t, sink); err == nil || err.Error() != "the command did not end in time, and was killed" {
		t.Error(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if syscall.Kill(pid, 0) != nil || zombie(pid) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d still runs", pid)
}

// zombie reports whether a process has ended and nobody has waited for it.
func zombie(pid int) bool {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(raw), ") Z ")
}
