package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheDemoLeadsOn runs the demo as a new user would, without a key or anything
// else, and then the commands that it says are worth trying.
func TestTheDemoLeadsOn(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	o := h.must(exitDone, "demo")
	for _, want := range []string{"1 expired", "1 gone", "cookies_expired", "Time in each health", "Nina Petrova", "Limits"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("the report does not tell of %q:\n%s", want, o)
		}
	}
	tried := 0
	for line := range strings.Lines(o.stderr) {
		typed, ours := strings.CutPrefix(strings.TrimSpace(line), "lobstrail ")
		if !ours {
			continue
		}
		tried++
		answer := h.must(exitDone, shellWords(typed)...)
		if strings.Contains(typed, " -o ") {
			if page, err := os.ReadFile(filepath.Join(h.dir, "report.html")); err != nil || len(page) < 10_000 || answer.stdout != "" {
				t.Errorf("%s: %v: %s", line, err, answer)
			}
			continue
		}
		if len(answer.stdout) < 100 || answer.stderr != "" {
			t.Errorf("%s: %s", line, answer)
		}
	}
	if tried != 4 {
		t.Errorf("%d commands to try, want 4:\n%s", tried, o.stderr)
	}
	for _, dir := range []string{"home", "data", "config"} {
		if _, err := os.Stat(filepath.Join(h.dir, dir)); err == nil {
			t.Errorf("the demo has put something into the user's %s", dir)
		}
	}
}
