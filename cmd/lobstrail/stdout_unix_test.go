//go:build unix

package main

import (
	"os"
	"strings"
	"testing"
)

// shell runs a line of shell in a home.
func (h *home) shell(line string) outcome {
	h.t.Helper()
	cmd := h.command()
	cmd.Path, cmd.Args, cmd.Err = "/bin/sh", []string{"sh", "-c", line}, nil
	if _, err := os.Stat(cmd.Path); err != nil {
		h.t.Skip("no shell here: ", err)
	}
	return finish(h.t, cmd)
}

// TestAnAnswerThatDoesNotArrive: a closed standard output, a full one, and a reader
// that has ended. No command says "done" then.
func TestAnAnswerThatDoesNotArrive(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.vars["LOBSTRAIL_DB"] = demoStore(t)
	where := map[string]string{
		">&-": "standard output is closed", ">/dev/full": "no space left", "| (exec <&-; sleep 0.1)": "broken pipe",
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		delete(where, ">/dev/full")
	}
	for _, args := range []string{
		"accounts", "accounts --json", "show claire.moreau", "changes", "diff 7d", "squids", "report", "runs", "runs 1 --format csv", "sql 'SELECT 1'",
		"verify --json", "prune --keep-daily 7 --dry-run --json", "backup copy.db --json --force", "version", "version --json",
		"--version", "help", "help accounts", "accounts --help", "completion bash", "completion", "",
	} {
		for to, want := range where {
			// The exit code of the first of two in a pipe is on descriptor 3.
			line := "{ { sleep 0.2; lobstrail " + args + "; echo $? >&3; } " + to + "; } 3>code"
			if !strings.HasPrefix(to, "|") {
				line = "lobstrail " + args + " " + to + "; echo $? >code"
			}
			o := h.shell(line)
			code, err := os.ReadFile(h.dir + "/code")
			if err != nil || string(code) != "1\n" || !strings.Contains(o.stderr, want) {
				t.Errorf("lobstrail %s %s: exit %q, %s", args, to, code, o)
			}
		}
	}
}

// TestNobodyListens: work that was done is no failure because nobody can read
// what is told of it; an exit code needs no reader.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.vars["LOBSTRAIL_DB"] = demoStore(t)
	for line, want := range map[string]struct {
		code   int
		stderr string
	}{
		"verify >&-":                                {exitDone, "note: standard output is closed"},
		"verify --quiet >&-":                        {exitDone, ""},
		"verify >&- 2>&-":                           {exitDone, ""},
		"verify >/dev/null":                         {exitDone, ""},
		"accounts >/dev/null":                       {exitDone, ""},
		"accounts >/dev/null 2>&1":                  {exitDone, ""},
		"diff 7d --exit-code >&-":                   {exitDifference, ""},
		"changes --since 1s --exit-code >&-":        {exitDone, ""},
		"changes --since 1s --exit-code >/dev/null": {exitDone, ""},
		"report -o r.html >&-":                      {exitDone, "Wrote r.html"},
	} {
		o := h.shell("lobstrail " + line)
		if o.code != want.code || !strings.Contains(o.stderr, want.stderr) || want.stderr == "" && o.stderr != "" {
			t.Errorf("%s: %s", line, o)
		}
	}
}
