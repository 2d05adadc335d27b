package report

import (
	"encoding/json"

	"github.com/lobstrail/lobstrail/store"
)

// AccountJSON is an account at a moment: the answer of `accounts`.
type AccountJSON struct {
	ID          string         `json:"id"`
	Username    Text           `json:"username"`
	Type        Text           `json:"type"`
	Workspace   string         `json:"workspace"`
	Health      store.Health   `json:"health"`
	Status      Text           `json:"status"`
	Info        Text           `json:"status_code_info"`
	Description Text           `json:"status_code_description"`
	LastSync    Text           `json:"last_synchronization_time"` // as the API gave it
	Squids      []SquidRefJSON `json:"squids"`                    // sorted by id
	HealthSince WindowJSON     `json:"health_since"`
	SeenAt      Time           `json:"seen_at"`
	// UnlistedSince is null unless the last complete list lacked the account.
	UnlistedSince Time `json:"unlisted_since"`
	// Stale says that the newest complete run is older than expected (see
	// [FreshnessJSON]); left out when it is not.
	Stale bool `json:"stale,omitzero"`
}

// ShowJSON is everything known of one account: the answer of `show`.
type ShowJSON struct {
	AccountJSON
	Document    json.RawMessage `json:"document"` // null for an account that is gone
	Versions    int             `json:"versions"`
	FirstSeenAt Time            `json:"first_seen_at"`
}

// NewAccountJSON converts the state of an account.
func NewAccountJSON(a store.AccountState) AccountJSON {
	return AccountJSON{
		ID:            a.ID,
		Username:      Text(a.Facts.Username),
		Type:          Text(a.Facts.Type),
		Workspace:     a.Workspace,
		Health:        a.Facts.Health,
		Status:        Text(a.Facts.Status),
		Info:          Text(a.Facts.Info),
		Description:   Text(a.Facts.Description),
		LastSync:      Text(a.Facts.LastSync),
		Squids:        newSquidRefs(a.Facts.Squids),
		HealthSince:   NewWindowJSON(a.HealthSince),
		SeenAt:        Time{a.SeenAt},
		UnlistedSince: Time{a.UnlistedSince},
	}
}

// NewShowJSON converts the state of an account with its document, which is
// passed on as it is.
func NewShowJSON(a store.AccountState) ShowJSON {
	return ShowJSON{
		AccountJSON: NewAccountJSON(a),
		Document:    a.Document,
		Versions:    a.Versions,
		FirstSeenAt: Time{a.FirstSeen},
	}
}

func newSquidRefs(squids []store.Squid) []SquidRefJSON {
	out := make([]SquidRefJSON, 0, len(squids))
	for _, s := range squids {
		out = append(out, SquidRefJSON{ID: s.ID, Name: Text(s.Name)})
	}
	return out
}

func newAccountRef(a store.AccountState) AccountRefJSON {
	return AccountRefJSON{ID: a.ID, Username: Text(a.Facts.Username), Health: a.Facts.Health}
}
