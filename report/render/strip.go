package render

import (
	"strings"
	"unicode/utf8"

	"github.com/lobstrail/lobstrail/store"
)

// Mark is one column of a strip: the health in one part of a time.
type Mark struct {
	Health  store.Health // "" for a part in which nobody looked
	Certain bool         // it was in that health, and not only may have been
}

// StripCell is a timeline, one column of the terminal a mark: blocks where there are
// colours, and letters where there are none.
func StripCell(marks []Mark) Cell { return Cell{kind: stripKind, strip: marks} }

// blocks are higher the worse a health is. Some have the same height and differ by
// colour, which is why there are letters.
var blocks = map[store.Health]string{
	store.Healthy: "▁", store.Locked: "▃", store.Unknown: "▄", store.Failing: "▆", store.Expired: "█", store.Gone: "▔",
}

const uncertainBlock = "▒"

// letters writes a point for healthy and the first letter of any other health, a
// small one where it is not certain.
func letters(marks []Mark) string {
	var b strings.Builder
	for _, m := range marks {
		b.WriteString(m.letter())
	}
	return strings.TrimRight(b.String(), " ")
}

func (m Mark) letter() string {
	switch {
	case m.Health == "":
		return " "
	case m.Health == store.Healthy:
		return "."
	case m.Certain:
		return strings.ToUpper(string(m.Health[:1]))
	}
	return string(m.Health[:1])
}

func (m Mark) block() string {
	switch {
	case m.Health == "":
		return " "
	case !m.Certain:
		return uncertainBlock
	}
	return blocks[m.Health]
}

// strip makes a field of marks. Its text is a character a mark, so that it can be
// cut like any other.
func (t *tableRows) strip(marks []Mark) field {
	if !t.options.Color {
		text := letters(marks)
		return field{text: text, width: len(text), strip: marks}
	}
	var b strings.Builder
	for _, m := range marks {
		b.WriteString(m.block())
	}
	text := strings.TrimRight(b.String(), " ")
	return field{text: text, width: utf8.RuneCountInString(text), strip: marks}
}

// painted is the text of a field in its colours: those of a strip change from mark
// to mark.
func (o Options) painted(f field) string {
	if f.strip == nil {
		return paint(f.text, f.code)
	}
	var b strings.Builder
	at, from := 0, 0
	flush := func(to int) {
		if part := f.text[from:to]; strings.TrimSpace(part) != "" {
			part = paint(part, o.colorOf(f.strip[at-1].Health))
			b.WriteString(part)
		} else {
			b.WriteString(part)
		}
		from = to
	}
	for i := range f.text { // a character a mark, but for a cut at the end
		if at > 0 && at < len(f.strip) && f.strip[at].Health != f.strip[at-1].Health {
			flush(i)
		}
		at = min(at+1, len(f.strip))
	}
	flush(len(f.text))
	return b.String()
}

// StripLegend says what the marks of a strip mean.
func StripLegend(color bool) string {
	var parts []string
	for i := range store.Healths {
		h := store.Healths[len(store.Healths)-1-i]
		m := Mark{Health: h, Certain: true}
		sign := m.letter()
		if color {
			sign = m.block()
		}
		parts = append(parts, sign+" "+string(h))
	}
	maybe := "a small letter: it may have been"
	if color {
		maybe = uncertainBlock + " may have been"
	}
	return strings.Join(append(parts, maybe, "blank: not watched"), ", ")
}
