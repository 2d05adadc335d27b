package store

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// fewAccounts are so many that asking for each is cheaper than asking for all.
const fewAccounts = 300

// readUsed reads the uses of those limits only whose counter moved to the share of
// the limit that is asked for. What it costs grows with the movements of the period.
func (r *usageReader) readUsed() error {
	moved, err := r.moved()
	if err != nil {
		return err
	}
	limits := map[int64]map[string]bool{}
	for id, uses := range moved {
		if used := limitsUsed(uses, r.query.Used); len(used) > 0 {
			limits[id] = used
		}
	}
	if err := r.readNames(slices.Sorted(maps.Keys(limits))); err != nil {
		return err
	}
	if err := r.readCarried(); err != nil {
		return err
	}
	for id, account := range r.found {
		for _, use := range moved[id] {
			use.Account, use.Username = account.ID, account.Name.Name
			account.uses = append(account.uses, use)
		}
		account.uses = slices.DeleteFunc(account.uses, func(u Use) bool { return !limits[id][u.Limit] })
	}
	return nil
}

// moved are the movements of the period, of all workspaces, by account and without
// its name.
func (r *usageReader) moved() (map[int64][]Use, error) {
	moved := map[int64][]Use{}
	return moved, eachOf(r.ctx, r.tx, usesMoved, []any{r.first, r.last, 0}, func(scan func(...any) error) error {
		var id int64
		var pointer, packed string
		if err := scan(&id, &pointer, &packed); err != nil {
			return err
		}
		use, err := unpackUse(Name{}, pointer, packed)
		moved[id] = append(moved[id], use)
		return err
	})
}

// limitsUsed are the limits whose counter reached the share of the limit.
func limitsUsed(uses []Use, share float64) map[string]bool {
	limits := map[string]bool{}
	for _, use := range uses {
		if of := number64(use.Max); of > 0 && number64(use.Value) >= share*of {
			limits[use.Limit] = true
		}
	}
	return limits
}

// readCarried reads what the counters of the accounts were before the period.
func (r *usageReader) readCarried() error {
	if r.account != 0 || len(r.found) > fewAccounts {
		return r.read(usesCarried)
	}
	defer func() { r.account = 0 }()
	for _, r.account = range r.accounts {
		if err := r.read(usesCarried); err != nil {
			return err
		}
	}
	return nil
}

// number64 reads a JSON number, or the text of one; 0 for all else.
func number64(raw json.RawMessage) float64 {
	number, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil {
		return 0
	}
	return number
}
