package main

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// listings are the commands whose answers are tables, each on a store with a long
// history.
var listings = [][]string{
	{"accounts"}, {"accounts", "--all"}, {"accounts", "--at", "5d"},
	{"show", "claire.moreau"},
	{"changes"}, {"changes", "--kind", "limit,squid_assigned"},
	{"diff", "1"}, {"diff", "1", "20"},
	{"squids"}, {"squids", "--history"},
	{"impact", "trendwatch_eu", "kofi_reads_news", "--offline"}, {"impact", "--squid", "X Mentions", "--offline"},
	{"report", "--since", "3w"}, {"report", "status"}, {"report", "squids"}, {"report", "limits"},
	{"runs"}, {"runs", "1"},
	{"sql", "SELECT * FROM account_current"}, {"sql", "SELECT * FROM changes LIMIT 20"},
	{"status"},
	{"version"},
}

// TestTablesFitTheTerminal: no line of a table is wider than the terminal, but for
// commands, which are to be copied; and no instant is cut.
func TestTablesFitTheTerminal(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	for _, columns := range []int{40, 60, 80, 100, 140, 200} {
		for _, args := range listings {
			o := within(columns, nil, append(args, "--db", demo)...)
			if o.code != exitDone || o.stdout == "" {
				t.Fatalf("%q: %s", args, o)
			}
			for line := range strings.Lines(o.stdout) {
				line = plain(strings.TrimSuffix(line, "\n"))
				if cutInstant.MatchString(line) && args[0] != "sql" { // there, instants are in documents too
					t.Errorf("%q at %d columns: an instant is cut: %q", args, columns, line)
				}
				if command.MatchString(line) {
					continue
				}
				if width := uniseg.StringWidth(line); width > columns {
					t.Errorf("%q at %d columns: a line of %d: %q", args, columns, width, line)
				}
			}
		}
	}
}

var (
	command    = regexp.MustCompile(`^    lobstr accounts sync \S+ --account [0-9a-f]{32} --cookies-file cookies\.json$`)
	cutInstant = regexp.MustCompile(`\b20[0-9]{2}(-[0-9]{0,2}){0,2}( [0-9]{0,2}(:[0-9]?)?)?…`)
)

// TestWideKeepsEveryColumn, which a narrow terminal has no room for, and says so.
func TestWideKeepsEveryColumn(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	for _, args := range [][]string{{"accounts"}, {"changes"}, {"runs"}, {"squids"}, {"report", "limits"}} {
		wide := within(66, nil, append(args, "--wide", "--no-color", "--db", demo)...)
		file := within(0, nil, append(args, "--db", demo)...)
		if args[0] != "report" && wide.stdout != file.stdout {
			t.Errorf("%q --wide is not what a file gets:\n%s\n%s", args, wide, file)
		}
	}
	accounts := within(66, nil, "accounts", "--db", demo)
	if !strings.Contains(accounts.stdout, "Not shown here: TYPE, ") || strings.Contains(accounts.stdout, "TYPE  ") {
		t.Errorf("the columns left out are not named: %s", accounts)
	}
}

// plain takes the colours out of a line.
func plain(line string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(line, "\x1b[")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		_, line, _ = strings.Cut(rest, "m")
	}
}

func TestCOLUMNSNarrowsATerminal(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	wide := within(200, nil, "accounts", "--db", demo)
	narrow := within(200, map[string]string{"COLUMNS": "70"}, "accounts", "--db", demo)
	for line := range strings.Lines(narrow.stdout) {
		if width := uniseg.StringWidth(plain(strings.TrimSpace(line))); width > 70 {
			t.Errorf("a line of %d: %q", width, line)
		}
	}
	if wide.stdout == narrow.stdout {
		t.Error("COLUMNS changes nothing")
	}
	if file := within(0, map[string]string{"COLUMNS": "20"}, "accounts", "--db", demo); strings.Contains(file.stdout, "…") {
		t.Errorf("a file was narrowed too: %s", file)
	}
}

// TestColoursAreForTerminals: escape codes come on a terminal only, and there only
// for those who want them.
func TestColoursAreForTerminals(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	tests := map[string]struct {
		columns int
		vars    map[string]string
		flags   []string
		want    bool
	}{
		"a terminal":                {columns: 80, want: true},
		"a file":                    {},
		"a file, TERM set":          {vars: map[string]string{"TERM": "xterm-256color"}},
		"NO_COLOR on a terminal":    {columns: 80, vars: map[string]string{"NO_COLOR": "1"}},
		"a dumb terminal":           {columns: 80, vars: map[string]string{"TERM": "dumb"}},
		"--no-color on a terminal":  {columns: 80, flags: []string{"--no-color"}},
		"JSON on a terminal":        {columns: 80, flags: []string{"--json"}},
		"NDJSON on a terminal":      {columns: 80, flags: []string{"--format", "ndjson"}},
		"CSV on a terminal":         {columns: 80, flags: []string{"--format", "csv"}},
		"Markdown on a terminal":    {columns: 80, flags: []string{"--format", "markdown"}},
		"an empty NO_COLOR is none": {columns: 80, vars: map[string]string{"NO_COLOR": ""}, want: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := within(test.columns, test.vars, append([]string{"accounts", "--db", demo}, test.flags...)...)
			if got := strings.Contains(o.stdout, "\x1b["); got != test.want {
				t.Errorf("escape codes: %v, want %v: %q", got, test.want, o.stdout)
			}
		})
	}
}

// TestFormatsDoNotDependOnTheTerminal: what programs read is the same anywhere.
func TestFormatsDoNotDependOnTheTerminal(t *testing.T) {
	t.Parallel()
	demo, now := demoStore(t), time.Now()
	since, until := now.AddDate(0, 0, -21).Format(time.RFC3339), now.Add(-time.Second).Format(time.RFC3339)
	for _, format := range []string{"json", "ndjson", "csv", "markdown"} {
		for _, args := range listings {
			if args[0] == "report" && len(args) != 2 && (format == "csv" || format == "ndjson") {
				continue
			}
			args := append(args, "--db", demo, "--format", format)
			if args[0] == "report" {
				args = append(args, "--since", since, "--until", until) // else each is of its own now
			}
			file, terminal := within(0, nil, args...), within(40, nil, args...)
			if args[0] == "status" { // which tells ages: each is of its own now
				file.stdout, terminal.stdout = withoutNumbers(file.stdout), withoutNumbers(terminal.stdout)
			}
			if file.code != exitDone || file.stdout != terminal.stdout {
				t.Errorf("%q: to a file\n%sto a terminal\n%s", args, file, terminal)
			}
			if !utf8.ValidString(file.stdout) {
				t.Errorf("%q: not UTF-8", args)
			}
		}
	}
}

func withoutNumbers(text string) string {
	return regexp.MustCompile(`[0-9.]+`).ReplaceAllString(text, "0")
}

// TestStdoutIsTheSameBesideATerminal: a progress bar on stderr takes nothing from
// the answer, and adds nothing to it.
func TestStdoutIsTheSameBesideATerminal(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	addCrowd(world, 25)
	server := serve(t, world)
	server.SetPageLimits(10, 10)
	h := newHome(t).asks(server, "demo-0123456789abcdef0123456789abcdef")
	h.must(exitDone, "snapshot")
	for _, args := range [][]string{{"snapshot"}, {"snapshot", "--json"}, {"snapshot", "--quiet"}} {
		beside, _ := h.snapshotBeside(t, 0, args...)
		atTerminal, bar := h.snapshotBeside(t, 80, args...)
		if masked(beside) != masked(atTerminal) {
			t.Errorf("%q: without a terminal\n%s\nwith one\n%s", args, beside, atTerminal)
		}
		if quiet := strings.Contains(strings.Join(args, " "), "quiet"); (bar == "") != quiet {
			t.Errorf("%q: the bar is %q", args, bar)
		}
	}
}
