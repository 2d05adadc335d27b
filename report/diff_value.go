package report

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// literalFields hold names and keywords: a text in them that looks like a time
// is a text.
var literalFields = map[jsontext.Pointer]bool{
	"/id": true, "/object": true, "/type": true, "/account_type_hash": true, "/baseurl": true, "/primary_color": true,
}

// diffValue compares two values of a field without a kind of its own, and names
// the deepest pointers that differ. Members that only one side has, and objects
// and lists that became another type, are left to the comparison of schemas
// where that told of them.
func (d *differ) diffValue(path jsontext.Pointer, a, b *node) {
	switch {
	case equal(a, b) && !literalFields[path]:
	case isObject(a) && isObject(b):
		for _, name := range names(a, b) {
			d.diffMember(path.AppendToken(name), a.member(name), b.member(name))
		}
	case sameLength(a, b):
		for i := range a.elems {
			d.diffValue(element(path, i), a.elems[i], b.elems[i])
		}
	case literalFields[path] && equalWhole(a, b):
	case (a.isContainer() || b.isContainer()) && d.schema[string(path)]:
	default:
		d.add(store.FieldChanged, path, a.value(), b.value())
	}
}

// diffMember compares two members of an object. One that only one side has is left to
// the comparison of schemas where that told of it.
func (d *differ) diffMember(path jsontext.Pointer, a, b *node) {
	switch {
	case a != nil && b != nil:
		d.diffValue(path, a, b)
	case !d.composed && !d.schema[string(path)]:
		d.add(store.FieldChanged, path, a.value(), b.value())
	}
}

func element(path jsontext.Pointer, i int) jsontext.Pointer {
	return path.AppendToken(strconv.Itoa(i))
}
