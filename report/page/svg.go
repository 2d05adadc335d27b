package page

import (
	"bufio"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"regexp"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

//go:embed svg.css
var svgText string

// The measures of a picture of its own, in pixels.
const (
	svgWidth  = 900
	svgNames  = 210 // the column of names
	svgBars   = svgWidth - svgNames - 14
	svgRow    = 24
	svgTop    = 74
	svgLetter = 24 // how many of a name there is room for
)

// WriteSVG writes the timeline as a picture of its own, for a README or a wiki: an
// account a row, and those that were healthy for as long as they were watched
// counted in a line below. It has no script and asks for nothing.
func WriteSVG(out io.Writer, p report.Picture) error {
	var rows []report.AccountRow
	steady := 0
	for _, platform := range p.Platforms {
		rows = append(rows, platform.Rows...)
		steady += len(platform.Steady)
	}
	s := newScale(p.Report.Since.Time, p.Report.Until.Time)
	high := svgTop + svgRow*(len(rows)+1)
	b := bufio.NewWriter(out)
	title := fmt.Sprintf("Health of accounts, %s to %s UTC", momentText(p.Report.Since), momentText(p.Report.Until))
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n",
		svgWidth, high, svgWidth, high)
	fmt.Fprintf(b, "<title>%s</title>\n<style>%s%s</style>\n<defs>%s</defs>\n<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n",
		title, barsText, svgText, patterns())
	fmt.Fprintf(b, `<text class="b" x="12" y="20">%s</text>`+"\n", title)
	svgLegend(b)
	fmt.Fprintf(b, `<svg x="%d" y="%d" width="%d" height="16">%s</svg>`+"\n", svgNames, svgTop-18, svgBars, quoted(s.axis()))
	for i, row := range rows {
		y := svgTop + svgRow*i
		fmt.Fprintf(b, `<text class="n" x="12" y="%d">%s</text>`, y+19, template.HTMLEscapeString(clip(nameOf(row.Username, row.ID), svgLetter)))
		fmt.Fprintf(b, `<svg class="s" x="%d" y="%d" width="%d" height="%d">%s%s</svg>`+"\n", svgNames, y, svgBars, svgRow,
			quoted(s.grid()), quoted(s.health(row.Timeline, row.Marks)))
	}
	fmt.Fprintf(b, `<text class="q" x="12" y="%d">%s healthy for as long as watched, and nothing changed</text>`+"\n</svg>\n",
		high-8, render.Count(steady, "account"))
	return b.Flush()
}

// svgLegend says what the bars mean.
func svgLegend(b *bufio.Writer) {
	x := 12
	for _, h := range store.Healths {
		fmt.Fprintf(b, `<svg x="%d" y="28" width="28" height="22"><rect class="%s" width="100%%"/></svg><text class="q" x="%d" y="46">%s</text>`,
			x, letterOf(h), x+33, h)
		x += 96
	}
	fmt.Fprintf(b, `<svg x="%d" y="28" width="28" height="22"><rect class="h" width="100%%"/><rect class="we" width="100%%"/></svg>`+
		`<text class="q" x="%d" y="46">one or the other</text>`+"\n", x, x+33)
	fmt.Fprintf(b, `<svg x="%d" y="34" width="12" height="8"><circle cx="50%%"/></svg><text class="q" x="%d" y="46">other change</text>`+"\n", x+140, x+153)
}

var bareAttribute = regexp.MustCompile(`( [a-z0-9]+)=([^ ">]+)`)

// quoted puts the quotes around attributes that HTML can do without, and XML cannot.
func quoted(markup template.HTML) string {
	return bareAttribute.ReplaceAllString(string(markup), `$1="$2"`)
}
