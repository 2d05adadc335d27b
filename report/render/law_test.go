package render

import (
	"encoding/csv"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

var footer = regexp.MustCompile(`\nNot shown\s+here:\s`)

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// checkWidth holds that no line is wider than the terminal.
func checkWidth(t testing.TB, out string, width int) {
	t.Helper()
	for line := range strings.Lines(out) {
		line = sgr.ReplaceAllString(strings.TrimSuffix(line, "\n"), "")
		if got := uniseg.StringWidth(line); got > width {
			t.Errorf("line of %d columns on a terminal of %d: %q", got, width, line)
		}
	}
}

// checkRows holds that a table has a line of titles and a line for each row; or, where
// its columns do not fit side by side, a block for each row.
func checkRows(t testing.TB, out string, rows int) {
	t.Helper()
	if at := footer.FindStringIndex(out); at != nil {
		out = out[:at[0]]
	}
	if strings.Count(out, "\n") != rows+1 && strings.Count(out, "\n\n") != rows-1 {
		t.Errorf("neither %d lines nor as many blocks: %q", rows, out)
	}
}

// checkSafe holds that nothing but lines and visible text is written. It names
// the forbidden characters apart from the code under test.
func checkSafe(t testing.TB, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("not UTF-8: %q", out)
	}
	const invisible = "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e" +
		"\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff\ufff9\ufffa\ufffb"
	for _, r := range out {
		if r != '\n' && unicode.IsControl(r) || strings.ContainsRune(invisible, r) || r >= 0xe0000 && r <= 0xe007f {
			t.Errorf("%U in %q", r, out)
		}
	}
}

// checkCSV holds that the records can be read back, but for the documented
// apostrophe, and that no cell is a formula.
func checkCSV(t testing.TB, out string, want [][]string) {
	t.Helper()
	if lines := strings.Count(out, "\n"); lines != len(want) {
		t.Errorf("%d lines for %d records: %q", lines, len(want), out)
	}
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	for _, record := range records {
		for i, cell := range record {
			if dangerous.MatchString(cell) && !negative.MatchString(cell) {
				t.Errorf("formula %q", cell)
			}
			if bare := strings.TrimLeft(cell, "'"); bare != cell && dangerous.MatchString(bare) && !negative.MatchString(bare) {
				record[i] = cell[1:]
			}
		}
	}
	if !reflect.DeepEqual(records, want) {
		t.Errorf("read back\n%q, want\n%q", records, want)
	}
}

var (
	dangerous = regexp.MustCompile(`^[\s\p{Z}]*[=+\-@＝＋－＠]`)
	negative  = regexp.MustCompile(`^-\d+(\.\d+)?([eE][-+]?\d+)?$`)
)

// checkMarkdown holds that a table has the same columns on every line, and that
// no markup is in its cells.
func checkMarkdown(t testing.TB, out string, columns, rows int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != rows+2 {
		t.Fatalf("%d lines for %d rows: %q", len(lines), rows, out)
	}
	for i, line := range lines {
		escaped, pipes := false, 0
		for j, r := range strings.ReplaceAll(line, "@<!-- -->", "@") {
			switch {
			case escaped:
				escaped = false
			case r == '\\':
				escaped = true
			case r == '|':
				pipes++
			case strings.ContainsRune("`<>[]*_~#$", r):
				t.Errorf("markup at %d of %q", j, line)
			}
		}
		if pipes != columns+1 || escaped {
			t.Errorf("line %d has %d pipes for %d columns: %q", i, pipes, columns, line)
		}
	}
}

// checkJSON holds that two texts are the same value, numbers digit by digit.
func checkJSON(t testing.TB, got, want string) {
	t.Helper()
	decode := func(s string) (v any) {
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%v in %q", err, s)
		}
		return v
	}
	if g, w := decode(got), decode(want); !reflect.DeepEqual(g, w) {
		t.Errorf("got %#v, want %#v", g, w)
	}
}

// checkCell writes rows that hold a text in every format and holds all the laws.
func checkCell(t testing.TB, s string, width int) {
	t.Helper()
	columns := []Column{{Title: "A", Key: "a"}, {Title: "B" + s, Key: "b" + s, Flexible: 1}, {Title: "C", Key: "c", Right: true}}
	fill := func(w *Writer) {
		w.Row(s, TextCell(s), TextCell("mid"), TextCell(s))
		w.Row(map[string]string{"v": s}, TextCell("x"), TextCell(s), IntCell(-1))
	}
	out := make(map[Format]string)
	for _, format := range Formats {
		out[format] = rendered(t, Options{Format: format, Width: width}, fill, "", columns...)
		checkSafe(t, out[format])
	}
	checkRows(t, out[Table], 2)
	if width > 0 {
		checkWidth(t, out[Table], max(width, MinWidth))
	} else if !strings.Contains(out[Table], Clean(s)) {
		t.Errorf("table without a terminal lacks %q: %q", Clean(s), out[Table])
	}
	c := Clean(s)
	checkCSV(t, out[CSV], [][]string{{"a", "b" + c, "c"}, {c, "mid", c}, {"x", c, "-1"}})
	checkMarkdown(t, out[Markdown], 3, 2)
	text, _ := json.Marshal(s)
	checkJSON(t, out[JSON], `[`+string(text)+`,{"v":`+string(text)+`}]`)
	if lines := strings.Split(out[NDJSON], "\n"); len(lines) != 3 {
		t.Errorf("ndjson of %d lines: %q", len(lines)-1, out[NDJSON])
	} else {
		checkJSON(t, lines[0], string(text))
		checkJSON(t, lines[1], `{"v":`+string(text)+`}`)
	}
}

func TestHostileNamesStayText(t *testing.T) {
	for _, s := range hostile {
		for _, width := range []int{0, 1, 20, 33, 80} {
			checkCell(t, s, width)
		}
	}
}
