//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestWaitingForAFileCanBeInterrupted: for a pipe that nobody writes to, and for a
// standard input that does not end.
func TestWaitingForAFileCanBeInterrupted(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.vars["LOBSTRAIL_DB"], h.vars["LOBSTR_TOKEN"] = demoStore(t), "k"
	if err := syscall.Mkfifo(filepath.Join(h.dir, "pipe"), 0o600); err != nil {
		t.Skip(err)
	}
	for _, args := range []string{
		"snapshot --token-file pipe", "snapshot --from pipe", "snapshot --from -", "checkpoint --key pipe", "verify --checkpoint pipe",
		"verify --checkpoint x --verifier pipe", "verify-proof pipe", "verify-proof -", "sql", "key --public pipe", "prove claire.moreau --checkpoint pipe",
		"accounts --config pipe", "config check --config pipe",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			stdin, open, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			defer open.Close()
			var stderr bytes.Buffer
			cmd := h.command(strings.Fields(args)...)
			cmd.Stdin, cmd.Stderr = stdin, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case err := <-ended:
				t.Fatalf("it did not wait: %v, %s", err, stderr.String())
			case <-time.After(time.Second): // it has begun to wait by then, or the signal kills it
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ended:
			case <-time.After(10 * time.Second):
				t.Fatal("it waits on")
			}
			if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(stderr.String(), "interrupted") {
				t.Errorf("exit %d, %s", code, stderr.String())
			}
		})
	}
}

// TestASecretIsNotWaitedForWithoutEnd: nobody can interrupt a job of cron.
func TestASecretIsNotWaitedForWithoutEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, db := filepath.Join(dir, "pipe"), filepath.Join(dir, "store.db")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	queueMessages(t, db, "acme", 1, "ops")
	file := writeConfig(t, "[[sinks]]\nname = \"ops\"\ntype = \"webhook\"\nurl_file = \""+pipe+"\"\n")
	code, _, stderr := inProcess(map[string]string{"LOBSTRAIL_DB": db, "LOBSTRAIL_CONFIG": file}, "alerts", "deliver")
	if code != exitFailed || !strings.Contains(stderr, "sink ops: "+pipe+": nothing to read within 5s; 1 message waits") {
		t.Errorf("exit %d %s", code, stderr)
	}
}

// TestAPipeIsWrittenTo: a new file in its place would leave its reader waiting. The same
// holds for /dev/stdout.
func TestAPipeIsWrittenTo(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	for _, args := range []string{"report --json -o ", "metrics --textfile "} {
		reader, err := os.OpenFile(pipe, os.O_RDWR|syscall.O_NONBLOCK, 0) // which does not wait for a writer
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan string, 1)
		go func() {
			text := make([]byte, 100)
			n, _ := reader.Read(text)
			read <- string(text[:n])
			_, _ = io.Copy(io.Discard, reader) // until it is closed
		}()
		o := within(0, nil, append(strings.Fields(args+pipe), "--db", demoStore(t))...)
		if info, err := os.Lstat(pipe); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
			t.Fatalf("%s: the pipe was replaced: %v; %s", args, err, o)
		}
		if text := <-read; o.code != exitDone || len(text) < 50 {
			t.Errorf("%s: %q, %s", args, text, o)
		}
		reader.Close()
	}
}
