package main

import (
	"bytes"
	"testing"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
)

// TestJoinSections: sections of one title become one, a column that one of them leaves out
// comes back, and a footer that says that there is nothing is told only if it is so of all.
func TestJoinSections(t *testing.T) {
	one := func(second, footer string, rows ...string) section {
		s := section{title: "T", columns: []render.Column{{Title: "Name"}, {Title: second}}, footer: func(int) string { return footer }}
		s.rows = rowsFrom(rows, func(r string) []render.Cell { return []render.Cell{render.TextCell(r), render.TextCell("x")} })
		return s
	}
	all := []report.Report{{Workspace: "a"}, {Workspace: "b"}, {Workspace: "c"}}
	for name, test := range map[string]struct {
		sections [][]section
		want     string
	}{
		"rows":    {[][]section{{one("", "", "ann")}, {one("More", "2 hidden.", "bob")}, {one("", "None: no one.")}}, "WORKSPACE  NAME  MORE\na          ann   x\nb          bob   x\n\nWorkspace b: 2 hidden.\n"},
		"nothing": {[][]section{{one("", "None: no one.")}, {one("", "None: no one.")}, {}}, "None: no one.\n"},
	} {
		joined := joinSections(all, test.sections)
		if len(joined) != 1 {
			t.Fatalf("%s: %d sections", name, len(joined))
		}
		var out bytes.Buffer
		if err := joined[0].writeTo(render.New(&out, render.Options{}, joined[0].columns...)); err != nil || out.String() != test.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, out.String(), test.want)
		}
	}
}
