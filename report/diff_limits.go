package report

import (
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// diffLimits compares the settings under params, one change a leaf. A leaf is a
// value that is no object; lists of the same length are compared by element. A
// setting of null is none, and so is an object that holds none.
func (d *differ) diffLimits(path jsontext.Pointer, a, b *node) {
	switch {
	case store.IsVolatile(string(path)) || a.isNull() && b.isNull():
	case isObject(a) && (isObject(b) || b.isNull()), a.isNull() && isObject(b):
		for _, name := range names(a, b) {
			d.diffLimits(path.AppendToken(name), a.member(name), b.member(name))
		}
	case sameLength(a, b):
		for i := range a.elems {
			d.diffLimits(element(path, i), a.elems[i], b.elems[i])
		}
	case isObject(a):
		d.diffLimits(path, a, nil)
		d.addLimit(path, nil, b)
	case isObject(b):
		d.addLimit(path, a, nil)
		d.diffLimits(path, nil, b)
	case !equalLeaf(a, b):
		d.addLimit(path, a, b)
	}
}

func (d *differ) addLimit(path jsontext.Pointer, a, b *node) {
	if path == pointer("params") {
		// Params that hold no settings are still sent: null, not nothing.
		d.add(store.LimitChanged, path, orNull(a.value()), orNull(b.value()))
	} else if a != nil || b != nil {
		d.add(store.LimitChanged, path, a.value(), b.value())
	}
}

func orNull(value json.RawMessage) json.RawMessage {
	if value == nil {
		return null
	}
	return value
}

func equalLeaf(a, b *node) bool {
	if a.isNull() || b.isNull() {
		return a.isNull() && b.isNull()
	}
	return equal(a, b)
}

func isObject(n *node) bool { return n != nil && n.kind == kindObject }

// sameLength reports whether both are lists of one length.
func sameLength(a, b *node) bool {
	return a != nil && b != nil && a.kind == kindArray && b.kind == kindArray && len(a.elems) == len(b.elems)
}
