package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
)

var errNoDocument = errors.New("no document")

// object is the top level of an account object: its fields, sorted by name. Values are
// parsed when they are looked at, since most of them are the same in both states. A nil
// object was never sent.
type object []document.Field

// parseObject reads an account object; nil bytes are a nil object. Of its values it
// checks no more than where they end.
func parseObject(raw json.RawMessage) (object, error) {
	if raw == nil {
		return nil, nil
	}
	fields, err := document.Fields(raw)
	if byName := func(a, b document.Field) int { return strings.Compare(a.Name, b.Name) }; !slices.IsSortedFunc(fields, byName) {
		slices.SortFunc(fields, byName)
	}
	return fields, err
}

// get is the text of a field; nil when the object has none.
func (o object) get(name string) jsontext.Value {
	i, found := slices.BinarySearchFunc(o, name, func(f document.Field, name string) int { return strings.Compare(f.Name, name) })
	if !found {
		return nil
	}
	return jsontext.Value(o[i].Value)
}

// eachField calls fn with each field that one of the objects has, in order, and its text
// in both of them; nil where one has none.
func eachField(a, b object, fn func(name string, x, y []byte) error) error {
	for len(a)+len(b) > 0 {
		var name string
		var x, y []byte
		if len(b) == 0 || len(a) > 0 && a[0].Name <= b[0].Name {
			name, x = a[0].Name, a[0].Value
		} else {
			name = b[0].Name
		}
		if x != nil {
			a = a[1:]
		}
		if len(b) > 0 && b[0].Name == name {
			y, b = b[0].Value, b[1:]
		}
		if err := fn(name, x, y); err != nil {
			return err
		}
	}
	return nil
}

// field is the parsed value of a field; nil when the object has none.
func (o object) field(name string) (*node, error) {
	raw := o.get(name)
	if raw == nil {
		return nil, nil
	}
	n, err := parseNode(raw)
	if err != nil {
		return nil, located(name, err)
	}
	return n, nil
}

// view is a state with its documents read.
type view struct {
	state                 store.State
	known                 object // the latest word on every field
	list, detail, reduced object
}

// readState reads the documents of a state that is not gone. It fails when
// there is none, or when one is no JSON object.
func readState(s store.State) (*view, error) {
	v := &view{state: s}
	var err error
	if v.list, err = parseObject(s.List); err != nil {
		return nil, located("list document", err)
	}
	if v.detail, err = parseObject(s.Detail); err != nil {
		return nil, located("detail document", err)
	}
	if v.reduced, err = parseObject(s.Reduced); err != nil {
		return nil, located("reduced document", err)
	}
	if v.list == nil && v.detail == nil && v.reduced == nil {
		return nil, errNoDocument
	}
	if v.state.Known == nil {
		if v.state.Known, err = overlaid(s); err != nil {
			return nil, err
		}
	}
	if latest := *s.Last(s.Latest); bytes.Equal(v.state.Known, latest) {
		v.known = v.own(s.Latest)
		return v, nil
	}
	v.known, err = parseObject(v.state.Known)
	return v, located("known document", err)
}

// overlaid is what is known from the documents alone: what the latest says, and of the
// others what it lacks.
func overlaid(s store.State) (known json.RawMessage, err error) {
	order := []json.RawMessage{s.Reduced, s.Detail, s.List}
	switch s.Latest {
	case store.Detail:
		order = []json.RawMessage{s.Reduced, s.List, s.Detail}
	case store.Import:
		order = []json.RawMessage{s.Detail, s.List, s.Reduced}
	}
	for _, document := range order {
		if document != nil && err == nil {
			known, err = store.Overlay(document, known, known)
		}
	}
	return known, err
}

// own is the document of the shape that was received last.
func (v *view) own(shape store.Source) object {
	switch shape {
	case store.Detail:
		return v.detail
	case store.Import:
		return v.reduced
	}
	return v.list
}

// field is the value of a field as it holds in the state; nil when no document had it.
func (v *view) field(name string) (*node, error) { return v.known.field(name) }

// mergeNodes is a, and of objects what only b has.
func mergeNodes(a, b *node) *node {
	if a == nil {
		return b
	}
	if b == nil || a.kind != kindObject || b.kind != kindObject {
		return a
	}
	merged := &node{kind: kindObject, members: make(map[string]*node, len(a.members))}
	for _, name := range names(a, b) {
		merged.members[name] = mergeNodes(a.member(name), b.member(name))
	}
	merged.raw = encodeObject(merged.members)
	return merged
}

// encodeObject writes an object, names sorted.
func encodeObject(members map[string]*node) []byte {
	out := []byte{'{'}
	for i, name := range sortedNames(members) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendText(out, name), ':')
		out = append(out, members[name].raw...)
	}
	return append(out, '}')
}
