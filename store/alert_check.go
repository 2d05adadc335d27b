package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// DeliveryStates lists every state of a delivery.
var DeliveryStates = []DeliveryState{Waiting, Delivered, Dropped}

// Events lists every event that a message tells of.
var Events = []string{"fired", "recovered", "reminder", "digest", "test"}

// invalid is an error that matches ErrInvalid.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Check returns an error that matches ErrInvalid unless the alert has the form that a
// store keeps. Engines call it when they write and when they verify.
func (a *Alert) Check() error {
	switch {
	case !slices.Contains(Conditions, a.Condition):
		return invalid("there is no condition %q", a.Condition)
	case a.Run < 0 || a.Polls < 0 || a.Reminders < 0:
		return invalid("an alert has no negative number of a run, of polls or of reminders")
	case a.FiredAt.IsZero() && (a.Told || a.Reminders > 0):
		return invalid("an alert that has not fired cannot have been told")
	case !a.Window.After.IsZero() && a.Window.Before.Before(a.Window.After):
		return invalid("the window of an alert ends before it begins")
	}
	return checkObject("the detail of an alert", a.Detail)
}

// Check returns an error that matches ErrInvalid unless the message has the form that a
// store keeps. Engines call it when they write and when they verify.
func (m *Message) Check() error {
	switch {
	case m.ID == "" || len(m.ID) > 128:
		return invalid("a message needs an ID of at most 128 bytes")
	case !slices.Contains(Events, m.Event):
		return invalid("there is no event %q", m.Event)
	case m.Condition != "" && !slices.Contains(Conditions, m.Condition):
		return invalid("there is no condition %q", m.Condition)
	case (m.Condition == "") != (m.Event == "digest" || m.Event == "test"):
		return invalid("a message that is no digest and no test needs a condition, and these have none")
	case m.Run < 0 || m.At.IsZero():
		return invalid("a message needs a moment, and has no negative run")
	case len(m.Sinks) == 0 || slices.Contains(m.Sinks, ""):
		return invalid("a message needs the names of its sinks")
	}
	if sinks := slices.Sorted(slices.Values(m.Sinks)); len(slices.Compact(sinks)) < len(m.Sinks) {
		return invalid("a message goes to each sink once")
	}
	return checkObject("the body of a message", m.Body)
}

// Check returns an error that matches ErrInvalid unless the delivery stands in a way that
// a store keeps. Engines call it when they write and when they verify.
func (d *Delivery) Check() error {
	switch {
	case !slices.Contains(DeliveryStates, d.State):
		return invalid("there is no state %q of a delivery", d.State)
	case d.Attempts < 0:
		return invalid("a delivery has no negative number of attempts")
	case (d.State == Waiting) == d.NextAt.IsZero(), (d.State == Waiting) != d.EndedAt.IsZero():
		return invalid("a delivery that waits needs the moment of its next attempt, and another one that of its end")
	case d.Asked && !d.Pause:
		return invalid("a sink that asked for time pauses")
	case d.Pause && d.State != Waiting:
		return invalid("only a delivery that waits can be the reason of a pause")
	}
	return nil
}

// Check returns an error that matches ErrInvalid unless the silence has the form that a
// store keeps. Engines call it when they write and when they verify.
func (s *Silence) Check() error {
	about := 0
	for _, what := range []string{s.Account, s.Type, s.Squid} {
		if what != "" {
			about++
		}
	}
	switch {
	case about != 1:
		return invalid("a silence is about an account, a type or a squid")
	case strings.TrimSpace(s.Reason) == "":
		return invalid("a silence needs a reason")
	case s.From.IsZero() || s.Until.Before(s.From):
		return invalid("a silence begins, and ends after that")
	}
	return nil
}

func checkObject(what string, raw json.RawMessage) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object == nil {
		return invalid("%s is no JSON object", what)
	}
	return nil
}
