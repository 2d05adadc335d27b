package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store/localtime"
)

// timeHint tells which times are understood.
const timeHint = "a time is RFC 3339 (2026-11-23T14:00Z), a date (2026-11-23), or a span back from now (90m, 36h, 7d, 2w)"

var span = regexp.MustCompile(`^([0-9]{1,6})([smhdw])$`)

var spanUnits = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// timeText is a date, mostly with a time of day, perhaps with a zone.
var timeText = regexp.MustCompile(`(?i)^(\d{4}-\d\d-\d\d)(?:[t ](\d\d:\d\d)(:\d\d(?:[.,]\d{1,9})?)?(?: ?(z|utc|[+-]\d\d(?::?\d\d)?))?)?$`)

// parseTime reads a TIME: RFC 3339, a date, or a span back from now. A date is the
// first instant of that day. A time to come is wrong usage, for the store knows
// only the past. Instants are returned in UTC, to the millisecond.
func parseTime(text string, now time.Time, zone *time.Location) (time.Time, error) {
	t, err := readTime(strings.TrimSpace(text), now, zone)
	if unclear, ok := errors.AsType[*localtime.UnclearError](err); ok {
		return time.Time{}, &usageError{unclear.Error(), "give the one that you mean"}
	}
	if err != nil {
		return time.Time{}, &usageError{err.Error(), timeHint}
	}
	if t.After(now) {
		return time.Time{}, &usageError{fmt.Sprintf("time %q is in the future", text), timeHint}
	}
	if t.Before(time.Unix(0, 0)) {
		return time.Time{}, &usageError{fmt.Sprintf("time %q is before any account", text), timeHint}
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

// parseUntil is parseTime for the end of a period: a date includes that day, or as
// much of it as is over.
func parseUntil(text string, now time.Time, zone *time.Location) (time.Time, error) {
	start, err := parseTime(text, now, zone)
	day, notADate := time.Parse(time.DateOnly, strings.TrimSpace(text))
	if err != nil || notADate != nil {
		return start, err
	}
	end := localtime.StartOfDay(day.AddDate(0, 0, 1), zone)
	if end.After(now) {
		end = now
	}
	return end.UTC().Truncate(time.Millisecond), nil
}

func readTime(text string, now time.Time, zone *time.Location) (time.Time, error) {
	if text == "now" {
		return now, nil
	}
	if span.MatchString(text) {
		back, err := parseSpan(text)
		return now.Add(-back), err
	}
	return readInstant(text, zone)
}

// readInstant reads a date, with or without a time of day, a fraction of a second
// and a zone. What has no zone is in the one given. The error is a
// [*localtime.UnclearError] if the local time came twice or not at all.
func readInstant(text string, zone *time.Location) (time.Time, error) {
	m := timeText.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}, fmt.Errorf("%q is not a time", text)
	}
	date, clock, seconds, offset := m[1], m[2], m[3], strings.ToUpper(m[4])
	wall, err := time.Parse("2006-01-02T15:04:05", date+"T"+cmp.Or(clock, "00:00")+cmp.Or(seconds, ":00"))
	switch {
	case err != nil:
		return time.Time{}, fmt.Errorf("%q is not a time", text)
	case clock == "":
		return localtime.StartOfDay(wall, zone), nil
	case offset == "":
		return localtime.Resolve(wall, zone)
	case offset == "Z" || offset == "UTC":
		return wall, nil
	}
	ahead, err := time.Parse("15:04", offset[1:3]+":"+cmp.Or(strings.TrimPrefix(offset[3:], ":"), "00"))
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time", text)
	}
	distance := time.Duration(ahead.Hour())*time.Hour + time.Duration(ahead.Minute())*time.Minute
	if offset[0] == '-' {
		distance = -distance
	}
	return wall.Add(-distance), nil
}

// parseSpan reads a span of time: 90m, 36h, 7d, 2w.
func parseSpan(text string) (time.Duration, error) {
	m := span.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is not a span of time (90m, 36h, 7d, 2w)", text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, err
	}
	length := time.Duration(n) * spanUnits[m[2]]
	if length/spanUnits[m[2]] != time.Duration(n) { // more than a Duration holds
		return 0, fmt.Errorf("time %q is before any account", text)
	}
	return length, nil
}

// epoch is a time in Unix seconds, from 2001 on, or milliseconds.
var epoch = regexp.MustCompile(`^([0-9]{10})(?:\.([0-9]{1,9}))?$|^([0-9]{13})$`)

// savedLayouts are more spellings of times that programs write.
var savedLayouts = []string{time.RFC1123Z, http.TimeFormat}

// parseSavedTime reads what a program wrote of an instant: RFC 3339 or a time in
// the user's zone, as a TIME but for spans, or another usual spelling, or Unix
// seconds or milliseconds.
func parseSavedTime(text string, zone *time.Location) (time.Time, error) {
	if m := epoch.FindStringSubmatch(text); m != nil {
		seconds, ms := m[1], (m[2] + "000")[:3]
		if m[3] != "" {
			seconds, ms = m[3][:10], m[3][10:]
		}
		n, err := strconv.ParseInt(seconds+ms, 10, 64)
		return time.UnixMilli(n).UTC(), err
	}
	for _, layout := range savedLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	t, err := readInstant(text, zone)
	return t.UTC(), err
}

// timeFlag is a flag that holds a TIME. It is read when the command runs, so
// that all times of a command are seen from the same now.
type timeFlag struct{ text string }

func (f *timeFlag) String() string     { return f.text }
func (f *timeFlag) Set(s string) error { f.text = s; return nil }
func (f *timeFlag) Type() string       { return "TIME" }

// time is the instant meant; zero when the flag was not given.
func (f *timeFlag) time(a *app, now time.Time) (time.Time, error) {
	if f.text == "" {
		return time.Time{}, nil
	}
	return parseTime(f.text, now, a.env.zone)
}

// until is time for the end of a period, which includes the day that a date names.
func (f *timeFlag) until(a *app, now time.Time) (time.Time, error) {
	if f.text == "" {
		return time.Time{}, nil
	}
	return parseUntil(f.text, now, a.env.zone)
}
