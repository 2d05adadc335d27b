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
	moved, limits, err := r.moved()
	if err != nil {
		return err
	}
	if err := r.readNames(slices.Sorted(maps.Keys(limits))); err != nil {
		return err
	}
	if err := r.readCarried(); err != nil {
		return err
	}
	for _, m := range moved {
		if account := r.found[m.account]; account != nil {
			use, err := unpackUse(account.Name, m.pointer, m.packed)
			if err != nil {
				return err
			}
			account.uses = append(account.uses, use)
		}
	}
	for id, account := range r.found {
		account.uses = slices.DeleteFunc(account.uses, func(u Use) bool { return !limits[id][u.Limit] })
	}
	return nil
}

// movement is a row of usesMoved, not yet unpacked.
type movement struct {
	account         int64
	pointer, packed string
}

// moved are the movements of the period, of all workspaces, and by account the limits
// whose counter reached the share that is asked for.
func (r *usageReader) moved() (moved []movement, limits map[int64]map[string]bool, err error) {
	limits = map[int64]map[string]bool{}
	var m movement
	err = eachOf(r.ctx, r.tx, usesMoved, []any{r.first, r.last, 0}, func(scan func(...any) error) error {
		if err := scan(&m.account, &m.pointer, &m.packed); err != nil {
			return err
		}
		moved = append(moved, m)
		use, err := unpackUse(Name{}, m.pointer, m.packed)
		if err != nil || !reached(use, r.query.Used) {
			return err
		}
		if limits[m.account] == nil {
			limits[m.account] = map[string]bool{}
		}
		limits[m.account][use.Limit] = true
		return nil
	})
	return moved, limits, err
}

// reached reports whether a counter was at the share of its limit.
func reached(use Use, share float64) bool {
	of := number64(use.Max)
	return of > 0 && number64(use.Value) >= share*of
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
