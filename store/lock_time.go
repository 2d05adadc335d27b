package store

import (
	"encoding/json"
	"math/big"
	"regexp"
	"time"
)

// ParseInstant reads the JSON value of a field that holds an instant, in the forms that
// the API was seen to use: Unix seconds or milliseconds (above 1e11), as a number or as
// text; RFC 3339 and ISO 8601 with Z, with an offset, or without a zone (UTC); and a
// date, which is its first instant in UTC. It reports false for null and for all else.
func ParseInstant(raw json.RawMessage) (time.Time, bool) {
	text, isText, ok := scalarText(raw)
	if !ok {
		return time.Time{}, false
	}
	if number, ok := parseNumber(text); ok {
		return unixInstant(number)
	}
	if !isText {
		return time.Time{}, false
	}
	for _, layout := range instantLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// ParseResetsIn reads the JSON value of a resets_in that was received at an instant. It
// returns when the lock ends; zero when nothing is left, and for null. A number, or the
// text of one, is the seconds that are left; from 1e9 on (30 years) it is an instant, as
// is any other text that [ParseInstant] reads. It reports false for all else.
func ParseResetsIn(raw json.RawMessage, at time.Time) (until time.Time, ok bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return time.Time{}, true
	}
	text, _, isScalar := scalarText(raw)
	if number, ok := parseNumber(text); isScalar && ok && number.Cmp(leastInstant) < 0 {
		if number.Sign() <= 0 {
			return time.Time{}, true
		}
		nanos := new(big.Rat).Mul(number, big.NewRat(int64(time.Second), 1))
		left := new(big.Int).Quo(nanos.Num(), nanos.Denom())
		return at.Add(time.Duration(left.Int64())), true
	}
	if until, ok = ParseInstant(raw); !ok || !until.After(at) {
		return time.Time{}, ok
	}
	return until, true
}

// CheckLock returns "" if the values of lock_time and resets_in can be read, and else the
// name of the field that cannot: it must not be taken for "no lock". A nil value stands
// for a field that is not there.
func CheckLock(lockTime, resetsIn json.RawMessage) (unreadable string) {
	if _, ok := ParseInstant(lockTime); !ok && len(lockTime) > 0 && string(lockTime) != "null" {
		return "lock_time"
	}
	if _, ok := ParseResetsIn(resetsIn, time.Time{}); !ok {
		return "resets_in"
	}
	return ""
}

// instantLayouts are the spellings of an instant. Without a zone they are UTC, as
// everything that the API says.
var instantLayouts = []string{
	time.RFC3339Nano, // fractions are read with every layout
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05Z0700",
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	time.DateOnly,
}

// What a number means: a resets_in below leastInstant is a span, an instant up to
// mostSeconds counts seconds.
var (
	leastInstant = big.NewRat(1e9, 1)
	mostSeconds  = big.NewRat(1e11, 1)
)

// The years that RFC 3339 can say, in Unix seconds.
const (
	minUnix = -62135596800 // 0001-01-01T00:00:00Z
	maxUnix = 253402300799 // 9999-12-31T23:59:59Z
)

// unixInstant is the instant that many seconds, or milliseconds, after 1970, cut to the
// nanosecond.
func unixInstant(number *big.Rat) (time.Time, bool) {
	if new(big.Rat).Abs(number).Cmp(mostSeconds) > 0 {
		number = new(big.Rat).Quo(number, big.NewRat(1000, 1))
	}
	nanos := new(big.Rat).Mul(number, big.NewRat(int64(time.Second), 1))
	whole := new(big.Int).Quo(nanos.Num(), nanos.Denom())
	seconds, rest := new(big.Int).QuoRem(whole, big.NewInt(int64(time.Second)), new(big.Int))
	if !seconds.IsInt64() || seconds.Int64() < minUnix || seconds.Int64() > maxUnix {
		return time.Time{}, false
	}
	return time.Unix(seconds.Int64(), rest.Int64()).UTC(), true
}

// jsonNumber is the grammar of a number in JSON, with an exponent that can be calculated.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`)

// parseNumber reads a number of a usual length.
func parseNumber(text string) (*big.Rat, bool) {
	const longest = 400
	if len(text) > longest || !jsonNumber.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// scalarText is the text of a JSON string or number.
func scalarText(raw json.RawMessage) (text string, isText, ok bool) {
	if len(raw) == 0 {
		return "", false, false
	}
	if raw[0] == '"' {
		err := json.Unmarshal(raw, &text)
		return text, true, err == nil
	}
	return string(raw), false, raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9'
}
