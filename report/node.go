package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds the recursion over a document. The fetcher refuses documents
// long before; this holds for all others.
const maxDepth = 1000

// The JSON types, as jsontext names them. True and false are two kinds there.
const (
	kindNull   jsontext.Kind = 'n'
	kindString jsontext.Kind = '"'
	kindNumber jsontext.Kind = '0'
	kindObject jsontext.Kind = '{'
	kindArray  jsontext.Kind = '['
	kindBool   jsontext.Kind = 't' // also false
)

// node is a parsed JSON value. A nil node is a value that is not there.
type node struct {
	kind    jsontext.Kind
	raw     []byte // the value's text as received
	text    string // strings: decoded; numbers and booleans: as received
	members map[string]*node
	elems   []*node
}

// parseNode reads one JSON value. Duplicate member names, anything behind the
// value and nesting deeper than maxDepth are errors.
func parseNode(raw []byte) (*node, error) {
	kind := jsontext.Value(raw).Kind()
	if kind != kindObject && kind != kindArray && jsontext.Value(raw).IsValid(jsontext.AllowInvalidUTF8(true)) {
		return scalarNode(kind, bytes.TrimSpace(raw)), nil
	}
	p := nodeParser{raw: raw, dec: newDecoder(raw)}
	n, err := p.value()
	if err != nil {
		return nil, err
	}
	return n, p.end()
}

func newDecoder(raw []byte) *jsontext.Decoder {
	// Text that is no UTF-8 is evidence too; textEqual sees to it that two
	// different broken texts stay different.
	return jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowInvalidUTF8(true))
}

type nodeParser struct {
	raw []byte
	dec *jsontext.Decoder
}

// end checks that nothing follows.
func (p *nodeParser) end() error {
	_, err := p.dec.ReadToken()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return errors.New("more than one JSON value")
}

func (p *nodeParser) value() (*node, error) {
	if p.dec.StackDepth() > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	kind := p.dec.PeekKind()
	switch kind {
	case kindObject:
		return p.object()
	case kindArray:
		return p.array()
	}
	raw, err := p.scalar()
	if err != nil {
		return nil, err
	}
	return scalarNode(kind, raw), nil
}

func scalarNode(kind jsontext.Kind, raw []byte) *node {
	switch kind {
	case kindString:
		return &node{kind: kind, raw: raw, text: unquote(raw)}
	case 'f':
		kind = kindBool
	}
	return &node{kind: kind, raw: raw, text: string(raw)}
}

// scalar is the text of the next value, as a part of p.raw: the decoder's own
// buffer is not kept.
func (p *nodeParser) scalar() ([]byte, error) {
	v, err := p.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	end := int(p.dec.InputOffset())
	return p.raw[end-len(v) : end : end], nil
}

func (p *nodeParser) object() (*node, error) {
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, err
	}
	start := p.dec.InputOffset() - 1
	n := &node{kind: kindObject, members: map[string]*node{}}
	for p.dec.PeekKind() == kindString {
		name, err := p.scalar()
		if err != nil {
			return nil, err
		}
		if n.members[unquote(name)], err = p.value(); err != nil {
			return nil, err
		}
	}
	return p.close(n, start)
}

func (p *nodeParser) array() (*node, error) {
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, err
	}
	start := p.dec.InputOffset() - 1
	n := &node{kind: kindArray}
	for kind := p.dec.PeekKind(); kind != ']' && kind != jsontext.KindInvalid; kind = p.dec.PeekKind() {
		elem, err := p.value()
		if err != nil {
			return nil, err
		}
		n.elems = append(n.elems, elem)
	}
	return p.close(n, start)
}

func (p *nodeParser) close(n *node, start int64) (*node, error) {
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, err
	}
	end := p.dec.InputOffset()
	n.raw = p.raw[start:end:end]
	return n, nil
}

// unquote decodes a valid JSON string; bytes that are no UTF-8 become U+FFFD.
func unquote(quoted []byte) string {
	text, _ := jsontext.AppendUnquote(nil, quoted)
	return string(text)
}

// isNull reports whether there is no value, or null.
func (n *node) isNull() bool { return n == nil || n.kind == kindNull }

func (n *node) isContainer() bool {
	return n != nil && (n.kind == kindObject || n.kind == kindArray)
}

// value is the text of n without blanks; nil when n is nil.
func (n *node) value() json.RawMessage {
	if n == nil {
		return nil
	}
	v := jsontext.Value(n.raw).Clone()
	if n.isContainer() {
		// The text was parsed before, so that compacting cannot fail.
		_ = v.Compact(jsontext.AllowInvalidUTF8(true))
	}
	return json.RawMessage(v)
}

// names lists the member names of both objects (nil: none), sorted.
func names(a, b *node) []string {
	var all []string
	for _, n := range []*node{a, b} {
		if n != nil {
			all = slices.AppendSeq(all, maps.Keys(n.members))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// member is the named member of an object; nil when n is none or has none.
func (n *node) member(name string) *node {
	if n == nil {
		return nil
	}
	return n.members[name]
}

// equal reports whether a and b mean the same: numbers by value, text decoded
// and, where it is RFC 3339 on both sides, as instants. The text of a number or
// boolean equals it. Order counts in arrays only.
func equal(a, b *node) bool {
	switch {
	case a == nil || b == nil:
		return a == b
	case bytes.Equal(a.raw, b.raw):
		return true
	case a.isContainer() || b.isContainer():
		return a.kind == b.kind && equalParts(a, b)
	}
	return scalarEqual(a, b)
}

func equalParts(a, b *node) bool {
	if len(a.members) != len(b.members) {
		return false
	}
	for name, member := range a.members {
		if other, ok := b.members[name]; !ok || !equal(member, other) {
			return false
		}
	}
	return slices.EqualFunc(a.elems, b.elems, equal)
}

// scalarEqual compares two values that are no containers.
func scalarEqual(a, b *node) bool {
	if a.kind == kindString && b.kind == kindString {
		return textEqual(a, b) || sameInstantText(a.text, b.text)
	}
	return literalEqual(a, b)
}

// literalEqual compares two values that are no containers, text as mere text.
func literalEqual(a, b *node) bool {
	switch {
	case a.kind == kindString && b.kind == kindString:
		return textEqual(a, b)
	case a.kind == kindNumber && b.kind == kindNumber:
		return numberEqual(a.text, b.text)
	case a.kind == kindString && b.kind == kindNumber:
		return isPlain(a.text) && numberEqual(a.text, b.text)
	case a.kind == kindNumber && b.kind == kindString:
		return literalEqual(b, a)
	case a.kind == kindNull || b.kind == kindNull:
		return a.kind == b.kind // null is not the text "null"
	}
	return a.text == b.text
}

// textEqual compares two strings as decoded. Where bytes could not be decoded,
// the texts must be spelled alike: U+FFFD stands for any of them.
func textEqual(a, b *node) bool {
	return a.text == b.text && (!strings.ContainsRune(a.text, '\uFFFD') || bytes.Equal(a.raw, b.raw))
}

func numberEqual(a, b string) bool {
	x, ok := parseDecimal(a)
	y, also := parseDecimal(b)
	return ok && also && x == y
}

// sameInstantText reports whether both texts are RFC 3339 and name one instant.
func sameInstantText(a, b string) bool {
	x, ok := parseRFC3339(a)
	if !ok {
		return false
	}
	y, ok := parseRFC3339(b)
	return ok && x.Equal(y)
}

// parseRFC3339 reads a time with a zone. It refuses fractions finer than a
// nanosecond, which time.Time would cut.
func parseRFC3339(text string) (time.Time, bool) {
	if len(text) < len("2006-01-02T15:04:05Z") || len(text) > len("2006-01-02T15:04:05.123456789+00:00") || text[4] != '-' {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}
