package lobstrtest

import (
	"math"
	"strconv"
	"time"
)

// LockForm is how lock_time is spelled.
type LockForm int

// The spellings of lock_time.
const (
	LockUnix LockForm = iota // unix seconds
	LockISO                  // RFC 3339
)

func (f LockForm) spell(t time.Time) string {
	if f == LockISO {
		return instant(t)
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// lockTime reads lock_time; ok is false when it is missing, null or unreadable.
func lockTime(fields object) (t time.Time, ok bool) {
	raw, found := fields.get("lock_time")
	if !found || raw == "null" {
		return time.Time{}, false
	}
	text, isText := unquote(raw)
	if isText {
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return t.UTC(), true
		}
		raw = text
	}
	seconds, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.Abs(seconds) > 1e11 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), true
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
