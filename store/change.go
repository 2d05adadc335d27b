package store

import (
	"encoding/json"
	"time"
)

// Kind names a sort of change.
type Kind string

// The kinds of changes.
const (
	Appeared        Kind = "appeared"         // first sight of the account
	WentGone        Kind = "gone"             // a detail call answered 404
	Returned        Kind = "returned"         // seen again after it was gone
	StatusChanged   Kind = "status"           // status, status_code_info or status_code_description
	LockBegan       Kind = "locked"           // lock_time moved into the future
	LockEnded       Kind = "unlocked"         // lock_time was cleared, or passed
	Synced          Kind = "synced"           // last_synchronization_time moved forward
	SquidAssigned   Kind = "squid_assigned"   // a squid began to use the account
	SquidUnassigned Kind = "squid_unassigned" // a squid no longer uses the account
	SquidRenamed    Kind = "squid_renamed"    // a squid that uses the account has another name
	LimitChanged    Kind = "limit"            // a setting under /params
	Renamed         Kind = "username"         // the account's username
	CookiesChanged  Kind = "cookies"          // the cookie specification, as a whole
	IconChanged     Kind = "icon"             // the icon, by digest
	FieldChanged    Kind = "field"            // any other field
	SchemaChanged   Kind = "schema"           // an endpoint sends a field newly, no longer, or with another JSON type
)

// Kinds lists every kind of change, in the order of the documentation.
var Kinds = []Kind{
	Appeared, WentGone, Returned, StatusChanged, LockBegan, LockEnded, Synced, SquidAssigned, SquidUnassigned,
	SquidRenamed, LimitChanged, Renamed, CookiesChanged, IconChanged, FieldChanged, SchemaChanged,
}

// Change is one difference between two neighbouring versions of an account.
type Change struct {
	Kind Kind
	// Path is a JSON pointer (RFC 6901) into the account object. For squid kinds
	// it is /squids/SQUID_ID; for appeared, gone and returned it is empty.
	Path string
	// Old and New are JSON values; nil means that there was no such value. For
	// squid kinds they are the squid's name or nil.
	Old, New json.RawMessage
	// HealthBefore and HealthAfter are set for kinds that touch health, else
	// empty. HealthBefore of appeared is empty.
	HealthBefore, HealthAfter Health
}

// Rules gives meaning to states. The store is opened with the rules of package
// report, and writes what they answer beside each version.
type Rules struct {
	// Version is raised whenever the function answers differently than before; a
	// store with an older number derives everything again.
	Version int
	// Compare takes the facts out of the new state of an account, and compares it with
	// the one before. No changes means that both belong to one version. It fails,
	// naming the field, when a state cannot be understood.
	Compare func(old, new State) (Facts, []Change, error)
}

// AccountChange is a [Change] with its place in the history.
type AccountChange struct {
	Change
	Account  string // id
	Username string // as of the new version
	Window   Window
	Run      int64
}

// Version is a stretch of equal snapshots of one account.
type Version struct {
	Account   string
	Number    int       // 1 is the first
	ValidFrom time.Time // when the first snapshot of it was received
	ValidTo   time.Time // when the first snapshot of the next version was received; zero: current
	Facts     Facts     // squids left out
}

// StatusStep is one step in which a status field or the health of an account
// changed.
type StatusStep struct {
	Account, Username         string
	StatusBefore, StatusAfter string
	InfoBefore, InfoAfter     string
	HealthBefore, HealthAfter Health // HealthBefore is empty at the first sight
	Window                    Window
	Run                       int64
}

// Became reports whether the health of a known account changed to the given one in this
// step. It is false at the first sight of an account: it may have been so for long.
func (s StatusStep) Became(health Health) bool {
	return s.HealthBefore != "" && s.HealthBefore != health && s.HealthAfter == health
}

// Assignment is a squid using an account for a time.
type Assignment struct {
	Squid, SquidName  string
	Account, Username string
	Health            Health  // of the account, at the moment asked for
	From              Window  // From.After is zero: it was so when the account was first seen
	To                *Window // nil: still
}

// Use is one movement of the counters of a limit.
type Use struct {
	Account, Username string
	Limit             string          // the name under /params/user
	Value             json.RawMessage // "value", else "current"; nil when neither was sent
	Max               json.RawMessage // the limit in force when the counter moved; nil when none was sent
	// EditedMax is the limit in force at the end of the time that was asked about, where it
	// was edited since the counter last moved; else nil. Only the last movement has it.
	EditedMax json.RawMessage
	ResetsAt  time.Time // zero when not sent
	SeenAt    time.Time // received
}
