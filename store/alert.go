package store

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Condition names something that somebody should know about.
type Condition string

// The conditions. Those of accounts and squids are about one account or squid each; the
// others are about the workspace.
const (
	AccountExpired      Condition = "account_expired"       // its cookies expired
	AccountFailing      Condition = "account_failing"       // it has another status than 200
	AccountGone         Condition = "account_gone"          // it was deleted
	AccountLocked       Condition = "account_locked"        // it has been locked for longer than a limit
	AssignmentLost      Condition = "assignment_lost"       // a squid no longer uses the account
	SquidWithoutAccount Condition = "squid_without_account" // no account of it works
	SquidOnLastAccount  Condition = "squid_on_last_account" // one account of several still works
	LimitNearlyUsed     Condition = "limit_nearly_used"     // a counter is near its limit
	RunFailed           Condition = "run_failed"            // a run stored nothing
	RunIncomplete       Condition = "run_incomplete"        // a run did not get everything
	KeyRefused          Condition = "key_refused"           // the API refused the key
	Stale               Condition = "stale"                 // no complete run for too long
	StoreDamaged        Condition = "store_damaged"         // the store was found damaged
)

// Conditions lists every condition, in the order of the documentation.
var Conditions = []Condition{
	AccountExpired, AccountFailing, AccountGone, AccountLocked, AssignmentLost, SquidWithoutAccount, SquidOnLastAccount,
	LimitNearlyUsed, RunFailed, RunIncomplete, KeyRefused, Stale, StoreDamaged,
}

// Alert is a condition that holds, or held. An alert is pending until its condition has
// held for as many polls as its rule wants, then open, and over when it has ended.
//
// Alerts, messages, silences and cursors are the working state of those who watch. They
// are no evidence: they are not in the log, and may be changed and deleted.
type Alert struct {
	ID        int64 // its number in the workspace, from 1 on
	Condition Condition
	// Account, Squid and Limit say what it is about: an id, an id, and a name under
	// /params/user; "" where it is about none.
	Account, Squid, Limit string
	Window                Window    // when it began, as far as it is known
	Run                   int64     // which noticed it; 0 for one that no run noticed, such as stale
	Polls                 int       // how many runs in a row saw that it holds
	FiredAt               time.Time // zero: pending
	Told                  bool      // a message said that it fired: its end is told too
	Silenced              bool      // a silence applied to it at the last evaluation; see alert.SetSilenced
	Reminders             int       // how many were queued
	EndedAt               time.Time // zero: it still holds
	// Detail is a JSON object with what a message says of it; its form is that of package
	// report/alert. Never nil.
	Detail json.RawMessage
}

// Message is something to be told to somebody. It is written in the transaction that
// opens or ends the alerts it tells about, and kept until each of its deliveries is over.
type Message struct {
	ID        string // the idempotency key: the same for every try, and unlike any other
	Workspace string
	Event     string    // fired, recovered, reminder, digest or test
	Condition Condition // "" of a digest and a test
	Run       int64     // 0: none
	At        time.Time
	Accounts  []string        // ids of the accounts it names, for Redact
	Body      json.RawMessage // a JSON object: that of the webhook, version 1
	Sinks     []string        // names of the sinks it is to be delivered to; at least one
}

// DeliveryState says how a delivery stands.
type DeliveryState string

// The states of a delivery.
const (
	Waiting   DeliveryState = "waiting"   // to be tried, or tried again
	Delivered DeliveryState = "delivered" // the sink took it
	Dropped   DeliveryState = "dropped"   // given up: the sink is no longer configured, or the account was redacted
)

// Delivery is a message on its way to one sink.
type Delivery struct {
	Message
	Sink     string
	State    DeliveryState
	Attempts int
	NextAt   time.Time // when it may be tried next; zero unless it waits
	EndedAt  time.Time // when it was delivered or dropped; zero while it waits
	Error    string    // of the last attempt, without secrets; "" after a success
	// Pause: the sink did not work, or asked for time. Nothing else is sent to it before
	// NextAt, so that its messages stay in order.
	Pause bool
	// Asked: the sink itself asked for the time until NextAt, so that it is not tried
	// before, not even at somebody's wish. Only with Pause.
	Asked bool
}

// Silence keeps alerts from being told until it ends. One of Account, Type and Squid is
// set.
type Silence struct {
	ID                   int64  // its number in the workspace, from 1 on
	Account, Type, Squid string // an id, an account type, an id
	Reason               string // never empty
	From, Until          time.Time
}

// AlertPlace is how far the alerts of a workspace have been evaluated.
type AlertPlace struct {
	Run    int64     // the newest run whose changes were evaluated; 0: none yet
	At     time.Time // of the last evaluation; zero: never
	Digest time.Time // when the last digest was queued; zero: never
}

// AlertDelta is what one evaluation changes. It is written whole or not at all, in this
// order: Forget, Update, Begin, Messages.
type AlertDelta struct {
	// From is the place the evaluation began at. SaveAlerts returns ErrConflict when the
	// workspace is no longer there: somebody else has evaluated in between.
	From, To AlertPlace
	Begin    []Alert // the store gives them their numbers, in this order; ID is ignored
	Update   []Alert // known by their number; what they are about, Window and Run do not change
	Forget   []int64 // pending alerts whose condition no longer holds: their rows are deleted
	Messages []Message
}

// AlertQuery says which alerts to read.
type AlertQuery struct {
	Workspace string
	Over      bool      // those that have ended too
	Since     time.Time // of those that have ended: after this; zero: all
}

// DeliveryQuery says which deliveries to read.
type DeliveryQuery struct {
	Workspace string    // "" for all
	DueAt     time.Time // only those that wait and may be tried at this moment; zero: all
	Since     time.Time // of those that are over: after this; zero: all
}

// AlertReader reads the state of alerts. A workspace that the store does not know has
// none. Instants are kept to the millisecond: rounded down, and up where a window ends.
type AlertReader interface {
	// AlertPlace is how far the workspace was evaluated; the zero value if it never was.
	AlertPlace(ctx context.Context, workspace string) (AlertPlace, error)
	// Alerts streams alerts by number.
	Alerts(ctx context.Context, q AlertQuery) iter.Seq2[Alert, error]
	// Silences are those that end after the moment, by number.
	Silences(ctx context.Context, workspace string, after time.Time) ([]Silence, error)
	// Deliveries streams deliveries, the oldest message first, and by sink.
	Deliveries(ctx context.Context, q DeliveryQuery) iter.Seq2[Delivery, error]
	// Cursor is the run up to which the consumer has seen the changes; 0: none yet.
	Cursor(ctx context.Context, workspace, consumer string) (run int64, err error)
}

// AlertWriter changes the state of alerts. Each call is one transaction. Its functions
// return ErrNotFound for a workspace that had no run yet, and for an account or a squid
// that the workspace does not know; ErrInvalid for what has not the form that is
// documented: see the functions Check.
type AlertWriter interface {
	AlertReader
	// SaveAlerts stores an evaluation. Messages whose ID is there already are left out.
	// ErrInvalid also where two alerts that hold are about the same; ErrNotFound: there is
	// no alert with a number of Update or Forget.
	SaveAlerts(ctx context.Context, workspace string, d AlertDelta) error
	// SaveMessages stores messages that belong to no evaluation, such as a test.
	SaveMessages(ctx context.Context, messages ...Message) error
	// SaveDelivery stores how an attempt ended: State, Attempts, NextAt, EndedAt, Error,
	// Pause and Asked of the delivery of Workspace, ID and Sink. ErrNotFound: there is no
	// such delivery.
	SaveDelivery(ctx context.Context, d Delivery) error
	// AddSilence stores a silence, gives it a number, and returns that.
	AddSilence(ctx context.Context, workspace string, s Silence) (int64, error)
	// EndSilence ends a silence at the moment. ErrNotFound: there is none with the number
	// that ends later.
	EndSilence(ctx context.Context, workspace string, id int64, at time.Time) error
	// SaveCursor stores what the consumer has seen.
	SaveCursor(ctx context.Context, workspace, consumer string, run int64) error
	// ForgetAlerts deletes what is over since before the moment: alerts, messages whose
	// deliveries are all over, and silences.
	ForgetAlerts(ctx context.Context, before time.Time) error
}
