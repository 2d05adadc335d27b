package report

import (
	"encoding/json"

	"github.com/lobstrail/lobstrail/store"
)

// ChangeJSON is a change: the answer of `changes` and `diff`.
type ChangeJSON struct {
	Account  string          `json:"account"`
	Username Text            `json:"username"` // as of the new version
	Kind     store.Kind      `json:"kind"`
	Path     string          `json:"path"` // JSON pointer; "" for appeared, gone and returned
	Old      json.RawMessage `json:"old"`  // null also when there was no value
	New      json.RawMessage `json:"new"`  // null also when there is no value
	After    Time            `json:"after"`
	Before   Time            `json:"before"`
	Run      int64           `json:"run"`
	// The healths before and after; left out of kinds that do not touch health.
	// Before an account appeared it had none (null).
	HealthBefore *Text `json:"health_before,omitzero"`
	HealthAfter  *Text `json:"health_after,omitzero"`
}

// NewChangeJSON converts a change.
func NewChangeJSON(c store.AccountChange) ChangeJSON {
	j := ChangeJSON{
		Account:  c.Account,
		Username: Text(c.Username),
		Kind:     c.Kind,
		Path:     c.Path,
		Old:      c.Old,
		New:      c.New,
		After:    Time{c.Window.After},
		Before:   Time{c.Window.Before},
		Run:      c.Run,
	}
	if touchesHealth(c.Kind) {
		before, after := Text(c.HealthBefore), Text(c.HealthAfter)
		j.HealthBefore, j.HealthAfter = &before, &after
	}
	return j
}
