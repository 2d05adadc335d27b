package alert

import (
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Event says why a message is sent.
type Event string

// The events.
const (
	Fired     Event = "fired"     // the condition began to hold
	Recovered Event = "recovered" // it no longer holds
	Reminder  Event = "reminder"  // it still holds
	Digest    Event = "digest"    // the daily summary
	Test      Event = "test"      // somebody tries a sink
)

// BodyVersion is the version of [Body].
const BodyVersion = 1

// Body is the JSON body of a webhook, and what every other sink makes its text of. Fields
// are only ever added.
type Body struct {
	Version   int             `json:"version"`
	ID        string          `json:"id"` // the idempotency key
	Workspace string          `json:"workspace"`
	Event     Event           `json:"event"`
	Condition store.Condition `json:"condition"` // "" of a digest and a test
	Run       int64           `json:"run"`       // 0: no run noticed it
	At        time.Time       `json:"at"`        // RFC 3339, UTC
	// Summary is one line for people, such as "6 LinkedIn accounts expired between ...".
	Summary string `json:"summary"`
	// PlatformEvent marks many accounts of one type at once: the platform is the likely
	// cause, not each account.
	PlatformEvent bool   `json:"platform_event"`
	Fleet         Fleet  `json:"fleet"`
	Items         []Item `json:"items"` // never null
}

// Fleet is the size of the workspace, and how much of it does not work.
type Fleet struct {
	Accounts int `json:"accounts"` // that are not gone
	Down     int `json:"down"`     // expired or failing
}

// Item is one account, or one squid, that a message is about. Its text fields are "" where
// they are not known or do not apply, its times null.
type Item struct {
	Account      string       `json:"account"` // of a squid: that it lost, if it is one
	Username     string       `json:"username"`
	Type         string       `json:"type"`
	After        *time.Time   `json:"after"`  // it began after this moment
	Before       *time.Time   `json:"before"` // and at or before this one
	HealthBefore store.Health `json:"health_before"`
	HealthAfter  store.Health `json:"health_after"`
	Info         string       `json:"info"`   // the reason keyword, status_code_info
	Squids       []SquidItem  `json:"squids"` // those that use the account; never null
	Fix          string       `json:"fix"`    // the vendor's command that mends it
}

// SquidItem is a squid that is hit.
type SquidItem struct {
	ID              string     `json:"id"`
	Name            string     `json:"name"`
	HealthyAccounts int        `json:"healthy_accounts"`
	NextLaunchAt    *time.Time `json:"next_launch_at"` // null: not known
}
