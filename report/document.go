package report

import (
	"bytes"
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
	state  store.State
	list   document
	detail document
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
	if v.list == nil && v.detail == nil {
		return nil, errNoDocument
	}
	return v, nil
}

// latest is the document of the endpoint that spoke last, and that of the other
// one. Imported documents are those of the list.
func (v *view) latest() (latest, other document) {
	if v.state.Latest == store.Detail {
		return v.detail, v.list
	}
	return v.list, v.detail
}

// field is the value of a field as it holds in the state; nil when no document
// has it. What the latest document says holds. Of objects, members that only
// the other document has are kept, at any depth: a field that one endpoint has
// and the other lacks has not changed.
func (v *view) field(name string) (*node, error) {
	latest, other := v.latest()
	a, err := latest.field(name)
	if err != nil || a != nil && a.kind != kindObject {
		return a, err
	}
	b, err := other.field(name)
	if err != nil {
		return nil, err
	}
	return mergeNodes(a, b), nil
}

// names lists the fields of both documents, sorted.
func (v *view) names() []string {
	all := map[string]bool{}
	for _, doc := range []document{v.list, v.detail} {
		for name := range doc {
			all[name] = true
		}
	}
	return sortedNames(all)
}

// spellings are the texts of a field, the latest first. It has one element where the
// documents agree to the letter, or only one has the field.
func (v *view) spellings(name string) []jsontext.Value {
	latest, other := v.latest()
	var all []jsontext.Value
	for _, doc := range []document{latest, other} {
		raw, ok := doc[name]
		if ok && (len(all) == 0 || !bytes.Equal(all[0], raw)) {
			all = append(all, raw)
		}
	}
	return all
}

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

// Merge is the account object as far as it is known in a state: the document of
// the endpoint that spoke last, and the fields (of objects, at any depth) that
// only the other endpoint sent. Fields are sorted by name, values are as
// received. It is nil for a state that is gone, and fails for one without
// documents or with a document that is no JSON object.
func Merge(s store.State) (json.RawMessage, error) {
	if s.Gone {
		return nil, nil
	}
	v, err := readState(s)
	if err != nil {
		return nil, err
	}
	fields := map[string]*node{}
	for _, name := range v.names() {
		if fields[name], err = v.field(name); err != nil {
			return nil, err
		}
	}
	return encodeObject(fields), nil
}
