package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Problem is one thing that is wrong in a file.
type Problem struct {
	Line    int // 0: the whole file
	Message string
}

// Error lists what is wrong in a file, by line. It holds no secret.
type Error struct {
	Path     string
	Problems []Problem
}

// mostProblems is how many problems an error lists.
const mostProblems = 20

// Error has one line for each problem, which begins with file and line number.
func (e *Error) Error() string {
	var lines []string
	for i, p := range e.Problems {
		if i == mostProblems {
			lines = append(lines, e.Path+": and more")
			break
		}
		place := e.Path
		if p.Line > 0 {
			place += ":" + strconv.Itoa(p.Line)
		}
		lines = append(lines, place+": "+p.Message)
	}
	return strings.Join(lines, "\n")
}

// MaxBytes bounds a configuration: the parser takes time with the square of the keys of a
// table. A thousand workspaces need half of it.
const MaxBytes = 256 << 10

// Parse reads a configuration, which is TOML in UTF-8. The path is only told. The error
// is an [*Error].
func Parse(path string, text []byte) (Config, error) {
	values := map[string]any{}
	if err := toml.Unmarshal(text, &values); err != nil {
		return Config{}, &Error{path, []Problem{syntaxProblem(err)}}
	}
	doc := &document{lines: keyLines(text)}
	c := doc.config(&table{document: doc, values: values})
	c.Path = path
	if len(doc.problems) > 0 {
		slices.SortStableFunc(doc.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
		return Config{}, &Error{path, doc.problems}
	}
	c.Settings, c.Warnings = doc.settings, doc.warnings
	return c, nil
}

// syntaxProblem says where a text is no TOML. What the parser says of it may repeat the
// text, which may be a secret.
func syntaxProblem(err error) Problem {
	wrong, ok := errors.AsType[*toml.DecodeError](err)
	if !ok {
		return Problem{0, "this is not TOML"}
	}
	line, column := wrong.Position()
	if message := err.Error(); strings.Contains(message, "already") || strings.Contains(message, "redefin") {
		return Problem{line, fmt.Sprintf("column %d: this key or table is given twice", column)}
	}
	return Problem{line, fmt.Sprintf("column %d: this is not TOML; texts need quotes, and a key stands alone on its line: key = \"value\"", column)}
}

func (d *document) config(top *table) Config {
	c := Config{Workspaces: d.workspaces(top.below("workspaces"))}
	c.Rules = d.rules(top.below("alerts"))
	c.Sinks = d.sinks(top, c.Workspaces)
	c.Watch = d.watch(top.below("watch"))
	top.unknownKeys("")
	return c
}

// The bounds of the time between two runs, and between two reminders.
const (
	leastEvery = time.Second
	mostEvery  = 366 * day
)

func (d *document) workspaces(t *table) map[string]Workspace {
	workspaces := map[string]Workspace{}
	keys := map[Reference]bool{}
	for _, name := range t.inOrder() {
		if err := CheckName(name); err != nil {
			t.fail(t.line(name), "workspaces: %s", err)
			continue
		}
		one := t.below(name)
		if one.values == nil {
			continue // no table
		}
		w := Workspace{Token: one.reference("token")}
		switch line := d.lines[one.path]; {
		case w.Token == Reference{} && name != DefaultWorkspace && !one.has("token_file") && !one.has("token_env"):
			d.fail(line, "a workspace needs token_file or token_env, which say where its API key is")
		case w.Token != Reference{} && keys[w.Token]:
			d.fail(line, "another workspace has the same token_file or token_env; a key belongs to one workspace")
		}
		keys[w.Token] = true
		w.Every = one.duration("every", 0, leastEvery, mostEvery, "not given")
		one.unknownKeys(" of a workspace")
		workspaces[name] = w
	}
	return workspaces
}

func (d *document) watch(t *table) Watch {
	w := Watch{Every: t.duration("every", defaultEvery, leastEvery, mostEvery, "")}
	w.Jitter = t.duration("jitter", min(defaultJitter, w.Every/10), 0, mostEvery, "")
	if w.Jitter > w.Every {
		t.wrong("jitter", "it is longer than watch.every, which is %s", FormatDuration(w.Every))
	}
	if listen, given := t.text("listen"); given {
		host, problem := checkAddress(listen)
		if problem != "" {
			t.wrong("listen", `an address and a port are expected, such as "127.0.0.1:9477": %s`, problem)
		}
		if ip := net.ParseIP(host); problem == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			t.warn("listen", "other machines can read the metrics, which need no password")
		}
		w.Listen = listen
	}
	t.set("listen", cmp.Or(w.Listen, "none"))
	t.unknownKeys(" of [watch]")
	return w
}

// warn notes what is allowed and still unwise.
func (t *table) warn(key, format string, args ...any) {
	t.warnings = append(t.warnings, fmt.Sprintf("line %d: %s: %s", t.line(key), key, fmt.Sprintf(format, args...)))
}

// checkAddress returns the host of host:port, or what is wrong.
func checkAddress(address string) (host, problem string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", "there is no port"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "the port is not a number from 1 to 65535"
	}
	if strings.ContainsAny(host, " /@") {
		return "", "the host is not a name or an IP address"
	}
	return host, ""
}
