package report

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// Equal reports whether two account objects mean the same at an instant: [Diff]
// has nothing to say of them. Objects that cannot be compared are not equal.
func Equal(a, b json.RawMessage, at time.Time) bool {
	changes, err := Diff(store.State{At: at, List: a, Latest: store.List}, store.State{At: at, List: b, Latest: store.List})
	return err == nil && len(changes) == 0
}

// Apply makes changes to an account object, as [Merge] gives it, and answers
// the object after them: what [Diff] found between two states turns the merged
// object of the older into that of the newer, in the sense of [Equal]. One
// thing the changes cannot know: a field that one endpoint no longer sends is
// taken away, though [Merge] keeps it while the other endpoint's document has it.
//
// Apply fails when doc is no JSON object, when a value or path is invalid, and for the
// kinds that change whether there is an account: appeared, gone and returned.
func Apply(doc json.RawMessage, changes []store.Change) (json.RawMessage, error) {
	root, err := parseNode(doc)
	if err != nil {
		return nil, located("document", err)
	}
	if root.kind != kindObject {
		return nil, located("document", errNoDocument)
	}
	for _, c := range changes {
		if err := applyChange(root, c); err != nil {
			return nil, fmt.Errorf("%s %s: %w", c.Kind, c.Path, err)
		}
	}
	return root.encode(), nil
}

func applyChange(root *node, c store.Change) error {
	path := jsontext.Pointer(c.Path)
	if c.Path == "" || !path.IsValid() {
		return fmt.Errorf("no path into an account")
	}
	var tokens []string
	for token := range path.Tokens() {
		tokens = append(tokens, token)
	}
	value, err := parseValue(c.New)
	if err != nil {
		return err
	}
	if tokens[0] == "squids" && len(tokens) > 1 {
		return applySquid(root, c.Kind, tokens[1:], value)
	}
	root.set(tokens, value)
	return nil
}

// parseValue parses a value of a change; nil stays nil.
func parseValue(raw json.RawMessage) (*node, error) {
	if raw == nil {
		return nil, nil
	}
	return parseNode(raw)
}

// applySquid changes the entry of one squid, or a member of it. tokens begin
// with the squid's id.
func applySquid(root *node, kind store.Kind, tokens []string, value *node) error {
	list := root.member("squids")
	if list.isNull() {
		list = &node{kind: kindArray}
		root.members["squids"] = list
	}
	entries, err := list.entriesOf(tokens[0])
	if err != nil {
		return err
	}
	switch kind {
	case store.SquidAssigned:
		entry := &node{kind: kindObject, members: map[string]*node{"hash_value": textNode(tokens[0]), "name": value}}
		list.elems = append(list.elems, entry)
	case store.SquidUnassigned:
		list.remove(entries)
	case store.SquidRenamed:
		tokens = append(tokens, "name")
		fallthrough
	default:
		for entry := range entries {
			entry.set(tokens[1:], value)
		}
	}
	return nil
}

// entriesOf are the entries of a squids field with the id.
func (n *node) entriesOf(id string) (map[*node]bool, error) {
	entries := map[*node]bool{}
	for _, elem := range n.elems {
		squids, err := store.ParseSquids(json.RawMessage("[" + string(elem.encode()) + "]"))
		if err != nil {
			return nil, err
		}
		if squids[0].ID == id {
			entries[elem] = true
		}
	}
	return entries, nil
}

func (n *node) remove(elems map[*node]bool) {
	var kept []*node
	for _, elem := range n.elems {
		if !elems[elem] {
			kept = append(kept, elem)
		}
	}
	n.elems = kept
}

// set puts a value at a path below n, making objects on the way where there is
// none; nil takes away what is there. The elements of a list keep their places:
// null stands for one taken away.
func (n *node) set(tokens []string, value *node) {
	for len(tokens) > 1 {
		next := n.child(tokens[0])
		if next == nil || !next.isContainer() {
			if value == nil {
				return
			}
			next = &node{kind: kindObject, members: map[string]*node{}}
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

func textNode(text string) *node {
	return &node{kind: kindString, raw: quote(text), text: text}
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
