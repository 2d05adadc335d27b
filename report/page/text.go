package page

import (
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// How much of a text is shown, in columns of a terminal. JSON has all of it.
const (
	nameWidth  = 80
	valueWidth = 120
)

// functions are what the template calls.
var functions = template.FuncMap{
	"text":     func(t report.Text) string { return clip(string(t), nameWidth) },
	"clean":    func(s string) string { return clip(s, nameWidth) },
	"name":     func(t report.Text, id string) string { return nameOf(t, id) },
	"time":     timeTag,
	"long":     longTimeTag,
	"later":    laterTag,
	"date":     func(day string) string { return dayAs(day, "2 Jan") },
	"icon":     func(i *report.Image) template.URL { return template.URL(i.URI()) },
	"known":    func(c []report.CookieJSON) bool { return c != nil },
	"day":      func(day string) string { return dayAs(day, "Mon 2 Jan 2006") },
	"moment":   momentText,
	"duration": func(s report.Seconds) string { return render.Rounded(time.Duration(s)) },
	"letter":   letterOf,
	"ill":      illText,
	"status":   statusText,
	"value":    valueText,
	"percent":  percentText,
	"count":    render.Count[int],
	"kindsof":  kindsOf,
	"label":    changeLabel,
	"change":   changeText,
	"islock":   func(path string) bool { return path == "/lock_time" },
	"instant":  instantTag,
	"healths":  func() []store.Health { return store.Healths },
	"patterns": patterns,
	"kinds":    func() []store.Kind { return store.Kinds },
}

// mostMarks is how many marks on one character are shown: no script needs more, and
// heaps of them cover what stands above and below.
const mostMarks = 4

// clip cleans a text and cuts it to so many columns, and what takes no column to a
// bearable length.
func clip(s string, width int) string {
	s = unheap(render.Truncate(s, width))
	if most := 8 * width; len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		return s[:most] + "…"
	}
	return s
}

// unheap puts "…" for the marks on a character that are too many.
func unheap(s string) string {
	var b strings.Builder
	marks := 0
	for _, r := range s {
		if marks++; !unicode.Is(unicode.M, r) {
			marks = 0
		}
		switch {
		case marks <= mostMarks:
			b.WriteRune(r)
		case marks == mostMarks+1:
			b.WriteString("…")
		}
	}
	return b.String()
}

// nameOf is a name, or the beginning of an id where there is none.
func nameOf(name report.Text, id string) string {
	if strings.TrimSpace(string(name)) == "" {
		return clip(report.ShortID(id), nameWidth)
	}
	return clip(string(name), nameWidth)
}

// timeTag is an instant for both: exact for programs, to the minute for people. It
// has no text but digits and names of months.
func timeTag(t report.Time) template.HTML { return timeAs(t, "2 Jan 15:04") }

// longTimeTag is an instant with its year.
func longTimeTag(t report.Time) template.HTML { return timeAs(t, "2 Jan 2006 15:04") }

func timeAs(t report.Time, layout string) template.HTML {
	if t.IsZero() {
		return ""
	}
	exact := strings.Replace(report.FormatTime(t.Time), ".000Z", "Z", 1)
	return template.HTML("<time datetime=" + exact + ">" + t.UTC().Format(layout) + "</time>")
}

// instantTag is the end of a lock, which the API writes as Unix seconds or as text.
func instantTag(raw json.RawMessage) template.HTML {
	if t, ok := store.ParseInstant(raw); ok {
		return longTimeTag(report.Time{Time: t})
	}
	return template.HTML(template.HTMLEscapeString(valueText(raw)))
}

// laterTag is the end of a window: the day is left out when it is that of the
// beginning.
func laterTag(from, t report.Time) template.HTML {
	if from.UTC().Format(time.DateOnly) == t.UTC().Format(time.DateOnly) {
		return timeAs(t, "15:04")
	}
	return timeTag(t)
}

// dayAs is a day as the report has it ("2006-01-02"), for people.
func dayAs(day, layout string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return t.Format(layout)
}

// momentText is an instant with its year, in UTC.
func momentText(t report.Time) string { return t.UTC().Format("2 January 2006 15:04") }

// letterOf is the class of a health, and what stands in its bars.
func letterOf(h store.Health) string {
	if h == "" {
		return ""
	}
	return string(h[:1])
}

// spanText is the time in a health, as tables have it.
func spanText(t report.HealthTimeJSON) string {
	return string(t.Health) + " " + render.Span(time.Duration(t.Min), time.Duration(t.Max))
}

// Rest tells what illText does not: the time in which the account was healthy, and
// that of which nothing certain is known.
func (v view) Rest(a report.AccountTimeJSON) string {
	var parts []string
	for _, t := range a.Times {
		if t.Health == store.Healthy {
			parts = append(parts, spanText(t))
		}
	}
	for _, rest := range []struct {
		what string
		span report.Seconds
	}{{"uncertain", a.Uncertain}, {"not watched", a.NotWatched}} {
		if !report.Negligible(rest.span, v.scale.length) {
			parts = append(parts, rest.what+" "+render.Rounded(time.Duration(rest.span)))
		}
	}
	return strings.Join(parts, ", ")
}

// illText tells the times of an account in other healths than healthy.
func illText(a report.AccountTimeJSON) string {
	var parts []string
	for _, t := range a.Times {
		if t.Health != store.Healthy {
			parts = append(parts, spanText(t))
		}
	}
	return strings.Join(parts, ", ")
}

// statusText is a status with its keyword.
func statusText(status, info report.Text) string {
	if status == "" && info == "" {
		return "none"
	}
	return clip(strings.TrimSpace(string(status)+" "+string(info)), nameWidth)
}

// valueText is a JSON value for people: text without quotes, a dash for none.
func valueText(raw json.RawMessage) string {
	var text string
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "–"
	case raw[0] == '"' && json.Unmarshal(raw, &text) == nil:
		return clip(text, valueWidth)
	}
	return clip(string(raw), valueWidth)
}

// percentText is a share; "" for none.
func percentText(share *float64) string {
	if share == nil {
		return ""
	}
	return fmt.Sprintf("%.0f %%", *share*100)
}
