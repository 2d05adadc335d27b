package report

import (
	"encoding/json"
	"slices"
	"strconv"
)

// parseValue parses a value of a change; nil stays nil.
func parseValue(raw json.RawMessage) (*node, error) {
	if raw == nil {
		return nil, nil
	}
	return parseNode(raw)
}

func newObject() *node { return &node{kind: kindObject, members: map[string]*node{}} }

func textNode(text string) *node {
	return &node{kind: kindString, raw: quote(text), text: text}
}

// place puts a value at a path below n, making objects on the way where nothing is;
// nil takes away what is there. A value that stands on the way is replaced by a part
// of it that is put in, and has no part that could be taken away.
func (n *node) place(tokens []string, value *node) {
	for len(tokens) > 1 {
		next := n.child(tokens[0])
		if next == nil || !next.isContainer() {
			if next != nil && value == nil {
				return
			}
			next = newObject()
			n.put(tokens[0], next)
		}
		n, tokens = next, tokens[1:]
	}
	n.put(tokens[0], value)
}

// child is the member or element of that name; nil when there is none.
func (n *node) child(token string) *node {
	if i, ok := n.index(token); ok {
		return n.elems[i]
	}
	return n.member(token)
}

func (n *node) put(token string, value *node) {
	i, isElement := n.index(token)
	switch {
	case isElement && value == nil:
		n.elems[i] = &node{kind: kindNull, raw: []byte("null"), text: "null"}
	case isElement:
		n.elems[i] = value
	case n.kind != kindObject:
	case value == nil:
		delete(n.members, token)
	default:
		n.members[token] = value
	}
}

// index reads a token as the index of an element of n.
func (n *node) index(token string) (int, bool) {
	i, err := strconv.Atoi(token)
	return i, n.kind == kindArray && err == nil && i >= 0 && i < len(n.elems)
}

// encode writes a value whose members may have been changed; scalars as
// received, members sorted.
func (n *node) encode() json.RawMessage {
	switch n.kind {
	case kindObject:
		members := make(map[string]*node, len(n.members))
		for name, member := range n.members {
			members[name] = &node{raw: member.encode()}
		}
		return encodeObject(members)
	case kindArray:
		out := []byte{'['}
		for i, elem := range n.elems {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, elem.encode()...)
		}
		return append(out, ']')
	}
	return n.raw
}

// clone is a copy of which the containers can be changed.
func (n *node) clone() *node {
	if !n.isContainer() {
		return n
	}
	c := *n
	c.members = make(map[string]*node, len(n.members))
	for name, member := range n.members {
		c.members[name] = member.clone()
	}
	c.elems = slices.Clone(n.elems)
	for i, elem := range c.elems {
		c.elems[i] = elem.clone()
	}
	return &c
}
