package store

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// fewAccounts are so many that asking for each is cheaper than asking for all.
const fewAccounts = 300

// readUsed reads the uses of those limits only whose counter moved to the share of
// the limit. What it costs grows with the movements of the period.
func (r *usageReader) readUsed(share float64) error {
	if err := r.read(usesMoved); err != nil {
		return err
	}
	used := map[*accountUses]map[string]bool{}
	for id, account := range r.found {
		if used[account] = account.used(share); len(used[account]) == 0 {
			delete(r.found, id)
		}
	}
	r.accounts = slices.DeleteFunc(r.accounts, func(id int64) bool { return r.found[id] == nil })
	if err := r.readCarried(); err != nil {
		return err
	}
	for _, account := range r.found {
		account.uses = slices.DeleteFunc(account.uses, func(u Use) bool { return !used[account][u.Limit] })
	}
	return nil
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

// used are the limits whose counter reached the share of the limit.
func (a *accountUses) used(share float64) map[string]bool {
	limits := map[string]bool{}
	for _, use := range a.uses {
		if of := number64(use.Max); of > 0 && number64(use.Value) >= share*of {
			limits[use.Limit] = true
		}
	}
	return limits
}

// number64 reads a JSON number, or the text of one; 0 for all else.
func number64(raw json.RawMessage) float64 {
	number, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil {
		return 0
	}
	return number
}
