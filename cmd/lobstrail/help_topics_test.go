package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHelpOfNothingKnownIsWrongUsage(t *testing.T) {
	for typed, want := range map[string]string{
		"nosuch":          "lists the commands and topics",
		"snapshott":       `did you mean "snapshot"?`,
		"slack":           `did you mean "sinks"?`,
		"silence":         `did you mean "alerts"?`,
		"exit":            `did you mean "exit-codes"?`,
		"accounts nosuch": "lists the commands and topics",
	} {
		o := within(80, nil, append([]string{"help"}, strings.Fields(typed)...)...)
		if o.code != exitUsage || o.stdout != "" || !strings.Contains(o.stderr, want) {
			t.Errorf("help %s: %s", typed, o)
		}
	}
}

// A topic is Markdown as it is in the repository where no terminal is.
func TestHelpOfTopics(t *testing.T) {
	overview := within(80, nil, "help").stdout
	for _, topic := range topics() {
		if !strings.Contains(overview, "\n  "+topic.name+" ") {
			t.Errorf("%s is not in the overview", topic.name)
		}
		if o := within(0, nil, "help", topic.name); o.code != exitDone || !strings.HasSuffix(o.stdout, topic.text) {
			t.Errorf("%s: %s", topic.name, o)
		}
		code := regexp.MustCompile("(?s)```.*?```")
		for line := range strings.Lines(code.ReplaceAllString(topic.text, "")) {
			if width := utf8.RuneCountInString(line); width > 122 && !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "    ") {
				t.Errorf("%s: a line of %d: %s", topic.name, width, line)
			}
		}
	}
}

// Only what is to be copied may be wider than the terminal.
func TestHelpOfTopicsFitsTheTerminal(t *testing.T) {
	for _, topic := range topics() {
		for _, width := range []int{40, 80, 140} {
			laid := layMarkdown(topic.text, width, false)
			for line := range strings.Lines(laid) {
				line = strings.TrimSuffix(line, "\n")
				long := strings.Contains(strings.TrimSpace(line), " ")
				if utf8.RuneCountInString(line) > width && long && !strings.HasPrefix(line, codeMargin) {
					t.Errorf("%s at %d: %q", topic.name, width, line)
				}
			}
			words := regexp.MustCompile(`[a-z_]{3,}`)
			all := strings.ToLower(laid)
			header := regexp.MustCompile(`(?m)^.*\n\|---.*$`) // left out where rows are blocks
			for _, word := range words.FindAllString(header.ReplaceAllString(mdLink.ReplaceAllString(topic.text, "$1"), ""), -1) {
				if !strings.Contains(all, word) && !strings.Contains(topic.text, "```"+word) {
					t.Errorf("%s at %d: %q is missing", topic.name, width, word)
				}
			}
		}
	}
}

func TestHelpHasTheGroupOfEveryCommand(t *testing.T) {
	for _, cmd := range commands(t) {
		if cmd.GroupID == "" {
			t.Errorf("%s is in no group", cmd.Name())
		}
	}
}

func TestHelpCompletesCommandsAndTopics(t *testing.T) {
	o := within(0, nil, "__complete", "help", "")
	for _, want := range []string{"\nsnapshot\t", "\nexit-codes\t", "\nsql\t"} {
		if !strings.Contains("\n"+o.stdout, want) {
			t.Errorf("%q is not proposed: %s", want, o)
		}
	}
	if strings.Count(o.stdout, "sql\t") != 1 {
		t.Errorf("sql is proposed more than once: %s", o)
	}
}

// TestHelpNamesEveryVariable compares the topic with what the command reads.
func TestHelpNamesEveryVariable(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	read, found := regexp.MustCompile(`\b(?:getenv|variable|home|lookup)\("([A-Z_]+)"`), 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range read.FindAllStringSubmatch(string(raw), -1) {
			found++
			if !strings.Contains(findTopic("environment").text, "`"+m[1]+"`") {
				t.Errorf("%s: %s is not in the topic environment", file, m[1])
			}
		}
	}
	if found < 14 {
		t.Errorf("only %d variables were found", found)
	}
}

// TestHelpExamplesWork runs the examples of commands that read, on the demo's store.
func TestHelpExamplesWork(t *testing.T) {
	db, ran := demoStore(t), 0
	t.Chdir(t.TempDir())
	note := regexp.MustCompile(`  +[a-z ]+$`)
	for _, cmd := range commands(t) {
		if cmd.GroupID != "look" {
			continue
		}
		for line := range strings.Lines(cmd.Example) {
			line = strings.TrimSpace(note.ReplaceAllString(strings.TrimRight(line, "\n"), ""))
			if !strings.HasPrefix(line, "lobstrail ") || strings.Contains(line, " < ") {
				continue
			}
			ran++
			runExample(t, db, line)
		}
	}
	if ran < 20 {
		t.Errorf("only %d examples were found", ran)
	}
}

// The flags of a command are wrapped on a terminal.
func TestHelpOfFlagsFitsTheTerminal(t *testing.T) {
	for _, command := range []string{"", "alerts", "watch", "impact"} {
		o := within(80, nil, append(strings.Fields(command), "--help")...)
		_, flags, found := strings.Cut(o.stdout, "Flags:\n")
		if !found || o.code != exitDone {
			t.Errorf("%s: %s", command, o)
		}
		for line := range strings.Lines(flags) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("%s: %q", command, line)
			}
		}
	}
}
