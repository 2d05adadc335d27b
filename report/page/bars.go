package page

import (
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// letterRoom is the part of the axis that a bar needs for its letter.
const letterRoom = 0.05

// bar writes a rectangle of a class from one instant to another. Heights and
// colours are those of the class.
func (s scale) bar(b *strings.Builder, class string, from, to time.Time) {
	x, end := s.at(from), s.at(to)
	b.WriteString("<rect class=" + class + " x=" + hundredths(x) + "% width=" + hundredths(end-x) + "% ")
}

// titledBar is a bar that tells what it is when it is pointed at. The text is
// words of ours and times.
func (s scale) titledBar(b *strings.Builder, class, what string, from, to time.Time) {
	s.bar(b, class, from, to)
	b.WriteString("><title>" + what + " " + spanOf(from, to) + " UTC</title></rect>")
}

// spanOf writes a stretch of time for people, in UTC.
func spanOf(from, to time.Time) string {
	const layout = "2 Jan 15:04"
	return from.UTC().Format(layout) + " – " + to.UTC().Format(layout)
}

// health draws a timeline. A thin line is where the account was watched and may
// have been healthy; higher bars are all other healths, hatched where they are not
// certain; nothing is where nobody looked.
func (s scale) health(t report.Timeline, marks []report.Mark) template.HTML {
	var b strings.Builder
	watched, open := report.Segment{}, false
	line := func() {
		if open {
			s.bar(&b, "h", watched.From, watched.To)
			b.WriteString("/>")
		}
	}
	for _, segment := range t.Segments {
		healthy := len(segment.Healths) > 0 && segment.Healths[len(segment.Healths)-1] == store.Healthy
		switch {
		case healthy && open:
			watched.To = segment.To
		case healthy:
			watched, open = segment, true
		default:
			line()
			open = false
		}
	}
	line()
	for i, segment := range t.Segments {
		if !s.hairline(t.Segments, i) {
			s.illness(&b, segment)
		}
	}
	for _, m := range marks {
		b.WriteString("<circle cx=" + hundredths(s.at(m.Window.Before.Time)) + "% />")
	}
	return template.HTML(b.String())
}

// thinnest is the least part of the axis that anybody could see.
const thinnest = 0.0006

// hairline reports whether a segment is a window too thin to be seen, at the edge
// of a bar of the same colour that says all the same.
func (s scale) hairline(all []report.Segment, i int) bool {
	if len(all[i].Healths) < 2 || s.at(all[i].To)-s.at(all[i].From) > thinnest {
		return false
	}
	certain := func(j int) bool {
		return j >= 0 && j < len(all) && len(all[j].Healths) == 1 && all[j].Healths[0] == all[i].Healths[0]
	}
	return certain(i-1) || certain(i+1)
}

// illness draws a segment in which the account was, or may have been, anything
// but healthy.
func (s scale) illness(b *strings.Builder, segment report.Segment) {
	if len(segment.Healths) == 0 || segment.Healths[0] == store.Healthy {
		return
	}
	letter := letterOf(segment.Healths[0])
	if len(segment.Healths) > 1 {
		words := make([]string, len(segment.Healths))
		for i, h := range segment.Healths {
			words[i] = string(h)
		}
		s.titledBar(b, "w"+letter, strings.Join(words, " or "), segment.From, segment.To)
		return
	}
	s.titledBar(b, letter, string(segment.Healths[0])+" "+render.Rounded(segment.To.Sub(segment.From))+":", segment.From, segment.To)
	if s.at(segment.To)-s.at(segment.From) >= letterRoom {
		b.WriteString("<text x=" + hundredths((s.at(segment.From)+s.at(segment.To))/2) + "% y=17>" + strings.ToUpper(letter) + "</text>")
	}
}

// lane draws an assignment for as long as the account was watched: hatched in the
// windows in which it may have begun or ended, with a cross where it was lost.
func (s scale) lane(l report.Lane) template.HTML {
	var b strings.Builder
	from, to := l.From.Before.Time, s.since.Add(s.length)
	if l.Watched.Before(to) {
		to = l.Watched.Time
	}
	if !l.From.After.IsZero() && l.From.Before.After(s.since) {
		s.titledBar(&b, "wa", "began", l.From.After.Time, from)
	}
	if l.To != nil {
		to = l.To.After.Time
		s.titledBar(&b, "wa", "ended", to, l.To.Before.Time)
	}
	if from.Before(to) && to.After(s.since) {
		s.bar(&b, "a", from, to)
		b.WriteString("/>")
	}
	switch l.End {
	case report.Lost, report.LostGone:
		b.WriteString("<text class=x x=" + hundredths(s.at(l.To.Before.Time)) + "% y=17>✕</text>")
	case report.Replaced:
		b.WriteString("<text class=m x=" + hundredths(s.at(l.To.Before.Time)) + "% y=17>→</text>")
	}
	return template.HTML(b.String())
}

// runsWidth is how many runs can be told apart.
const runsWidth = 1000

// runs draws where runs began; those that were not complete stand out.
func (s scale) runs(all []store.Run) template.HTML {
	var b strings.Builder
	for _, class := range []string{"k", "z"} {
		b.WriteString("<path class=" + class + ` d="`)
		from, to := -1, -1
		stretch := func() {
			if to > from {
				b.WriteString("M" + strconv.Itoa(from) + " 8h" + strconv.Itoa(to-from))
			}
		}
		for _, run := range all {
			complete := run.State == store.Complete || run.State == store.Running
			if complete != (class == "k") {
				continue
			}
			x := min(int(s.at(run.Started)*runsWidth), runsWidth-1)
			if x > to {
				stretch()
				from = x
			}
			to = x + 1
		}
		stretch()
		b.WriteString(`"/>`)
	}
	return template.HTML(b.String())
}

// proportions draws how many accounts are in which health.
func proportions(c report.HealthCounts) template.HTML {
	var b strings.Builder
	x := 0.0
	for _, h := range store.Healths {
		part := float64(countOf(c, h)) / float64(max(c.Accounts, 1))
		if part > 0 {
			b.WriteString("<rect class=" + letterOf(h) + " x=" + hundredths(x) + "% width=" + hundredths(part) + "% />")
		}
		x += part
	}
	return template.HTML(b.String())
}

// countOf is the number of accounts in a health.
func countOf(c report.HealthCounts, h store.Health) int {
	return map[store.Health]int{
		store.Gone: c.Gone, store.Expired: c.Expired, store.Failing: c.Failing, store.Unknown: c.Unknown,
		store.Locked: c.Locked, store.Healthy: c.Healthy,
	}[h]
}
