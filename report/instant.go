package report

import (
	"encoding/json"
	"time"
)

// The years that RFC 3339 can say. Seconds beyond are no instant of anything,
// more likely another unit.
const (
	minUnix = -62135596800 // 0001-01-01T00:00:00Z
	maxUnix = 253402300799 // 9999-12-31T23:59:59Z
)

// looseLayouts are the spellings of an instant seen besides RFC 3339. Without
// a zone they are UTC, as everything the API says.
var looseLayouts = []string{
	"2006-01-02T15:04:05Z0700",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05",
}

// parseInstant reads a field that holds an instant: unix seconds as a number or
// its text, RFC 3339, or ISO 8601. It reports false for null and for all else.
func parseInstant(n *node) (time.Time, bool) {
	if n == nil || n.kind != kindNumber && n.kind != kindString {
		return time.Time{}, false
	}
	if number, ok := parseDecimal(n.text); ok {
		return unixInstant(number)
	}
	if n.kind == kindNumber {
		return time.Time{}, false
	}
	if t, ok := parseRFC3339(n.text); ok {
		return t.UTC(), true
	}
	for _, layout := range looseLayouts {
		if t, err := time.Parse(layout, n.text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// ParseInstant reads the JSON value of a field that holds an instant: Unix seconds
// or text, as the API writes both. It returns false for null and whatever else is no
// instant.
func ParseInstant(raw json.RawMessage) (time.Time, bool) {
	n, err := parseValue(raw)
	if err != nil {
		return time.Time{}, false
	}
	return parseInstant(n)
}

// unixInstant is the instant that many seconds after 1970, down to the
// nanosecond.
func unixInstant(seconds decimal) (time.Time, bool) {
	whole, ok := seconds.scaled(0)
	if !ok || whole < minUnix || whole > maxUnix {
		return time.Time{}, false
	}
	millis, ok := seconds.scaled(3)
	if !ok {
		return time.Time{}, false
	}
	if nanos, ok := seconds.scaled(9); ok {
		return time.Unix(nanos/1e9, nanos%1e9).UTC(), true
	}
	return time.UnixMilli(millis).UTC(), true
}

// lockReading is what a lock_time says at one instant: a live lock, no lock
// (missing, null or past), or something that is no time at all.
type lockReading struct {
	live    bool
	until   time.Time // of a live lock
	garbage *node     // a value that is no instant; nil otherwise
	raw     *node     // as received
}

// readLock reads the lock_time of a document at the instant of its response.
// The lock ends at the very second it names.
func readLock(n *node, at time.Time) lockReading {
	if n.isNull() {
		return lockReading{raw: n}
	}
	until, ok := parseInstant(n)
	if !ok {
		return lockReading{garbage: n, raw: n}
	}
	return lockReading{live: until.After(at), until: until, raw: n}
}
