package lobstrtest

import (
	"encoding/json"
	"slices"
	"sort"
	"time"
)

// The kinds of truths: the change kinds of design.md.
const (
	Appeared        = "appeared"
	Gone            = "gone"
	Returned        = "returned"
	Status          = "status"
	Locked          = "locked"
	Unlocked        = "unlocked"
	Synced          = "synced"
	SquidAssigned   = "squid_assigned"
	SquidUnassigned = "squid_unassigned"
	SquidRenamed    = "squid_renamed"
	LimitChanged    = "limit"
	Username        = "username"
	CookiesChanged  = "cookies"
	IconChanged     = "icon"
	FieldChanged    = "field"
	SchemaChanged   = "schema"
)

// Truth is something that truly happened to an account. See the package comment
// for what makes one, and for Path, Old and New.
type Truth struct {
	At       time.Time
	Account  string
	Kind     string
	Path     string
	Old, New json.RawMessage // nil: no such value
}

// Truth returns everything that happened up to now (by the world's clock), in
// the order in which it happened.
func (w *World) Truth() []Truth { return w.TruthBetween("", time.Time{}, w.clock.Now()) }

// TruthBetween returns what happened to the account ("": to any) after the one
// instant and up to the other, in the order in which it happened. It may look
// into the future.
func (w *World) TruthBetween(account string, after, until time.Time) []Truth {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.playUntil(until)
	all := w.truths
	if account != "" {
		all = w.about[account]
	}
	return slices.Clone(all[min(firstAfter(all, after), firstAfter(all, until)):firstAfter(all, until)])
}

// Net returns the differences that two looks at the complete account, at the
// one instant and at a later one, must show: no more, no less, sorted by path
// and kind. At is the instant of the last truth that had a part in it. Of
// A -> B -> A it shows nothing.
func (w *World) Net(account string, earlier, later time.Time) []Truth {
	events := w.TruthBetween(account, earlier, later)
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.existedBy(account, earlier)
	net := differences(w.fieldsAt(account, earlier), w.fieldsAt(account, later), earlier, later, seen)
	for i := range net {
		net[i].Account, net[i].At = account, lastOf(events, net[i])
	}
	return net
}

func (w *World) existedBy(account string, t time.Time) bool {
	w.playUntil(t)
	h := w.accounts[account]
	return h != nil && h.at(t) >= 0
}

// lastOf finds the last truth about the same path. Among the truths are always
// some, unless a whole subtree came or went.
func lastOf(events []Truth, net Truth) time.Time {
	for _, t := range slices.Backward(events) {
		if t.Path == net.Path {
			return t.At
		}
	}
	if len(events) > 0 {
		return events[len(events)-1].At
	}
	return time.Time{}
}

// firstAfter is the index of the first truth after t.
func firstAfter(truths []Truth, t time.Time) int {
	return sort.Search(len(truths), func(i int) bool { return truths[i].At.After(t) })
}

func rawOf(raw string) json.RawMessage {
	if raw == "" {
		return nil
	}
	return json.RawMessage(raw)
}
