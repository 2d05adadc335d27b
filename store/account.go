package store

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Health says what the status of an account means for the squids that use it.
type Health string

// The healths, in the order in which the rules that give them are tried
// (the first that fits).
const (
	Gone    Health = "gone"    // confirmed absent: a detail call answered 404
	Expired Health = "expired" // the cookies have expired: needs re-synchronisation
	Unknown Health = "unknown" // no status, one that is not a number, or a synchronisation under way
	Failing Health = "failing" // any other status than 200
	Locked  Health = "locked"  // locked for a time by the platform or the vendor; clears by itself
	Healthy Health = "healthy" // works
)

// Healths lists every health, worst first.
var Healths = []Health{Gone, Expired, Failing, Unknown, Locked, Healthy}

var accountID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// IsAccountID reports whether s is an account id: 32 lower-case hex digits.
func IsAccountID(s string) bool { return accountID.MatchString(s) }

// Squid is a scraping project, as an account names it.
type Squid struct {
	ID   string // the vendor's hash; never empty
	Name string // "" when the API gave none
}

// ParseSquids reads the squids field of an account object. The key of an entry
// is seen as hash_value, id or hash (the API's document and clients differ).
// A missing field (nil) and null are no squids; an entry in an unknown shape is
// an error that names it, for it must never count as "no squids". Of entries
// with the same key the last one counts.
func ParseSquids(raw json.RawMessage) ([]Squid, error) {
	var entries []json.RawMessage
	if len(raw) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, fmt.Errorf("squids: not a list")
	}
	squids := make([]Squid, 0, len(entries))
	index := make(map[string]int, len(entries))
	for i, entry := range entries {
		squid, err := parseSquid(entry)
		if err != nil {
			return nil, fmt.Errorf("squids: entry %d: %w", i, err)
		}
		if at, again := index[squid.ID]; again {
			squids[at] = squid
			continue
		}
		index[squid.ID] = len(squids)
		squids = append(squids, squid)
	}
	return squids, nil
}

func parseSquid(raw json.RawMessage) (Squid, error) {
	var entry struct {
		HashValue *string `json:"hash_value"`
		ID        *string `json:"id"`
		Hash      *string `json:"hash"`
		Name      *string `json:"name"`
	}
	if strings.TrimSpace(string(raw)) == "null" {
		return Squid{}, fmt.Errorf("is null")
	}
	if err := json.Unmarshal(raw, &entry); err != nil {
		return Squid{}, fmt.Errorf("unknown shape")
	}
	var squid Squid
	if entry.Name != nil {
		squid.Name = *entry.Name
	}
	for _, key := range []*string{entry.HashValue, entry.ID, entry.Hash} {
		if key != nil && *key != "" {
			squid.ID = *key
			return squid, nil
		}
	}
	return Squid{}, fmt.Errorf("no hash_value, id or hash")
}

// Facts are the fields of an account that queries ask for, read out of a
// [State] by the rules.
type Facts struct {
	Username    string
	Type        string
	Status      string // "200" for both "200" and 200; "" when missing or null
	Info        string // status_code_info; "" when missing or null
	Description string // status_code_description; "" when missing or null
	LastSync    string // last_synchronization_time as received; "" when missing or null
	Health      Health
	LockedUntil time.Time // zero when no lock lasts at the instant of the state
	Squids      []Squid   // sorted by id
}

// AccountState is what is known of one account, now or at a moment of the past.
type AccountState struct {
	Workspace, ID string
	Facts         Facts
	// HealthSince is the window in which the health became what it is; its
	// After is zero when it was so at the first sight.
	HealthSince Window
	FirstSeen   time.Time // when the first snapshot was received
	SeenAt      time.Time // when the last snapshot was received
	// UnlistedSince is when a complete list first lacked the account; zero when
	// the last complete list had it.
	UnlistedSince time.Time
	Versions      int
	// Document is the account object, for callers that need it: no query sets it. See
	// [Reader.Document].
	Document json.RawMessage
}
