package lobstrtest

import (
	"math"
	"strconv"
	"time"
)

// LockForm is how lock_time is spelled.
type LockForm int

// The spellings of lock_time. Only LockISO is known from the vendor.
const (
	LockISO     LockForm = iota // ISO 8601 with Z, in whole seconds
	LockUnix                    // Unix seconds, as a number
	LockMillis                  // Unix milliseconds, as a number
	LockDate                    // a bare date: that of the first midnight (UTC) at or after the instant
	LockGarbage                 // a text that is no time. To the world it is no lock
)

func (f LockForm) spell(t time.Time) string {
	switch f {
	case LockUnix:
		return strconv.FormatInt(t.Unix(), 10)
	case LockMillis:
		return strconv.FormatInt(t.UnixMilli(), 10)
	case LockDate:
		return quote(midnightAfter(t.Add(-1)).Format(time.DateOnly))
	case LockGarbage:
		return `"until the platform is done"`
	}
	return instant(t)
}

// mostSeconds is the largest lock_time that is taken for seconds; a larger one
// counts milliseconds.
const mostSeconds = 1e11

// lockTime reads lock_time; ok is false when it is missing, null or unreadable.
func lockTime(fields object) (t time.Time, ok bool) {
	raw, found := fields.get("lock_time")
	if !found || raw == "null" {
		return time.Time{}, false
	}
	text, isText := unquote(raw)
	if isText {
		for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UTC(), true
			}
		}
		raw = text
	}
	millis, err := strconv.ParseFloat(raw, 64)
	if math.Abs(millis) <= mostSeconds {
		millis *= 1000
	}
	if err != nil || math.Abs(millis) > 1000*mostSeconds {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(millis))).UTC(), true
}

// lockedUntil returns the end of the lock that is live at t.
func lockedUntil(fields object, t time.Time) (end time.Time, live bool) {
	end, ok := lockTime(fields)
	return end, ok && end.After(t)
}

// resetsIn is the computed value of resets_in: the seconds left, rounded up, so
// that it is above zero as long as the lock lasts.
func resetsIn(fields object, t time.Time) string {
	end, live := lockedUntil(fields, t)
	if !live {
		return "null"
	}
	return strconv.FormatFloat(math.Ceil(end.Sub(t).Seconds()), 'f', -1, 64)
}
