package report

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// timeLayout is the one spelling of instants in JSON: RFC 3339, UTC,
// milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// Time is an instant in JSON: "2006-01-02T15:04:05.000Z", cut to the
// millisecond; the zero time is null.
type Time struct{ time.Time }

// MarshalJSON writes the instant, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return quote(FormatTime(t.Time)), nil
}

// MarshalJSONTo writes what MarshalJSON does, faster.
func (t Time) MarshalJSONTo(e *jsontext.Encoder) error {
	if t.IsZero() {
		return e.WriteToken(jsontext.Null)
	}
	return e.WriteValue(append(t.UTC().AppendFormat(append(e.AvailableBuffer(), '"'), timeLayout), '"'))
}

// UnmarshalJSON reads what MarshalJSON wrote, or any RFC 3339 text.
func (t *Time) UnmarshalJSON(raw []byte) error {
	if bytes.Equal(raw, []byte("null")) {
		*t = Time{}
		return nil
	}
	return t.Time.UnmarshalJSON(raw)
}

// FormatTime writes an instant as JSON has it: RFC 3339, UTC, milliseconds.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// Text is text that may be missing: "" is null in JSON.
type Text string

// MarshalJSON writes the text, or null.
func (t Text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return quote(string(t)), nil
}

// MarshalJSONTo writes what MarshalJSON does, faster.
func (t Text) MarshalJSONTo(e *jsontext.Encoder) error {
	if t == "" {
		return e.WriteToken(jsontext.Null)
	}
	return e.WriteValue(appendText(e.AvailableBuffer(), string(t)))
}

// Seconds is a length of time, in JSON a number of seconds with up to three
// decimals, cut to the millisecond.
type Seconds time.Duration

// MarshalJSON writes the exact number, never in exponent form.
func (s Seconds) MarshalJSON() ([]byte, error) {
	millis := time.Duration(s).Milliseconds()
	sign := ""
	if millis < 0 {
		sign, millis = "-", -millis
	}
	out := sign + strconv.FormatInt(millis/1000, 10)
	if rest := millis % 1000; rest != 0 {
		decimals := strconv.FormatInt(1000+rest, 10)[1:]
		out += "." + strings.TrimRight(decimals, "0")
	}
	return []byte(out), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Seconds) UnmarshalJSON(raw []byte) error {
	number, ok := parseDecimal(string(raw))
	millis, fits := number.scaled(3)
	if !ok || !fits {
		return fmt.Errorf("%q is no number of seconds", raw)
	}
	*s = Seconds(time.Duration(millis) * time.Millisecond)
	return nil
}

// WindowJSON is a [store.Window]: it happened after After (null: it was so when
// the account was first seen), and at or before Before.
type WindowJSON struct {
	After  Time `json:"after"`
	Before Time `json:"before"`
}

// NewWindowJSON converts a window.
func NewWindowJSON(w store.Window) WindowJSON {
	return WindowJSON{After: Time{w.After}, Before: Time{w.Before}}
}

// AccountRefJSON names an account where it stands in a list of something else.
type AccountRefJSON struct {
	ID       string       `json:"id"`
	Username Text         `json:"username"`
	Health   store.Health `json:"health"`
}

// SquidRefJSON names a squid where it stands in a list of something else.
type SquidRefJSON struct {
	ID   string `json:"id"`
	Name Text   `json:"name"`
}

// nonNil is s, and never nil: JSON lists are [] when empty.
func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
