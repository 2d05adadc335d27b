package report

import (
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

var null = json.RawMessage("null")

// diffStatus compares one of the three status fields. A missing field and null say the
// same of an account: no status. A status that was not known before, or was out of date
// and is told again, is a change only where it alone makes the health another.
func (d *differ) diffStatus(name string, a, b *node) {
	change := store.Change{Kind: store.StatusChanged, Path: string(pointer(name)), Old: a.value(), New: b.value()}
	again := name == "status" && d.old.state.Outdated && !d.new.state.Outdated
	switch same := equalStatus(name, a, b); {
	case same && again:
		change.Old = nil
		d.statuses = append(d.statuses, change)
	case same:
	case a != nil && b != nil:
		d.changes = append(d.changes, change)
	case name != "status_code_description": // it has no part in health
		d.statuses = append(d.statuses, change)
	}
}

func equalStatus(name string, a, b *node) bool {
	if a.isNull() || b.isNull() {
		return a.isNull() && b.isNull()
	}
	if name == "status" && !a.isContainer() && !b.isContainer() && numberEqual(a.text, b.text) {
		return true
	}
	return equalWhole(a, b)
}

// diffLock compares what lock_time says at the instants of the two states. No
// lock is written as null, also where the field is missing or its time passed.
func (d *differ) diffLock(a, b *node) {
	d.diffLocks(readLock(a, d.old.state.At), readLock(b, d.new.state.At))
}

// diffLocks compares two locks, of which the new one was read at the instant of the
// new state.
func (d *differ) diffLocks(old, new lockReading) {
	switch {
	case old.live && new.live && old.until.Equal(new.until):
	case old.live && new.live && old.until.After(d.new.state.At):
		d.addLock(store.FieldChanged, old.value(), new.value()) // moved while it lasts
	default:
		if old.live {
			d.addLock(store.LockEnded, old.value(), null)
		}
		if new.live {
			d.addLock(store.LockBegan, null, new.value())
		}
		d.diffGarbage(old, new)
	}
}

// diffGarbage says what became of a lock_time that is no time: it is no lock,
// but what the API sent must not be lost.
func (d *differ) diffGarbage(old, new lockReading) {
	if old.garbage == nil && new.garbage == nil {
		return
	}
	if old.garbage == nil || new.garbage == nil || !equal(old.garbage, new.garbage) {
		d.addLock(store.FieldChanged, old.value(), new.value())
	}
}

func (d *differ) addLock(kind store.Kind, old, new json.RawMessage) {
	d.add(kind, pointer("lock_time"), old, new)
}

// value is the lock as received; null when there is none.
func (r lockReading) value() json.RawMessage {
	if r.live || r.garbage != nil {
		return r.raw.value()
	}
	return null
}

// diffSync compares last_synchronization_time. Only a move forward in time is a
// synchronisation; all else is a field that changed.
func (d *differ) diffSync(path jsontext.Pointer, a, b *node) {
	before, ok := parseInstant(a)
	after, also := parseInstant(b)
	switch {
	case !ok || !also:
		d.diffValue(path, a, b)
	case after.After(before):
		d.add(store.Synced, path, a.value(), b.value())
	case after.Before(before):
		d.add(store.FieldChanged, path, a.value(), b.value())
	}
}
