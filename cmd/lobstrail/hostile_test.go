package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// hostileNames are what an account or a squid may call itself.
var hostileNames = []string{
	"\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "line\nbreak", "carriage\rreturn", "tab\ttab", "nul\x00byte", "bell\x07\x08",
	"c1\u009b31m", "del\x7f", "right\u202eleft", "isolate\u2066x", "zero\u200bwidth", "\ufeffbom", "sep\u2028sep",
	`=HYPERLINK("http://x","y")`, "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", " =1+1", "\uff1d1+1",
	"a|b|c", "`code`", "<script>alert(1)</script>", "[link](http://x)", "**bold**", "comma, \"quote\"",
	"\u540d\u524d\u540d\u524d\u540d\u524d", "e\u0301\u0301\u0301", "\U0001f468\u200d\U0001f469\u200d\U0001f467", strings.Repeat("long", 200),
}

// hostileHome is the home of a user whose accounts and squids have such names.
func hostileHome(t *testing.T) *home {
	t.Helper()
	world := nowWorld()
	for i, name := range hostileNames {
		world.Add(lobstrtest.Account{ID: lobstrtest.ID(fmt.Sprint(i)), Username: name, Squids: []string{"squid " + name, name}})
	}
	server := serve(t, world)
	h := newHome(t).asks(server, lobstrtest.DefaultToken)
	if o := within(0, h.vars, "snapshot"); o.code != exitDone {
		t.Fatalf("the snapshot: %s", o)
	}
	for i, name := range hostileNames {
		id := lobstrtest.ID(fmt.Sprint(i))
		happen(world, lobstrtest.Fail(id, 401, name, name), lobstrtest.RenameAccount(id, name+"'"),
			lobstrtest.SetField(id, "note", quoted(name)), lobstrtest.SetLimit(id, name, i))
	}
	if o := within(0, h.vars, "snapshot"); o.code != exitDone {
		t.Fatalf("the second snapshot: %s", o)
	}
	return h
}

func quoted(text string) json.RawMessage {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return raw
}

// TestHostileNamesStayData reads them with every command in every format: what
// acts on a terminal, a page or a spreadsheet never gets there.
func TestHostileNamesStayData(t *testing.T) {
	t.Parallel()
	h := hostileHome(t)
	asked := [][]string{
		{"accounts"}, {"changes"}, {"diff", "1"}, {"squids"}, {"squids", "--history"}, {"runs"}, {"runs", "2"},
		{"impact", lobstrtest.ID("0"), lobstrtest.ID("1"), lobstrtest.ID("9")}, {"impact", "--squid", "squid `code`"},
		{"report", "status"}, {"report", "squids"}, {"report", "limits"}, {"show", lobstrtest.ID("0")},
		{"show", lobstrtest.ID("14")}, {"sql", "SELECT username, type, status_code_info FROM account_current"},
		{"sql", "SELECT username AS \"=1+1\", 1 AS \"a|b\x1b[31m\" FROM account_current"},
	}
	for _, args := range asked {
		for _, format := range []string{"table", "json", "ndjson", "csv", "markdown"} {
			for _, columns := range []int{0, 80} {
				args := append(args, "--format", format)
				o := within(columns, h.vars, args...)
				if o.code != exitDone {
					t.Fatalf("%q: %s", args, o)
				}
				checkHarmless(t, args, format, columns, o.stdout)
				checkHarmless(t, args, "table", 0, o.stderr)
			}
		}
	}
	for _, name := range []string{"\x1b[31mnobody", "no\nbody", "no\u202ebody"} { // what the user types comes back too
		for _, args := range [][]string{{"show", name}, {"changes", "--account", name}, {"accounts", "--at", name}, {name}, {"accounts", "--workspace", name}} {
			checkHarmless(t, args, "table", 0, within(0, h.vars, args...).stderr)
		}
	}
	o := within(0, h.vars, "__complete", "show", "")
	checkHarmless(t, []string{"__complete"}, "completion", 0, o.stdout)
	if lines := strings.Count(o.stdout, "\n"); lines > len(hostileNames)+3 {
		t.Errorf("%d lines for %d accounts: a name breaks lines: %s", lines, len(hostileNames), o.stdout)
	}
}

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// checkHarmless looks at what came out as its reader would.
func checkHarmless(t *testing.T, args []string, format string, columns int, out string) {
	t.Helper()
	if columns > 0 && format == "table" {
		out = colour.ReplaceAllString(out, "") // our own; those of the names are told apart by their escapes
		if strings.Contains(out, "\x1b[31m") {
			t.Errorf("%q: a colour of a name", args)
		}
	}
	for i, r := range out {
		tab := r == '\t' && format == "completion"
		switch {
		case r == '\n', tab, r == '\u200c', r == '\u200d', format == "csv" && r == '\r' && strings.HasPrefix(out[i:], "\r\n"):
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029', r == '\ufffd':
			t.Errorf("%q: %U in %q", args, r, around(out, i))
			return
		}
	}
	switch format {
	case "csv":
		checkCells(t, args, out)
	case "markdown":
		if strings.Contains(out, "<script") {
			t.Errorf("%q: markup reaches the page", args)
		}
		checkMarkdownRows(t, args, out)
	case "json":
		if !json.Valid([]byte(out)) {
			t.Errorf("%q: no JSON: %s", args, out)
		}
	case "ndjson":
		for line := range strings.Lines(out) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%q: no JSON: %s", args, line)
			}
		}
	}
}

func around(text string, i int) string { return text[max(0, i-30):min(len(text), i+30)] }

// checkCells: no cell is what a spreadsheet takes for a formula.
func checkCells(t *testing.T, args []string, out string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Errorf("%q: %d rows, %v", args, len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			trimmed := strings.TrimLeft(cell, " ")
			if _, err := strconv.ParseFloat(cell, 64); err == nil {
				continue // a number, which may be below 0
			}
			if trimmed == "" || !strings.ContainsAny(trimmed[:1], "=+-@\t\r") && !strings.HasPrefix(trimmed, "\uff1d") {
				continue
			}
			t.Errorf("%q: a formula in a cell: %q", args, cell)
		}
	}
}

// checkMarkdownRows: a name with a | makes no further cell.
func checkMarkdownRows(t *testing.T, args []string, out string) {
	t.Helper()
	cells := 0
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if cells != 0 && n != cells {
			t.Errorf("%q: a row of %d cells below one of %d: %q", args, n-1, cells-1, line)
		}
		cells = n
	}
}

// TestHostileNamesAreKeptExactly: JSON gives back what the API sent.
func TestHostileNamesAreKeptExactly(t *testing.T) {
	t.Parallel()
	h := hostileHome(t)
	var accounts []struct {
		Username string `json:"username"`
		Info     string `json:"status_code_info"`
	}
	h.read(&accounts, "accounts")
	kept := map[string]bool{}
	for _, a := range accounts {
		kept[a.Username], kept["info "+a.Info] = true, true
	}
	for _, name := range hostileNames {
		if !kept[name+"'"] || !kept["info "+name] {
			t.Errorf("%q is not kept", name)
		}
	}
}
