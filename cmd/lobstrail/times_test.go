package main

import (
	"strings"
	"testing"
	"time"
)

func TestTimesThatUsersGive(t *testing.T) {
	santiago, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{ // "": refused
		"2026-11-01T06:00:00Z": "2026-11-01T06:00:00Z", "2026-11-01T06:00Z": "2026-11-01T06:00:00Z", "2026-11-01t06:00z": "2026-11-01T06:00:00Z",
		"2026-11-01T06:00:00+0100": "2026-11-01T05:00:00Z", "2026-11-01T06:00+01:00": "2026-11-01T05:00:00Z", "2026-11-01T06:00-0330": "2026-11-01T09:30:00Z",
		"2026-11-01 06:00:00 +0100": "2026-11-01T05:00:00Z", "2026-11-01T06:00+01": "2026-11-01T05:00:00Z", "2026-11-01 06:00 UTC": "2026-11-01T06:00:00Z",
		"2026-11-01T06:00:00,25Z": "2026-11-01T06:00:00.25Z", "2026-11-01T06:00:00.123456Z": "2026-11-01T06:00:00.123Z",
		"2026-11-01": "2026-11-01T03:00:00Z", "2026-09-06": "2026-09-06T04:00:00Z", " 2026-11-01 06:00 ": "2026-11-01T09:00:00Z",
		"now": "2026-11-23T14:00:00Z", "7d": "2026-11-16T14:00:00Z", "90m": "2026-11-23T12:30:00Z", "2026-11-23": "2026-11-23T03:00:00Z",

		"2026-11-24": "", "2026-11-23T14:01Z": "", "2026-02-30": "", "2026-11-01T24:00": "", "2026-11-01T06": "", "2026-11-01T06:00:60Z": "",
		"2026-11-01Z": "", "2026-11-01T06:00+24:00": "", "2026-11-01T06:00+1": "", "2026-11-01T06:00.5Z": "", "20261101": "", "-7d": "", "": "",
		"2026-09-06 00:00": "", "2026-04-04T23:30": "", "1969-12-31": "",
	} {
		at, err := parseTime(text, now, santiago)
		got := ""
		if err == nil {
			got = at.Format(time.RFC3339Nano)
		} else if exitCode(err) != exitUsage {
			t.Errorf("%q: %v is not wrong usage", text, err)
		}
		if got != want {
			t.Errorf("%q is %q, want %q (%v)", text, got, want, err)
		}
	}
}

func TestUntilIncludesTheDay(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 0, 0, 123456789, time.UTC)
	for _, test := range []struct{ zone, text, want string }{
		{"America/Santiago", "2026-09-05", "2026-09-06T04:00:00Z"},
		{"America/Santiago", "2026-09-06", "2026-09-07T03:00:00Z"},
		{"Europe/Berlin", "2026-10-25", "2026-10-25T23:00:00Z"}, // it has 25 hours
		{"Pacific/Apia", "2011-12-29", "2011-12-30T10:00:00Z"},
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"}, // there is no such day
		{"Europe/Berlin", "2026-11-23", "2026-11-23T14:00:00.123Z"},
		{"Europe/Berlin", " 2026-11-22 ", "2026-11-22T23:00:00Z"},
		{"Europe/Berlin", "2026-11-22T00:00", "2026-11-21T23:00:00Z"},
		{"Europe/Berlin", "7d", "2026-11-16T14:00:00.123Z"},
		{"Europe/Berlin", "2026-11-24", "in the future"},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := parseUntil(test.text, now, zone)
		got := at.Format(time.RFC3339Nano)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("until %s in %s is %s, want %s", test.text, test.zone, got, test.want)
		}
	}
}
