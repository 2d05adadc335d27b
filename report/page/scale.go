package page

import (
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

// scale puts instants of a period on an axis.
type scale struct {
	since  time.Time
	length time.Duration
}

func newScale(since, until time.Time) scale { return scale{since, until.Sub(since)} }

// at is where an instant is, from 0 to 1.
func (s scale) at(t time.Time) float64 {
	if s.length <= 0 {
		return 0
	}
	return math.Min(1, math.Max(0, float64(t.Sub(s.since))/float64(s.length)))
}

// hundredths is a part of the whole as a percentage, to the hundredth, without a
// sign: "12.34", ".5", "100".
func hundredths(part float64) string {
	text := strconv.FormatFloat(math.Round(part*1e4)/100, 'f', -1, 64)
	if strings.HasPrefix(text, "0.") {
		return text[1:]
	}
	return text
}

// tick is a line on the axis, most with a label.
type tick struct {
	at    float64
	label string
}

// steps are how far ticks may be from each other.
var steps = []time.Duration{
	time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour,
	14 * 24 * time.Hour, 28 * 24 * time.Hour, 91 * 24 * time.Hour, 364 * 24 * time.Hour,
}

const (
	mostTicks = 8
	lastLabel = 0.9 // one further right would be cut
)

// ticks divide the period at round instants of UTC.
func (s scale) ticks() (all []tick) {
	step := steps[len(steps)-1]
	for _, candidate := range steps {
		if s.length <= mostTicks*candidate {
			step = candidate
			break
		}
	}
	layout := "2 Jan"
	if step < 24*time.Hour {
		layout = "2 Jan 15:04"
	}
	for t := s.since.UTC().Truncate(step); t.Before(s.since.Add(s.length)) && len(all) < 2*mostTicks; t = t.Add(step) {
		if t.After(s.since) {
			all = append(all, tick{s.at(t), t.Format(layout)})
		}
	}
	return all
}

// axis are the labels of the ticks.
func (s scale) axis() template.HTML {
	var b strings.Builder
	for _, t := range s.ticks() {
		if t.at < lastLabel {
			b.WriteString("<text x=" + hundredths(t.at) + "% y=12>" + t.label + "</text>")
		}
	}
	return template.HTML(b.String())
}

// grid are the lines of the ticks, to be drawn behind bars.
func (s scale) grid() template.HTML {
	var b strings.Builder
	for _, t := range s.ticks() {
		x := hundredths(t.at)
		b.WriteString("<line x1=" + x + "% x2=" + x + "% y2=100% />")
	}
	return template.HTML(b.String())
}
