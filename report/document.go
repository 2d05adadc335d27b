package report

import (
	"encoding/json"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

var errNoDocument = errors.New("no document")

// document is the top level of an account object: field name to the text of
// its value. Values are parsed when they are looked at, since most of them are
// the same in both states. A nil document was never sent.
type document map[string]jsontext.Value

// parseDocument reads an account object; nil bytes are a nil document.
func parseDocument(raw json.RawMessage) (document, error) {
	if raw == nil {
		return nil, nil
	}
	p := nodeParser{raw: raw, dec: newDecoder(raw)}
	if p.dec.PeekKind() != kindObject {
		return nil, errors.New("not a JSON object")
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, err
	}
	doc := document{}
	for p.dec.PeekKind() == kindString {
		name, err := p.scalar()
		if err != nil {
			return nil, err
		}
		if doc[unquote(name)], err = p.scalar(); err != nil {
			return nil, err
		}
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, err
	}
	return doc, p.end()
}

// field is the parsed value of a field; nil when the document has none.
func (d document) field(name string) (*node, error) {
	raw, ok := d[name]
	if !ok {
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
	known                 document // the latest word on every field
	list, detail, reduced document
}

// readState reads the documents of a state that is not gone. It fails when
// there is none, or when one is no JSON object.
func readState(s store.State) (*view, error) {
	v := &view{state: s}
	var err error
	if v.list, err = parseDocument(s.List); err != nil {
		return nil, located("list document", err)
	}
	if v.detail, err = parseDocument(s.Detail); err != nil {
		return nil, located("detail document", err)
	}
	if v.reduced, err = parseDocument(s.Reduced); err != nil {
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
	v.known, err = parseDocument(v.state.Known)
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
func (v *view) own(shape store.Source) document {
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

// Merge is the account object as far as it is known in a state: the latest word on
// every field. Fields are sorted by name, values are as received. It is nil for a state
// that is gone, and fails for one without documents or with a document that is no JSON
// object.
func Merge(s store.State) (json.RawMessage, error) {
	if s.Gone {
		return nil, nil
	}
	v, err := readState(s)
	if err != nil {
		return nil, err
	}
	n, err := parseNode(v.state.Known)
	if err != nil {
		return nil, err
	}
	return n.encode(), nil
}
