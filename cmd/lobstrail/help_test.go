package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// commands are all commands that a user can see, below the root.
func commands(t *testing.T) []*cobra.Command {
	t.Helper()
	root := newApp(&environment{stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" },
		now: time.Now, zone: time.UTC}).root()
	var all []*cobra.Command
	for _, cmd := range root.Commands() {
		if cmd.Runnable() && !cmd.Hidden && cmd.Name() != "help" && cmd.Name() != "completion" { // those are cobra's
			all = append(all, cmd)
		}
	}
	if len(all) < 11 {
		t.Fatalf("only %d commands", len(all))
	}
	return all
}

var exitCodesText = regexp.MustCompile(`(?s)Exit codes: .*\b0 `)

// TestHelpOfEveryCommand: it tells what the command does, gives an example that
// is a command line of it, and lists its exit codes.
func TestHelpOfEveryCommand(t *testing.T) {
	for _, cmd := range commands(t) {
		t.Run(cmd.Name(), func(t *testing.T) {
			o := within(80, nil, cmd.Name(), "--help")
			if o.code != exitDone || o.stderr != "" {
				t.Fatalf("help: %s", o)
			}
			if again := within(80, nil, "help", cmd.Name()); !strings.HasPrefix(again.stdout, o.stdout) { // a topic of that name follows
				t.Errorf("help %s says something else:\n%s", cmd.Name(), again)
			}
			if !strings.Contains(o.stdout, "Examples:\n") || !strings.Contains(cmd.Example, "lobstrail "+cmd.Name()) {
				t.Errorf("no example of it:\n%s", o.stdout)
			}
			if simple := cmd.Name() == "version"; !simple && !exitCodesText.MatchString(o.stdout) {
				t.Errorf("no exit codes:\n%s", o.stdout)
			}
			for _, c := range append(cmd.Commands(), cmd) {
				for line := range strings.Lines(c.Long) {
					if width := len([]rune(strings.TrimSuffix(line, "\n"))); width > 80 {
						t.Errorf("%s: a line of %d: %q", c.Name(), width, line)
					}
				}
			}
		})
	}
}

// TestFlagsOfTheExamplesExist parses every example as the user would type it.
func TestFlagsOfTheExamplesExist(t *testing.T) {
	for _, cmd := range commands(t) {
		for line := range strings.Lines(cmd.Example) {
			_, typed, ok := strings.Cut(line, "lobstrail "+cmd.Name())
			if !ok {
				continue
			}
			words := strings.Fields(typed)
			target := cmd
			for len(words) > 0 {
				sub := slices.IndexFunc(target.Commands(), func(c *cobra.Command) bool { return c.Name() == words[0] })
				if sub < 0 {
					break
				}
				target, words = target.Commands()[sub], words[1:]
			}
			for _, word := range words {
				if word == "|" || word == ">" || word == "&&" {
					break
				}
				name, isFlag := strings.CutPrefix(word, "--")
				if isFlag && target.Flag(name) == nil && target.InheritedFlags().Lookup(name) == nil {
					t.Errorf("%s: no flag %s, in %q", cmd.Name(), word, line)
				}
			}
		}
	}
}

// TestNoArgumentsPanic: whatever words follow a command, the answer is an exit
// code of the table.
func TestNoArgumentsPanic(t *testing.T) {
	codes := map[int]bool{0: true, 1: true, 2: true, 3: true, 10: true, 12: true}
	vars := map[string]string{"HOME": t.TempDir()}
	words := [][]string{
		{}, {""}, {"-"}, {"--"}, {"@"}, {"@x"}, {"%s%d"}, {"--at"}, {"--at", ""}, {"--since", "\x00"}, {"--format", ""},
		{"--db", ""}, {"--db", "/"}, {"--db", "/nonexistent/\x01/x.db"}, {"--workspace", ""}, {"--account", "\xff"},
		{strings.Repeat("a", 10000)}, {"1", "2", "3", "4"}, {"--json", "--format", "json"}, {"--squid", "@"}, {"-h"},
	}
	for _, cmd := range commands(t) {
		if cmd.Name() == "demo" {
			continue // it does not look at its surroundings
		}
		for _, more := range words {
			o := within(80, vars, append([]string{cmd.Name()}, more...)...)
			if !codes[o.code] || o.code != exitDone && o.stdout+o.stderr == "" {
				t.Errorf("%s %q: %s", cmd.Name(), more, o)
			}
			if strings.ContainsAny(o.stderr, "\x00\x01\x1b") || !utf8.ValidString(o.stderr) {
				t.Errorf("%s %q: control characters on stderr: %q", cmd.Name(), more, o.stderr)
			}
		}
	}
}

// TestCompletionKnowsTheStore asks as a shell does.
func TestCompletionKnowsTheStore(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	tests := map[string]struct {
		typed      []string
		want, none []string
	}{
		"ids of accounts":             {[]string{"show", ""}, []string{"\tclaire.moreau", "\ttom.becker"}, nil},
		"names of accounts":           {[]string{"show", "cl"}, []string{"claire.moreau\t"}, []string{"tom.becker"}},
		"more than one for snapshot":  {[]string{"snapshot", "claire.moreau", "tom"}, []string{"tom.becker\t"}, nil},
		"one account is all of show":  {[]string{"show", "claire.moreau", ""}, nil, []string{"tom.becker"}},
		"ids of squids":               {[]string{"squids", ""}, []string{"\tX Mentions (EU)"}, nil},
		"values of --squid":           {[]string{"accounts", "--squid", "X Co"}, []string{"X Competitor Followers\t"}, nil},
		"accounts for impact":         {[]string{"impact", "claire.moreau", "tom"}, []string{"tom.becker\t"}, nil},
		"values of --squid of impact": {[]string{"impact", "--squid", "X Co"}, []string{"X Competitor Followers\t"}, nil},
		"values of --account":         {[]string{"changes", "--account", "nina"}, []string{"Nina Petrova\t"}, nil},
		"values of --account of diff": {[]string{"diff", "7d", "--account", "nina"}, []string{"Nina Petrova\t"}, nil},
		"values of --health":          {[]string{"accounts", "--health", ""}, []string{"expired", "gone"}, nil},
		"values of --kind":            {[]string{"changes", "--kind", ""}, []string{"squid_assigned", "schema"}, nil},
		"formats":                     {[]string{"runs", "--format", ""}, []string{"json", "csv"}, nil},
		"commands":                    {[]string{"acc"}, []string{"accounts\t"}, []string{"snapshot"}},
		"sections of the report":      {[]string{"report", ""}, []string{"limits", "status"}, nil},
		"a workspace without history": {[]string{"show", "--workspace", "none", ""}, nil, []string{"claire"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := within(0, map[string]string{"LOBSTRAIL_DB": demo}, append([]string{"__complete"}, test.typed...)...)
			if o.code != exitDone {
				t.Fatalf("%s", o)
			}
			for _, want := range test.want {
				if !strings.Contains(o.stdout, want) {
					t.Errorf("%q is not among\n%s", want, o.stdout)
				}
			}
			for _, none := range test.none {
				if strings.Contains(o.stdout, none) {
					t.Errorf("%q is among\n%s", none, o.stdout)
				}
			}
		})
	}
}

// TestAnAnswerThatCannotBeWrittenIsAnError: a full disk, a pipe that is closed.
func TestAnAnswerThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	for _, format := range []string{"table", "json", "ndjson", "csv", "markdown"} {
		for _, args := range [][]string{{"accounts"}, {"changes"}, {"squids"}, {"runs"}, {"runs", "1"}, {"show", "tom.becker"},
			{"report", "status"}, {"sql", "SELECT * FROM snapshots"}, {"version"}, {"diff", "1"}} {
			var stderr bytes.Buffer
			env := &environment{stdin: strings.NewReader(""), stdout: closedPipe{}, stderr: &stderr, now: time.Now,
				zone: time.UTC, getenv: func(string) string { return "" }}
			args := append(args, "--db", demo, "--format", format)
			if code := run(context.Background(), env, args); code != exitFailed || !strings.Contains(stderr.String(), "no more") {
				t.Errorf("%q: exit %d, %s", args, code, stderr.String())
			}
		}
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, errNoMore }

var errNoMore = errors.New("no more")
