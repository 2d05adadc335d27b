package report

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// diffSchemas compares the documents of each shape. Of two neighbouring states only
// one document is another. Between distant ones several may be, and the change of the
// latest shape stands for one of the others at the same path.
func (d *differ) diffSchemas() error {
	d.schema = map[string]bool{}
	shapes := []store.Source{d.new.state.Latest, store.List, store.Detail, store.Import}
	for i, shape := range shapes {
		old, new := d.old.own(shape), d.new.own(shape)
		if old == nil || new == nil || slices.Contains(shapes[:i], shape) {
			continue // there was none of this shape before
		}
		if err := d.diffSchema(old, new); err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) diffSchema(old, new object) error {
	return eachField(old, new, func(name string, x, y []byte) error {
		if bytes.Equal(x, y) || store.IsVolatile(string(pointer(name))) {
			return nil
		}
		return d.diffSchemaField(old, new, name)
	})
}

func (d *differ) diffSchemaField(old, new object, name string) error {
	a, err := old.field(name)
	if err != nil {
		return err
	}
	b, err := new.field(name)
	if err != nil {
		return err
	}
	path := pointer(name)
	if a == nil || b == nil || typeChanged(a, b) {
		d.addSchema(path, a, b)
		return nil
	}
	switch name {
	case "params":
		return d.diffKeptLimits(path, a, b)
	case "status", "status_code_info", "status_code_description", "lock_time", "last_synchronization_time",
		"squids", "cookies", "icon", "username":
		return nil // a kind of their own speaks of them as a whole
	}
	d.diffMembers(path, a, b)
	return nil
}

// diffMembers finds members newly sent, no longer sent and of another type.
func (d *differ) diffMembers(path jsontext.Pointer, a, b *node) {
	switch {
	case a == nil || b == nil || typeChanged(a, b):
		d.addSchema(path, a, b)
	case isObject(a) && isObject(b):
		for _, name := range names(a, b) {
			d.diffMembers(path.AppendToken(name), a.member(name), b.member(name))
		}
	case sameLength(a, b):
		for i := range a.elems {
			d.diffMembers(element(path, i), a.elems[i], b.elems[i])
		}
	}
}

// diffKeptLimits finds the settings that an endpoint newly sends or no longer sends
// while the other endpoint's word keeps them as they are: no limit changed, but
// what was sent must not be lost.
func (d *differ) diffKeptLimits(path jsontext.Pointer, own, now *node) error {
	before, err := d.old.field("params")
	if err != nil {
		return err
	}
	after, err := d.new.field("params")
	if err != nil {
		return err
	}
	d.diffKept(path, own, now, before, after)
	return nil
}

// diffKept compares what one endpoint sent (own, now) where both states
// (before, after) know a setting.
func (d *differ) diffKept(path jsontext.Pointer, own, now, before, after *node) {
	switch {
	case store.IsVolatile(string(path)) || before.isNull() || after.isNull():
	case isObject(before) && isObject(after):
		for _, name := range names(own, now) {
			d.diffKept(path.AppendToken(name), own.member(name), now.member(name), before.member(name), after.member(name))
		}
	case own.isNull() != now.isNull():
		d.addSchema(path, own, now)
	}
}

// typeChanged reports whether both values have a JSON type, and not the same.
// Null is no type.
func typeChanged(a, b *node) bool {
	return a.kind != b.kind && a.kind != kindNull && b.kind != kindNull
}

func (d *differ) addSchema(path jsontext.Pointer, a, b *node) {
	if d.schema[string(path)] {
		return
	}
	d.schema[string(path)] = true
	d.add(store.SchemaChanged, path, a.value(), b.value())
}
