package render

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

const (
	dayLayout    = "2006-01-02"
	clockLayout  = "15:04"
	minuteLayout = dayLayout + " " + clockLayout
	stampLayout  = "2006-01-02T15:04:05.000Z07:00"
)

// Time writes an instant for people: day, hour and minute in their zone (nil:
// UTC), which the caller names once with [ZoneName]. The zero time is "".
func Time(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(orUTC(zone)).Format(minuteLayout)
}

// Stamp writes an instant for programs: RFC 3339 in UTC with milliseconds,
// rounded down. The zero time is "".
func Stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(stampLayout)
}

// ZoneName names a zone (nil: UTC) for the footer below times. The zone of the
// machine has no name of its own and is described as it is at the instant given.
func ZoneName(zone *time.Location, at time.Time) string {
	zone = orUTC(zone)
	if name := zone.String(); name != "Local" && name != "" {
		return Clean(name)
	}
	name, offset := at.In(zone).Zone()
	utc := "UTC" + at.In(zone).Format("-07:00")
	switch {
	case offset == 0:
		return "UTC"
	case name == "" || strings.ContainsAny(name[:1], "+-"):
		return utc // a zone without letters is named by its offset already
	}
	return Clean(name) + " (" + utc + ")"
}

func orUTC(zone *time.Location) *time.Location { return cmp.Or(zone, time.UTC) }

// Window writes for people when something happened: "after … before", the day of
// the second left out when it is that of the first, and a single minute when
// both are in the same one. An end that is not known (zero) is left out; no ends
// at all are "".
func Window(w store.Window, zone *time.Location) string {
	after, before := Time(w.After, zone), Time(w.Before, zone)
	switch {
	case after == before:
		return after
	case after == "":
		return ellipsis + " " + before
	case before == "":
		return after + " " + ellipsis
	}
	day := len(after) - len(clockLayout)
	if len(before) == len(after) && before[:day] == after[:day] {
		before = before[day:]
	}
	return after + " " + ellipsis + " " + before
}

// shortWindow writes the end of a window alone, "… before", where [Window] has both
// ends.
func shortWindow(w store.Window, zone *time.Location) string {
	if w.Before.IsZero() || Time(w.After, zone) == Time(w.Before, zone) {
		return Window(w, zone)
	}
	return ellipsis + " " + Time(w.Before, zone)
}

// interval writes a window for programs, as ISO 8601-2 has it: both ends with a
// slash between, ".." for one that is not known, "" for none.
func interval(w store.Window) string {
	if w.After.IsZero() && w.Before.IsZero() {
		return ""
	}
	return cmp.Or(Stamp(w.After), "..") + "/" + cmp.Or(Stamp(w.Before), "..")
}

// Duration writes a span for people in its two largest units, rounded towards
// zero: "3d 4h", "1h 5m", "15m", "42s", "<1s", "0s". A unit that is zero is left
// out.
func Duration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	if d < 0 {
		return "-" + span(-uint64(d))
	}
	return span(uint64(d))
}

func span(ns uint64) string {
	units := []struct {
		size uint64
		name string
	}{{24 * uint64(time.Hour), "d"}, {uint64(time.Hour), "h"}, {uint64(time.Minute), "m"}, {uint64(time.Second), "s"}}
	for i, unit := range units {
		if ns < unit.size {
			continue
		}
		text := fmt.Sprint(ns/unit.size, unit.name)
		if i+1 == len(units) {
			return text
		}
		if next := ns % unit.size / units[i+1].size; next > 0 {
			text += fmt.Sprint(" ", next, units[i+1].name)
		}
		return text
	}
	return "<1s"
}

// Rounded writes a span as [Duration] does, rounded to the nearest smaller unit:
// "14h" for 13 hours, 59 minutes and 59.9 seconds.
func Rounded(d time.Duration) string {
	units := []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second}
	for i, unit := range units[:len(units)-1] {
		if d.Abs() >= unit {
			return Duration(d.Round(units[i+1]))
		}
	}
	return Duration(d)
}

// Span writes a length of time that lies between two bounds, each [Rounded]:
// "8h … 10h", one figure where both read the same, and "up to 4h" where the lower
// bound is below a second.
func Span(least, most time.Duration) string {
	low, high := Rounded(least), Rounded(most)
	switch {
	case low == high:
		return high
	case least < time.Second:
		return "up to " + high
	}
	return low + " " + ellipsis + " " + high
}
