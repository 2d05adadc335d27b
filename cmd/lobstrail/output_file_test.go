package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report/render"
)

// TestReportsAreWrittenWhole: -o writes what stdout would have got, and leaves the
// file alone when it cannot.
func TestReportsAreWrittenWhole(t *testing.T) {
	t.Parallel()
	demo, dir := demoStore(t), t.TempDir()
	until := demoStart(time.Now()).AddDate(0, 0, 14).Add(time.Hour) // the demo's data are not old then
	if now := time.Now(); until.After(now) {
		until = now
	}
	period := []string{"--since", until.AddDate(0, 0, -21).Format(time.RFC3339), "--until", until.Format(time.RFC3339), "--db", demo}
	for _, args := range [][]string{
		{"report"}, {"report", "--json"}, {"report", "changes", "--format", "csv"}, {"report", "runs", "--format", "ndjson"},
		{"report", "--format", "markdown"}, {"report", "--format", "html"}, {"report", "--format", "SVG"}, {"report", "-o", "-"},
	} {
		args = append(args, period...)
		stdout := within(0, nil, args...)
		file := filepath.Join(dir, "report")
		if err := os.WriteFile(file, []byte("old"), 0o640); err != nil {
			t.Fatal(err)
		}
		o := within(80, nil, append(args, "-o", file)...)
		written, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if o.code != exitDone || o.stdout != "" || !strings.HasPrefix(o.stderr, "Wrote "+file) || string(written) != stdout.stdout || len(written) < 1000 {
			t.Errorf("%q: %s\nwrote %d bytes, want %d", args, o, len(written), len(stdout.stdout))
		}
	}
	refused := within(0, nil, append([]string{"report", "-o", filepath.Join(dir, "nowhere", "report.html"), "--format", "html"}, period...)...)
	if refused.code != exitFailed || !strings.Contains(refused.stderr, filepath.Join("nowhere", "report.html")) || !strings.Contains(refused.stderr, "-o") {
		t.Errorf("no folder: %s", refused)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// TestPicturesAreForReports: and not for terminals.
func TestPicturesAreForReports(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	for _, test := range []struct {
		columns int
		args    string
		says    string
	}{
		{0, "accounts --format html", "only the report can be written as html"},
		{0, "changes --format svg", "lobstrail report --format svg -o report.svg"},
		{80, "report --format html", "name a file: -o report.html"},
		{80, "report --format svg -o -", "name a file: -o report.svg"},
		{0, "report --format html --json", "contradict"},
		{0, "report --format csv -o x.csv", "name it: lobstrail report status|squids|limits|changes|runs"},
	} {
		o := within(test.columns, nil, append(strings.Fields(test.args), "--db", demo)...)
		if o.code != exitUsage || !strings.Contains(o.stderr, test.says) || o.stdout != "" {
			t.Errorf("%s: %s", test.args, o)
		}
	}
}

// TestSectionsOpenInSpreadsheets: each is one table, with a header, and rows that
// fit it.
func TestSectionsOpenInSpreadsheets(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	for _, section := range sectionNames {
		o := within(0, nil, "report", section, "--since", "3w", "--format", "csv", "--db", demo)
		rows, err := csv.NewReader(strings.NewReader(o.stdout)).ReadAll() // which counts the cells
		if err != nil || len(rows) < 5 || o.code != exitDone {
			t.Errorf("%s: %d rows, %v: %s", section, len(rows), err, o.stderr)
		}
	}
}

// TestPagesOfHostileNames: each name is on the page as text, and nothing of it is
// markup.
func TestPagesOfHostileNames(t *testing.T) {
	t.Parallel()
	h := hostileHome(t)
	page, _ := readBack(t, h.db, h.vars)
	for _, tag := range []string{"iframe", "object", "embed", "link", "base"} {
		if found := page.find(tag); len(found) > 0 {
			t.Errorf("there is an element %s", tag)
		}
	}
	if scripts := page.find("script"); len(scripts) != 1 || len(page.find("style")) != 1 {
		t.Errorf("%d scripts", len(scripts))
	}
	text := page.text()
	checkHarmless(t, []string{"report", "--format", "html"}, "html", 0, text)
	for _, name := range hostileNames {
		name = strings.Join(strings.Fields(render.Truncate(name, 60)), " ")
		if name = strings.TrimSuffix(name, "…"); !strings.Contains(text, name) {
			t.Errorf("%q is not on the page", name)
		}
	}
}

// demoEnd is when the demo ended: at 06:00. Counted from it, each column of a
// timeline begins where it did for any other test; counted from now, at any minute.
func demoEnd() time.Time {
	end := time.Now().UTC().Truncate(24 * time.Hour).Add(6 * time.Hour)
	if end.After(time.Now()) {
		end = end.AddDate(0, 0, -1)
	}
	return end
}

// TestTimelinesAreForTerminals: blocks in colours, letters without.
func TestTimelinesAreForTerminals(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	until := demoEnd()
	args := []string{"report", "status", "--since", until.AddDate(0, 0, -21).Format(time.RFC3339), "--until", until.Format(time.RFC3339), "--db", demo}
	if o := within(0, nil, args...); strings.Contains(o.stdout, "\nHealth\n") {
		t.Errorf("in a file: %s", o)
	}
	if o := within(100, nil, args...); !strings.Contains(o.stdout, "\x1b[31m███") || !strings.Contains(o.stdout, "█ expired") {
		t.Errorf("in colours: %s", o)
	}
	plain := within(100, map[string]string{"NO_COLOR": "1"}, args...)
	if !strings.Contains(plain.stdout, ".EEEE") || !strings.Contains(plain.stdout, "E expired") || strings.Contains(plain.stdout, "█") {
		t.Errorf("without colours: %s", plain)
	}
	if o := within(40, nil, args...); strings.Contains(o.stdout, "blank: not watched") {
		t.Errorf("where there is no room: %s", o)
	}
}

// TestAccountsShowTheirLastFortnight in tables, and only there.
func TestAccountsShowTheirLastFortnight(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	o := within(0, nil, "accounts", "--at", demoEnd().Format(time.RFC3339), "--db", demo)
	if !strings.Contains(o.stdout, "LAST 14 DAYS") || !strings.Contains(o.stdout, "....EEEE......") {
		t.Errorf("a table: %s", o)
	}
	if o := within(80, nil, "accounts", "--db", demo); !strings.Contains(o.stdout, "14 DAYS") || !strings.Contains(o.stdout, "█") {
		t.Errorf("a narrow terminal: %s", o)
	}
	past := within(0, nil, "accounts", "--at", "6d", "--db", demo)
	if !strings.Contains(past.stdout, "EEE") || past.stdout == o.stdout {
		t.Errorf("in the past: %s", past)
	}
	for _, format := range []string{"json", "ndjson", "csv", "markdown"} {
		if o := within(0, nil, "accounts", "--format", format, "--db", demo); strings.Contains(o.stdout, "EEE") || strings.Contains(strings.ToLower(o.stdout), "14 days") {
			t.Errorf("%s: %s", format, o)
		}
	}
}
