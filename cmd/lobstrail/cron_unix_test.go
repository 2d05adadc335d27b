//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// TestReadmeCronLinesWork runs the lines for a crontab as cron does: with nothing in the
// environment but a home and a short PATH (and where the fake API is). They print nothing
// when all goes well, and on stderr when something is wrong.
func TestReadmeCronLinesWork(t *testing.T) {
	clock := lobstrtest.NewClock(time.Now().UTC().Add(-time.Hour))
	world := lobstrtest.NewWorld(clock)
	world.Add(lobstrtest.Account{Username: "ada", Type: lobstrtest.LinkedIn})
	server := lobstrtest.New(t, world)
	home := cronHome(t)
	asCron := func(line string) (stdout, stderr string, err error) {
		var out, errs bytes.Buffer
		cmd := exec.Command("sh", "-c", line)
		cmd.Env = []string{"HOME=" + home, "PATH=/usr/bin:/bin", "LOBSTR_API_BASE=" + server.URL}
		cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &errs, home
		err = cmd.Run()
		return out.String(), errs.String(), err
	}
	quiet := append(cronLines(readme(t)), cronLines(findTopic("cron").text)...)
	if len(quiet) != 8 {
		t.Fatalf("%d lines: %q", len(quiet), quiet)
	}
	for _, line := range quiet {
		stdout, stderr, err := asCron(line)
		asked := strings.Contains(line, "report --summary")
		if err != nil || stderr != "" || (stdout != "") != asked {
			t.Errorf("%s: %v, %q, %q", line, err, stdout, stderr)
		}
	}
	server.Close()
	for _, line := range quiet {
		if !strings.Contains(line, " snapshot ") {
			continue
		}
		stdout, stderr, err := asCron(strings.Replace(line, "--quiet", "--quiet --retries 0", 1))
		if err == nil || stderr == "" || stdout != "" {
			t.Errorf("%s, with the API down: %v, %q, %q", line, err, stdout, stderr)
		}
	}
}

// cronLines are the commands of a crontab in the text, with their five fields left out.
func cronLines(text string) (lines []string) {
	for _, block := range blocks(text, "crontab") {
		for line := range strings.Lines(block) {
			fields := strings.Fields(line)
			if len(fields) > 5 {
				lines = append(lines, strings.TrimSpace(line[strings.Index(line, fields[5]):]))
			}
		}
	}
	return lines
}

// cronHome is a home with the program where "go install" puts it, and the key in a file.
func cronHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	program, err := exec.LookPath("lobstrail")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"go/bin", ".config/lobstrail"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(program, filepath.Join(home, "go", "bin", "lobstrail")); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"key": lobstrtest.DefaultToken + "\n", "config.toml": "[workspaces.default]\ntoken_file = 'key'\n"} {
		if err := os.WriteFile(filepath.Join(home, ".config", "lobstrail", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return home
}
