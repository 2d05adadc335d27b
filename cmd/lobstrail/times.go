package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// timeHint tells which times are understood.
const timeHint = "a time is RFC 3339 (2026-11-23T14:00:00Z), a date (2026-11-23), or a span back from now (90m, 36h, 7d, 2w)"

var span = regexp.MustCompile(`^([0-9]{1,6})([smhdw])$`)

var spanUnits = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// localLayouts are the times without a zone: they are the user's.
var localLayouts = []string{
	"2006-01-02", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05",
}

// parseTime reads a TIME: RFC 3339, a date, or a span back from now. A time to
// come is wrong usage, for the store knows only the past. Instants are answered
// in UTC, to the millisecond.
func parseTime(text string, now time.Time, zone *time.Location) (time.Time, error) {
	t, err := readTime(strings.TrimSpace(text), now, zone)
	if err != nil {
		return time.Time{}, &usageError{err.Error(), timeHint}
	}
	if t.After(now) {
		return time.Time{}, &usageError{fmt.Sprintf("time %q is still to come", text), timeHint}
	}
	if t.Before(time.Unix(0, 0)) {
		return time.Time{}, &usageError{fmt.Sprintf("time %q is before any account", text), timeHint}
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

func readTime(text string, now time.Time, zone *time.Location) (time.Time, error) {
	if text == "now" {
		return now, nil
	}
	if span.MatchString(text) {
		back, err := parseSpan(text)
		return now.Add(-back), err
	}
	if t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text)); err == nil {
		return t, nil
	}
	for _, layout := range localLayouts {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time", text)
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

// spanFlag is a flag that holds a span of time.
type spanFlag time.Duration

func (f *spanFlag) String() string {
	if *f == 0 {
		return ""
	}
	return time.Duration(*f).String()
}
func (f *spanFlag) Type() string { return "SPAN" }
func (f *spanFlag) Set(text string) error {
	length, err := parseSpan(text)
	*f = spanFlag(length)
	return err
}

// epoch is a time in Unix seconds, from 2001 on, or milliseconds.
var epoch = regexp.MustCompile(`^([0-9]{10})(?:\.([0-9]{1,9}))?$|^([0-9]{13})$`)

// savedLayouts are more spellings of times that programs write.
var savedLayouts = []string{
	"2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05 UTC", time.RFC1123Z, http.TimeFormat,
}

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
	if text == "now" || span.MatchString(text) {
		return time.Time{}, fmt.Errorf("%q is not an instant", text)
	}
	if t, err := readTime(text, time.Time{}, zone); err == nil {
		return t.UTC(), nil
	}
	for _, layout := range savedLayouts {
		if t, err := time.Parse(layout, text); err == nil { // without a zone it is UTC
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time", text)
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
