package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lobstrail/lobstrail/store"
)

func TestApply(t *testing.T) {
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	changes := []store.Change{
		{Kind: store.SquidAssigned, Path: "/squids/b", New: raw(`"B"`)},
		{Kind: store.SquidUnassigned, Path: "/squids/a", Old: raw(`"A"`)},
		{Kind: store.SquidRenamed, Path: "/squids/c~1", New: raw(`"C2"`)},
		{Kind: store.LimitChanged, Path: "/params/user/p/max", New: raw(`5`)},
		{Kind: store.LimitChanged, Path: "/params/old/max", Old: raw(`5`)},
		{Kind: store.FieldChanged, Path: "/x/1", New: raw(`9`)},
		{Kind: store.SchemaChanged, Path: "/y", Old: raw(`1`)},
	}
	doc := raw(`{"squids":[{"id":"a"},{"hash":"c/","name":"C"}],"x":[1,2],"y":1,"z":1.0}`)
	got, err := applyChanges(doc, changes)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"params":{"user":{"p":{"max":5}}},"squids":[{"hash":"c/","name":"C2"},{"hash_value":"b","name":"B"}],"x":[1,9],"z":1.0}`
	if string(got) != want {
		t.Errorf("%s", got)
	}
}

func TestApplyRefuses(t *testing.T) {
	good := store.Change{Kind: store.FieldChanged, Path: "/x", New: json.RawMessage("1")}
	for name, test := range map[string]struct {
		doc    string
		change store.Change
	}{
		"a list":          {`[]`, good},
		"broken JSON":     {`{`, good},
		"a broken value":  {`{}`, store.Change{Kind: store.FieldChanged, Path: "/x", New: json.RawMessage("{")}},
		"no path":         {`{}`, store.Change{Kind: store.Appeared}},
		"a broken path":   {`{}`, store.Change{Kind: store.FieldChanged, Path: "x"}},
		"unknown squids":  {`{"squids":[1]}`, store.Change{Kind: store.SquidUnassigned, Path: "/squids/a"}},
		"unnamed kind, /": {`{}`, store.Change{Path: "~2"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := applyChanges(json.RawMessage(test.doc), []store.Change{test.change}); err == nil {
				t.Errorf("no error, but %s", got)
			}
		})
	}
}

func TestKnown(t *testing.T) {
	got, err := known(both(`{"b":1,"o":{"x":1,"y":{"z":1}}}`, `{"a":2,"b":3,"o":{"x":2,"y":null,"w":1.0}}`, store.Detail))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"a":2,"b":3,"o":{"w":1.0,"x":2,"y":null}}`; string(got) != want {
		t.Errorf("%s", got)
	}
	if got, err := known(store.State{Gone: true}); got != nil || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestEqual(t *testing.T) {
	a, b := json.RawMessage(fields(`"x":1,"lock_time":`+past)), json.RawMessage(fields(`"x":1.0,"lock_time":null`))
	if !meanTheSame(a, b, at) {
		t.Error("other spellings")
	}
	if meanTheSame(a, json.RawMessage(fields(`"x":2`)), at) || meanTheSame(a, json.RawMessage(`[]`), at) {
		t.Error("equal to something else")
	}
}

// meanTheSame reports whether two account objects mean the same at an instant: Diff finds
// no change between them. Objects that cannot be compared do not.
func meanTheSame(a, b json.RawMessage, at time.Time) bool {
	changes, err := Diff(store.State{At: at, List: a, Latest: store.List}, store.State{At: at, List: b, Latest: store.List})
	return err == nil && len(changes) == 0
}

// applyChanges makes changes to an account object, as known returns it, and returns the
// result. The changes that Diff found between two states turn the object of the older into
// that of the newer, in the sense of meanTheSame. One thing the changes cannot tell: a
// field that one endpoint no longer sends is removed, though known keeps it while the other
// endpoint's document has it.
//
// It returns an error if doc is not a JSON object, if a value or path is invalid, and for
// the kinds that change whether there is an account: appeared, gone and returned.
func applyChanges(doc json.RawMessage, changes []store.Change) (json.RawMessage, error) {
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
	tokens := slices.Collect(path.Tokens())
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

// known is the account object as far as it is known in a state: the latest word on every
// field. Fields are sorted by name, values are as received. It is nil for a state that is
// gone, and an error for one without documents, or with one that is not a JSON object.
func known(s store.State) (json.RawMessage, error) {
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
