package lobstrtest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"time"
)

// Account says what an account is like when the world begins ([World.Add]) or
// when it is created ([Create]). Zero values are filled in sensibly.
type Account struct {
	ID       string       // 32 hex digits; empty: [ID] of the type and username
	Username string       // required
	Type     *AccountType // nil: [X]
	// Created and Synced are created_at and last_synchronization_time. Zero:
	// ninety and one days before the world's clock for Add, the instant of
	// creation for Create.
	Created, Synced time.Time
	Squids          []string // ids or names; a name not known yet makes a squid
	// Load is how much of each daily limit the account uses up in a day by
	// itself while it is usable, from 0 (only [Work] moves counters) to 1.
	Load float64
}

// ID returns 32 hex digits that belong to name: the same ones each time.
func ID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}

// filled returns a with nothing but Squids and Load left zero.
func (a Account) filled(created, synced time.Time) Account {
	a.Type = cmp.Or(a.Type, X)
	a.ID = cmp.Or(a.ID, ID(a.Type.Type+"/"+a.Username))
	if a.Created.IsZero() {
		a.Created = created
	}
	if a.Synced.IsZero() {
		a.Synced = synced
	}
	return a
}

// computed is the value of resets_in that means: work it out for each request.
const computed = ""

// fields is the account object as the list serves it, at an instant.
func (a Account) fields(squids string, at time.Time) object {
	icon, cookies, _ := a.Type.values()
	return object{
		{"id", quote(a.ID)}, {"object", `"account"`}, {"username", quote(a.Username)},
		{"created_at", instant(a.Created)}, {"last_synchronization_time", instant(a.Synced)},
		{"status", `"200"`}, {"status_code_info", `"synchronized"`}, {"status_code_description", `"Success!"`},
		{"type", quote(a.Type.Type)}, {"params", a.Type.params(at)}, {"updated_at", "null"},
		{"account_type_hash", quote(a.Type.Hash)}, {"squids", squids}, {"baseurl", quote(a.Type.BaseURL)},
		{"cookies", cookies}, {"icon", icon},
		{"primary_color", quote(a.Type.Color)}, {"lock_time", "null"}, {"resets_in", computed},
	}
}

// version is the state of an account from an instant on.
type version struct {
	at      time.Time
	counted time.Time // params holds the counters as of this instant
	fields  object    // nil: the account does not exist
	load    float64
}

// history is everything that an account was, oldest first.
type history struct {
	id       string
	place    int // in the order of the list
	versions []version
	born     bool    // it exists since the world began
	locked   bool    // a lock is live, as of the last event
	removed  version // what Restore brings back; its fields are nil when it is not deleted
	params   struct {
		version     int // of which it was rendered, plus one
		from, until time.Time
		raw         string
	}
}

func (h *history) last() version { return h.versions[len(h.versions)-1] }

// at returns the index of the version at t, or -1.
func (h *history) at(t time.Time) int {
	if n := len(h.versions); n > 0 && !h.versions[n-1].at.After(t) {
		return n - 1
	}
	return sort.Search(len(h.versions), func(i int) bool { return h.versions[i].at.After(t) }) - 1
}

// exists reports whether the account is there at t.
func (h *history) exists(t time.Time) bool {
	i := h.at(t)
	return i >= 0 && h.versions[i].fields != nil
}
