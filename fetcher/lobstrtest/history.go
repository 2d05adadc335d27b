package lobstrtest

import "time"

// Version is what an account was from an instant on, until its next version.
type Version struct {
	Account string
	At      time.Time // zero: it was so when the world began
	fields  object    // nil: the account does not exist
}

// Exists reports whether the account exists in this version.
func (v Version) Exists() bool { return v.fields != nil }

// Names lists the fields of the complete account object, in their order.
func (v Version) Names() []string {
	names := make([]string, 0, len(v.fields))
	for _, f := range v.fields {
		names = append(names, f.name)
	}
	return names
}

// Field returns the value of a field as JSON; ok is false if there is no such field.
// Counters have the value that they had at At, and resets_in is "" while it is worked
// out for each request.
func (v Version) Field(name string) (json string, ok bool) { return v.fields.get(name) }

// LockedUntil returns the end of the lock that is live at t.
func (v Version) LockedUntil(t time.Time) (end time.Time, live bool) { return lockedUntil(v.fields, t) }

// History returns all versions of an account up to an instant, oldest first ("": of
// all accounts, one account after the other in the order of the list). A version
// begins with each event about the account, also if it changed nothing, and when a
// lock ends by time. until may lie in the future.
func (w *World) History(account string, until time.Time) []Version {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.playUntil(until)
	var all []Version
	for _, h := range w.order {
		if account != "" && h.id != account {
			continue
		}
		for _, v := range h.versions[:h.at(until)+1] {
			all = append(all, Version{h.id, v.at, v.fields})
		}
	}
	return all
}
