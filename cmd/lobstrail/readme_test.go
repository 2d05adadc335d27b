package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// readme is the text people start with.
func readme(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// demoBytes is the store that the demo makes. It is made once: it takes seconds.
var demoBytes = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "lobstrail-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	db := filepath.Join(dir, "demo.db")
	if code, _, stderr := inProcess(nil, "demo", "--db", db); code != exitDone {
		return nil, fmt.Errorf("demo: exit %d: %s", code, stderr)
	}
	return os.ReadFile(db)
})

// demoStore answers where a copy of the demo's store is.
func demoStore(t *testing.T) string {
	t.Helper()
	raw, err := demoBytes()
	if err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(t.TempDir(), "demo.db")
	if err := os.WriteFile(db, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return db
}

// inProcess runs one command with an environment of its own.
func inProcess(vars map[string]string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	env := &environment{
		stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: time.Now, zone: time.UTC,
		getenv: func(name string) string { return vars[name] },
	}
	code = run(context.Background(), env, args)
	return code, out.String(), errs.String()
}

// blocks are the fenced blocks of one language.
func blocks(text, language string) (found []string) {
	fence := regexp.MustCompile("(?s)```" + language + "\n(.*?)```")
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

// pages are the texts with examples, each of which stands alone.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"README": readme(t)}
	for _, topic := range topics() {
		all[topic.name] = topic.text
	}
	return all
}

func TestReadmeAndHelpEveryCommandRuns(t *testing.T) {
	ran := 0
	for name, text := range pages(t) {
		lines := commandLines(text)
		if len(lines) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			db := demoStore(t)
			changeToPast(t)
			for _, line := range lines {
				ran++
				runExample(t, db, line)
			}
		})
	}
	if ran < 20 {
		t.Errorf("only %d commands were found", ran)
	}
}

// commandLines are the commands of lobstrail in the examples for a shell.
func commandLines(text string) (lines []string) {
	for _, block := range blocks(text, "sh") {
		for line := range strings.Lines(block) {
			if strings.HasPrefix(line, "lobstrail ") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// runExample runs a command of the text. It must succeed and answer something.
func runExample(t *testing.T, db, line string) {
	t.Helper()
	typed, _, _ := strings.Cut(line, " | ") // what it is piped into is not ours
	typed, file, _ := strings.Cut(typed, " > ")
	words := append(shellWords(strings.TrimPrefix(typed, "lobstrail ")), "--db", db)
	code, out, stderr := inProcess(nil, words...)
	answer := len(out)
	if file != "" {
		if err := os.WriteFile(strings.TrimSpace(file), []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if at := slices.Index(words, "-o"); at > 0 {
		written, err := os.ReadFile(words[at+1])
		if answer += len(written); err != nil {
			t.Error(err)
		}
	}
	if code != exitDone || answer == 0 {
		t.Errorf("%s: exit %d, %d bytes: %s", line, code, answer, stderr)
	}
}

// changeToPast changes to a folder that has what the examples name: the past of import, and
// a configuration with a sink.
func changeToPast(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	const answer = `{"data": [{"id": "d3e97f2cd33658f301bdbe807402ab30", "username": "sales.lead", "status": "200"}]}`
	for _, dir := range []string{"saved", "scraped"} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	const sink = "[[sinks]]\nname = \"ops\"\ntype = \"command\"\ncommand = [\"true\"]\n"
	if err := os.WriteFile("lobstrail.toml", []byte(sink), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"saved/accounts-2026-01-05T0600Z.json", "scraped/accounts.json"} {
		if err := os.WriteFile(file, []byte(answer), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-q", "-m", "scrape"}} {
		args = append([]string{"-C", "scraped", "-c", "user.name=cron", "-c", "user.email=cron@example.com"}, args...)
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
}

// shellWords splits at spaces, except within double quotes.
func shellWords(line string) (words []string) {
	for _, m := range regexp.MustCompile(`"([^"]*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
		words = append(words, m[1]+m[2])
	}
	return words
}

func TestReadmeAndHelpEveryQueryAnswers(t *testing.T) {
	db, ran := demoStore(t), 0
	for _, text := range pages(t) {
		for _, block := range blocks(text, "sql") {
			for query := range strings.SplitSeq(block, ";") {
				if strings.TrimSpace(query) == "" {
					continue
				}
				ran++
				code, out, stderr := inProcess(nil, "sql", "--format", "ndjson", "--db", db, "--", query)
				none := strings.Contains(query, "times > 2") || strings.Contains(query, "healthy_accounts = 0") // the demo has none
				if code != exitDone || len(out) == 0 && !none {
					t.Errorf("%s: exit %d, %d bytes: %s", query, code, len(out), stderr)
				}
			}
		}
	}
	if ran < 7 {
		t.Errorf("only %d queries were found", ran)
	}
}

// The README is for a person with five minutes.
func TestReadmeIsShortAndLeadsOn(t *testing.T) {
	text := readme(t)
	if lines := strings.Count(text, "\n"); lines > 150 {
		t.Errorf("%d lines", lines)
	}
	for _, topic := range topics() {
		if !strings.Contains(text, "(cmd/lobstrail/help/"+topic.name+".md)") {
			t.Errorf("no link to %s", topic.name)
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([^):]*)\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("..", "..", m[1])); err != nil {
			t.Error(err)
		}
	}
	for _, command := range []string{"go run ./cmd/lobstrail demo", "go test ./..."} {
		if ci, err := os.ReadFile("../../.ci/run"); err != nil || !strings.Contains(string(ci), command) || !strings.Contains(text, command) {
			t.Errorf("%s is not in the README and in .ci/run: %v", command, err)
		}
	}
}

func TestHelpNamesEveryColumnOfEveryView(t *testing.T) {
	db := demoStore(t)
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| [^|]+ \\| ([a-z_][^|]*) \\|$")
	note := regexp.MustCompile(` \([^)]*\)`)
	documented := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(findTopic("sql").text, -1) {
		documented[m[1]] = note.ReplaceAllString(m[2], "")
	}
	_, views, stderr := inProcess(nil, "sql", "SELECT name FROM sqlite_schema WHERE type = 'view' AND name <> 'last_response'", "--format", "csv", "--db", db)
	if len(strings.Fields(views)) < 12 {
		t.Fatalf("views: %s%s", views, stderr)
	}
	for _, view := range strings.Fields(views)[1:] {
		query := fmt.Sprintf("SELECT group_concat(name, ', ') AS columns FROM pragma_table_info('%s')", view)
		_, out, stderr := inProcess(nil, "sql", query, "--format", "ndjson", "--db", db)
		var answer struct{ Columns string }
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			t.Fatal(err, stderr)
		}
		if documented[view] != answer.Columns {
			t.Errorf("view %s\n topic: %s\n  view: %s", view, documented[view], answer.Columns)
		}
	}
}

func TestHelpHasTheExitCodesOfTheCode(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "run.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	text, found := findTopic("exit-codes").text, 0
	for _, decl := range file.Decls {
		constants, ok := decl.(*ast.GenDecl)
		if !ok || constants.Tok != token.CONST {
			continue
		}
		for _, spec := range constants.Specs {
			constant := spec.(*ast.ValueSpec)
			found++
			code := constant.Values[0].(*ast.BasicLit).Value
			if !strings.Contains(text, "\n| "+code+" | ") {
				t.Errorf("%s = %s is not in the table", constant.Names[0], code)
			}
		}
	}
	if found != 10 {
		t.Errorf("%d exit codes were found in run.go", found)
	}
}

// Keys of the JSON that scripts rely on, as design.md lists them.
func TestHelpNamesEveryKeyOfTheJSON(t *testing.T) {
	db, text := demoStore(t), findTopic("json").text
	changeToPast(t)
	secret := filepath.Join(t.TempDir(), "key")
	for _, args := range []string{
		"key -o " + secret + " --name x", "checkpoint --key " + secret, "backup backup.db", "prove trendwatch_eu -o p --key " + secret, "verify-proof p",
		"import saved --workspace past", "verify", "prune --keep-within 7d --dry-run", "report", "report --summary", "redact tom.becker --yes", "alerts test ops --config lobstrail.toml", "version", "runs 1", "runs", "accounts", "show trendwatch_eu", "changes", "diff 7d", "squids", "squids --history",
		"impact trendwatch_eu --offline",
		"status", "check --min-healthy 99",
	} {
		_, out, stderr := inProcess(nil, append(strings.Fields(args), "--json", "--db", db)...)
		var answer any
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			t.Fatal(args, err, stderr)
		}
		for _, key := range topKeys(answer) {
			if !strings.Contains(text, "`"+key+"`") {
				t.Errorf("%s --json: key %s is not in the topic json", args, key)
			}
		}
	}
}

func topKeys(answer any) (keys []string) {
	switch v := answer.(type) {
	case []any:
		for _, element := range v {
			keys = append(keys, topKeys(element)...)
		}
	case map[string]any:
		for key := range v {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func TestHelpNamesEveryHealthAndKind(t *testing.T) {
	text := findTopic("words").text
	for _, h := range store.Healths {
		if !strings.Contains(text, fmt.Sprintf("| `%s` |", h)) {
			t.Errorf("health %s is missing", h)
		}
	}
	for _, k := range store.Kinds {
		if !strings.Contains(text, fmt.Sprintf("`%s`", k)) {
			t.Errorf("kind %s is missing", k)
		}
	}
}

// TestReadmeForContributorsNamesEveryLibrary compares the table of libraries with go.mod.
func TestReadmeForContributorsNamesEveryLibrary(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../.github/CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	direct, found := regexp.MustCompile(`(?m)^\t(\S+?)(?:/v[0-9]+)? v\S+$`), 0
	for _, m := range direct.FindAllStringSubmatch(string(mod), -1) {
		found++
		name := strings.TrimPrefix(strings.TrimPrefix(m[1], "github.com/"), "chromedp/")
		if !strings.Contains(string(text), name) {
			t.Errorf("%s has no reason in CONTRIBUTING.md", m[1])
		}
	}
	if found < 20 {
		t.Errorf("only %d libraries were found", found)
	}
}
