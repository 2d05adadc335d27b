package report

import (
	"encoding/json"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// AlertState says how an alert stands.
type AlertState string

// The states of an alert.
const (
	AlertPending AlertState = "pending" // it has not held for as many polls as its rule wants
	AlertOpen    AlertState = "open"
	AlertEnded   AlertState = "ended"
)

// AlertStateOf is the state of an alert.
func AlertStateOf(a store.Alert) AlertState {
	switch {
	case !a.EndedAt.IsZero():
		return AlertEnded
	case a.FiredAt.IsZero():
		return AlertPending
	}
	return AlertOpen
}

// AlertAge is how long the condition of an alert has held at a moment, or until it ended:
// since the end of its window, else since it fired. false: that is not known.
func AlertAge(a store.Alert, now time.Time) (age time.Duration, known bool) {
	since, until := a.Window.Before, now
	if since.IsZero() {
		since = a.FiredAt
	}
	if !a.EndedAt.IsZero() {
		until = a.EndedAt
	}
	return max(until.Sub(since), 0), !since.IsZero()
}

// AlertJSON is an alert: the answer of `alerts`.
type AlertJSON struct {
	Alert      int64               `json:"alert"` // its number in the workspace
	Workspace  string              `json:"workspace"`
	Condition  store.Condition     `json:"condition"`
	State      AlertState          `json:"state"`
	Account    Text                `json:"account"`
	Username   Text                `json:"username"` // as it is now
	Type       Text                `json:"type"`
	Squid      Text                `json:"squid"`
	SquidName  Text                `json:"squid_name"`
	Limit      Text                `json:"limit"` // a name under /params/user
	After      Time                `json:"after"`
	Before     Time                `json:"before"`
	Run        *int64              `json:"run"`         // null: no run noticed it
	Age        *Seconds            `json:"age_seconds"` // null: not known
	Polls      int                 `json:"polls"`
	FiredAt    Time                `json:"fired_at"` // null: pending
	EndedAt    Time                `json:"ended_at"` // null: it holds
	Told       bool                `json:"told"`
	Silenced   bool                `json:"silenced"`
	Reminders  int                 `json:"reminders"`
	Detail     json.RawMessage     `json:"detail"`     // an object
	Deliveries []AlertDeliveryJSON `json:"deliveries"` // of the messages that tell of it; never null
}

// AlertDeliveryJSON is a message on its way to a sink.
type AlertDeliveryJSON struct {
	Message  string              `json:"message"` // its id
	Event    string              `json:"event"`
	At       Time                `json:"at"`
	Sink     string              `json:"sink"`
	State    store.DeliveryState `json:"state"`
	Attempts int                 `json:"attempts"`
	NextAt   Time                `json:"next_at"`
	EndedAt  Time                `json:"ended_at"`
	Error    Text                `json:"error"`
}

// NewAlertJSON converts an alert of a workspace as it stands at a moment, without names.
func NewAlertJSON(workspace string, a store.Alert, deliveries []store.Delivery, now time.Time) AlertJSON {
	j := AlertJSON{
		Alert: a.ID, Workspace: workspace, Condition: a.Condition, State: AlertStateOf(a), Account: Text(a.Account), Squid: Text(a.Squid),
		Limit: Text(a.Limit), After: Time{a.Window.After}, Before: Time{a.Window.Before}, Polls: a.Polls, FiredAt: Time{a.FiredAt},
		EndedAt: Time{a.EndedAt}, Told: a.Told, Silenced: a.Silenced, Reminders: a.Reminders, Detail: a.Detail,
		Deliveries: make([]AlertDeliveryJSON, 0, len(deliveries)),
	}
	if a.Run > 0 {
		j.Run = &a.Run
	}
	if age, known := AlertAge(a, now); known {
		j.Age = (*Seconds)(&age)
	}
	for _, d := range deliveries {
		j.Deliveries = append(j.Deliveries, AlertDeliveryJSON{
			Message: d.ID, Event: d.Event, At: Time{d.At}, Sink: d.Sink, State: d.State, Attempts: d.Attempts, NextAt: Time{d.NextAt},
			EndedAt: Time{d.EndedAt}, Error: Text(d.Error),
		})
	}
	return j
}

// SilenceJSON is a silence: the answer of `alerts silence`, `alerts silences` and `alerts
// unsilence`.
type SilenceJSON struct {
	Silence   int64  `json:"silence"` // its number in the workspace
	Workspace string `json:"workspace"`
	Account   Text   `json:"account"`
	Username  Text   `json:"username"` // as it is now
	Type      Text   `json:"type"`
	Squid     Text   `json:"squid"`
	SquidName Text   `json:"squid_name"`
	Reason    string `json:"reason"`
	From      Time   `json:"from"`
	Until     Time   `json:"until"`
}

// NewSilenceJSON converts a silence of a workspace, without names.
func NewSilenceJSON(workspace string, s store.Silence) SilenceJSON {
	return SilenceJSON{
		Silence: s.ID, Workspace: workspace, Account: Text(s.Account), Type: Text(s.Type), Squid: Text(s.Squid), Reason: s.Reason,
		From: Time{s.From}, Until: Time{s.Until},
	}
}
