package localtime

import (
	"errors"
	"fmt"
	"testing"
	"time"
	_ "time/tzdata" // the machine need not have a zone database
)

func load(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestResolve(t *testing.T) {
	for _, test := range []struct{ zone, wall, want string }{
		{"Europe/Berlin", "2026-01-05 14:00:00", "2026-01-05T13:00:00Z"},
		{"Europe/Berlin", "2026-07-05 14:00:00", "2026-07-05T12:00:00Z"},
		{"Europe/Berlin", "2026-10-25 01:59:59", "2026-10-24T23:59:59Z"},
		{"Europe/Berlin", "2026-10-25 02:00:00", "twice 2026-10-25T02:00:00+02:00 2026-10-25T02:00:00+01:00"},
		{"Europe/Berlin", "2026-10-25 02:59:59", "twice 2026-10-25T02:59:59+02:00 2026-10-25T02:59:59+01:00"},
		{"Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00Z"},
		{"Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29T00:59:59Z"},
		{"Europe/Berlin", "2026-03-29 02:00:00", "never 2026-03-29T02:00:00+02:00 2026-03-29T02:00:00+01:00"},
		{"Europe/Berlin", "2026-03-29 02:59:59", "never 2026-03-29T02:59:59+02:00 2026-03-29T02:59:59+01:00"},
		{"Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29T01:00:00Z"},
		{"America/Santiago", "2026-09-06 00:00:00", "never 2026-09-06T00:00:00-03:00 2026-09-06T00:00:00-04:00"},
		{"America/Havana", "2026-11-01 00:30:00", "twice 2026-11-01T00:30:00-04:00 2026-11-01T00:30:00-05:00"},
		{"Pacific/Apia", "2011-12-30 12:00:00", "never 2011-12-30T12:00:00+14:00 2011-12-30T12:00:00-10:00"},
		{"Australia/Lord_Howe", "2026-04-05 01:45:00", "twice 2026-04-05T01:45:00+11:00 2026-04-05T01:45:00+10:30"},
		{"Asia/Kathmandu", "2026-04-05 01:45:00", "2026-04-04T20:00:00Z"},
		{"UTC", "2026-04-05 01:45:00", "2026-04-05T01:45:00Z"},
	} {
		wall, err := time.ParseInLocation("2006-01-02 15:04:05", test.wall, time.FixedZone("", -3600)) // its zone does not count
		if err != nil {
			t.Fatal(err)
		}
		got, err := Resolve(wall, load(t, test.zone))
		text := got.UTC().Format(time.RFC3339)
		if unclear, ok := errors.AsType[*UnclearError](err); ok {
			text = fmt.Sprintf("%s %s %s", map[bool]string{true: "never", false: "twice"}[unclear.Missing],
				unclear.Instants[0].Format(time.RFC3339), unclear.Instants[1].Format(time.RFC3339))
		}
		if text != test.want {
			t.Errorf("%s in %s is %s, want %s", test.wall, test.zone, text, test.want)
		}
	}
}

func TestStartOfDay(t *testing.T) {
	for _, test := range []struct{ zone, day, want string }{
		{"UTC", "2026-09-06", "2026-09-06T00:00:00Z"},
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"},
		{"America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"},   // it begins at 01:00
		{"America/Santiago", "2026-04-05", "2026-04-05T04:00:00Z"},   // 23:00 to 24:00 came twice the day before
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},     // midnight comes twice: the first
		{"Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"},       // it begins at 01:00
		{"Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z"},       //
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},       // there is no such day
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},       //
		{"America/St_Johns", "2006-10-29", "2006-10-29T02:30:00Z"},   // clocks go back at 00:01, into the day before
		{"Pacific/Kwajalein", "1993-08-21", "1993-08-21T12:00:00Z"},  // there is no such day
		{"Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00:00Z"}, //
	} {
		day, err := time.Parse(time.DateOnly, test.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := StartOfDay(day, load(t, test.zone)).UTC().Format(time.RFC3339); got != test.want {
			t.Errorf("%s in %s begins at %s, want %s", test.day, test.zone, got, test.want)
		}
	}
}

// TestOffsetsBeyondReason: a zone file that somebody made up panics nowhere.
func TestOffsetsBeyondReason(t *testing.T) {
	for _, hours := range []int{-500, -27, 27, 500} {
		zone := time.FixedZone("", hours*3600)
		wall := time.Date(2026, 1, 5, 14, 0, 0, 0, time.UTC)
		got, err := Resolve(wall, zone)
		if err != nil || !in(got, time.UTC).Equal(wall) {
			t.Errorf("%d hours: %v, %v", hours, got, err)
		}
		if start := StartOfDay(wall, zone); in(start, time.UTC).Format(time.DateTime) != "2026-01-05 00:00:00" {
			t.Errorf("%d hours: the day begins at %v", hours, start)
		}
	}
}

// FuzzLocalTime holds Resolve and StartOfDay to what clocks show: the instant
// that was resolved shows the wall time, both readings of an ambiguous time do, and
// those of a missing one do not; a day begins when its date is first shown.
func FuzzLocalTime(f *testing.F) {
	for _, zone := range []string{"Europe/Berlin", "America/Santiago", "Pacific/Apia", "Africa/Casablanca", "America/St_Johns", "UTC"} {
		for _, unix := range []int64{1793512800, 1788667200, 1325246400, 0, 1162089000} {
			f.Add(zone, unix)
		}
	}
	f.Fuzz(func(t *testing.T, name string, unix int64) {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "Local" || unix < 0 || unix > 4e9 {
			t.Skip()
		}
		wall := time.Unix(unix, 0).UTC()
		shows := func(at time.Time) bool { return in(at.In(zone), time.UTC).Equal(wall) }
		got, err := Resolve(wall, zone)
		if unclear, ok := errors.AsType[*UnclearError](err); ok {
			first, second := unclear.Instants[0], unclear.Instants[1]
			if !first.Before(second) || shows(first) == unclear.Missing || shows(second) == unclear.Missing {
				t.Fatalf("%v in %s: %v", wall, name, err)
			}
		} else if err != nil || !shows(got) {
			t.Fatalf("%v in %s is %v (%v)", wall, name, got, err)
		}
		start := StartOfDay(wall, zone)
		date := func(at time.Time) string { return at.In(zone).Format(time.DateOnly) }
		if want := wall.Format(time.DateOnly); date(start) < want || date(start.Add(-time.Second)) >= want {
			t.Fatalf("%s in %s begins at %v", want, name, start)
		}
	})
}
