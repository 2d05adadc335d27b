package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
)

const litestreamVersion = "v0.5.18"

// litestream is the program: the one that LOBSTRAIL_LITESTREAM names, or, in the
// long mode, one that is built for this test. It is none of our modules: it would
// bring a hundred of its own.
func litestream(t *testing.T) string {
	t.Helper()
	if given := os.Getenv("LOBSTRAIL_LITESTREAM"); given != "" {
		return given
	}
	if !*long {
		t.Skip("needs Litestream: name it with LOBSTRAIL_LITESTREAM, or let -long build it")
	}
	dir := t.TempDir()
	build := exec.Command("go", "install", "github.com/benbjohnson/litestream/cmd/litestream@"+litestreamVersion)
	build.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("Litestream cannot be built here (offline?): %v: %s", err, out)
	}
	return filepath.Join(dir, "litestream")
}

// TestLitestream replicates a store while batches run, is killed, and restores: what
// comes back verifies, and the history of the store extends it.
func TestLitestream(t *testing.T) {
	program := litestream(t)
	s := newCrashSite(t)
	h := s.disturbed
	h.must(exitDone, "snapshot")
	config := filepath.Join(h.dir, "litestream.yml")
	replica := fmt.Sprintf("dbs:\n  - path: %s\n    replica:\n      type: file\n      path: %s\n", h.db, filepath.Join(h.dir, "replica"))
	if err := os.WriteFile(config, []byte(replica), 0o600); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		stop := replicate(t, program, config)
		for batch := range 4 {
			happen(s.world, lobstrtest.Expire(s.ids[(4*round+batch)%len(s.ids)]))
			h.must(exitDone, "snapshot")
		}
		h.must(exitDone, "verify")
		h.must(exitDone, "backup", filepath.Join(h.dir, "backup.db"), "--keep", "2")
		time.Sleep(2 * time.Second) // it copies each second
		stop()
		restored := filepath.Join(h.dir, fmt.Sprintf("restored%d.db", round))
		if out, err := exec.Command(program, "restore", "-config", config, "-o", restored, h.db).CombinedOutput(); err != nil {
			t.Fatalf("restore: %v: %s", err, out)
		}
		var copied, source report.VerifyJSON
		h.read(&copied, "verify", "--db", restored)
		h.read(&source, "verify")
		if copied.Entries != source.Entries || copied.Root != source.Root {
			t.Errorf("restored are %d entries, root %s, of %d, root %s", copied.Entries, copied.Root, source.Entries, source.Root)
		}
		h.must(exitDone, "snapshot", "--db", restored)
	}
}

// replicate lets Litestream run until stop kills it.
func replicate(t *testing.T, program, config string) (stop func()) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.Command(program, "replicate", "-config", config)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cmd.Process.Kill() // it runs until somebody does
		cmd.Wait()
		if strings.Contains(said.String(), "level=ERROR") {
			t.Errorf("Litestream says:\n%s", said.String())
		}
	}
	t.Cleanup(stop)
	time.Sleep(time.Second) // until it has begun
	return stop
}
