package page

import (
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report"
)

// A chart is so many units high, and one wide for each day. A small one cannot show
// more.
const (
	largeChart = 16
	smallChart = 8
	mostShare  = 1.1 // what is above the limit by more is cut
)

// shapes are the parts of charts that many have in common, each with a name.
type shapes struct {
	days  int
	names map[string]string // path to id
	list  []string
}

// newShapes finds the marks of resets that more than one chart has.
func newShapes(p report.Picture) *shapes {
	s := &shapes{names: map[string]string{}}
	since, until := p.Report.Since.UTC().Truncate(24*time.Hour), p.Report.Until.UTC()
	for t := since; t.Before(until); t = t.Add(24 * time.Hour) {
		s.days++
	}
	times := map[string]int{}
	for _, c := range p.Limits {
		path := resetPath(c.Resets, highOf(c))
		if times[path]++; path != "" && times[path] == 2 {
			s.names[path] = "r" + strconv.Itoa(len(s.list))
			s.list = append(s.list, path)
		}
	}
	return s
}

// definitions are the shared paths, for a picture that is not seen.
func (s *shapes) definitions() template.HTML {
	var b strings.Builder
	for _, path := range s.list {
		b.WriteString("<path id=" + s.names[path] + " class=r d=\"" + path + "\"/>")
	}
	return template.HTML(b.String())
}

// chart draws the use of a limit: a step for each day whose height is its share of
// the limit then in force, a tick below the days with a reset, and a line where the
// limit was edited.
func (s *shapes) chart(c report.LimitChart, since time.Time, high int) template.HTML {
	var b strings.Builder
	b.WriteString(`<path class=y d="` + stepPath(c.Bars, high) + `"/>`)
	if path := resetPath(c.Resets, high); path != "" {
		if name := s.names[path]; name != "" {
			b.WriteString("<use href=#" + name + " />")
		} else {
			b.WriteString(`<path class=r d="` + path + `"/>`)
		}
	}
	first := since.UTC().Truncate(24 * time.Hour)
	for _, e := range c.Edits {
		day := e.Window.Before.Sub(first).Hours() / 24
		b.WriteString("<path class=d d=\"M" + strconv.FormatFloat(math.Round(day*10)/10, 'f', -1, 64) + " 0v" + strconv.Itoa(high) + "\"/>")
	}
	return template.HTML(b.String())
}

// highOf is the height of the chart of a limit.
func highOf(c report.LimitChart) int {
	if c.Notable() {
		return largeChart
	}
	return smallChart
}

// height is that of a share, in units.
func height(share float64, high int) int {
	return int(math.Round(math.Min(math.Max(share, 0), mostShare) * float64(high)))
}

// stepPath is the outline of the days, from the base and back to it, a stretch of
// equal days at a time.
func stepPath(bars []report.LimitBar, chart int) string {
	var b strings.Builder
	day, high := 0, 0
	to := func(nextDay, nextHigh int) {
		if nextDay > day {
			b.WriteString("h" + strconv.Itoa(nextDay-day))
		}
		if nextHigh != high {
			b.WriteString("v" + strconv.Itoa(high-nextHigh))
		}
		day, high = nextDay, nextHigh
	}
	for i, bar := range bars {
		if i > 0 && bars[i-1].Day+1 < bar.Day {
			to(bars[i-1].Day+1, 0) // nothing is known of the days between
		}
		if h := height(bar.Share, chart); h != high {
			to(bar.Day, h)
		}
	}
	if n := len(bars); n > 0 {
		to(bars[n-1].Day+1, 0)
	}
	return "M0 " + strconv.Itoa(chart) + b.String() + "z"
}

// resetPath are ticks at the beginning of days.
func resetPath(days []int, high int) string {
	var b strings.Builder
	for _, day := range days {
		b.WriteString("M" + strconv.Itoa(day) + " " + strconv.Itoa(high) + "v3")
	}
	return b.String()
}
