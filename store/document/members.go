package document

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Member is a part of a document that changes on its own: a member, or a member
// of a member that is an object.
type Member struct {
	Key
	// Value is JSON. Of a member that is an object it is {}: its members follow.
	Value []byte
}

// Key names a Member: the names of the member and, behind a slash, of the member
// of it. Sub is empty for a member as a whole.
type Key struct{ Top, Sub string }

// Compare orders keys as documents have them.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Top, other.Top), cmp.Compare(k.Sub, other.Sub))
}

// Members lists the members of a document in the order of their keys. A document
// of nil has none.
func Members(body []byte) (all []Member, err error) {
	account, err := fieldsOf(body)
	if err != nil {
		return nil, err
	}
	all = make([]Member, 0, len(account)+16)
	for _, m := range account {
		if all, err = appendMembers(all, m); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Changes lists what a document says otherwise than the one before it: the Difference of
// their Members.
func Changes(before, after []byte) (changed []Member, err error) {
	old, err := fieldsOf(before)
	if err != nil {
		return nil, err
	}
	new, err := fieldsOf(after)
	if err != nil {
		return nil, err
	}
	var a, b []Member
	for len(old)+len(new) > 0 {
		order := -1
		switch {
		case len(old) == 0:
			order = 1
		case len(new) > 0:
			order = cmp.Compare(old[0].Name, new[0].Name)
		}
		a, b = a[:0], b[:0]
		if order == 0 && bytes.Equal(old[0].Value, new[0].Value) {
			old, new = old[1:], new[1:]
			continue
		}
		if order <= 0 {
			if a, err = appendMembers(a, old[0]); err != nil {
				return nil, err
			}
			old = old[1:]
		}
		if order >= 0 {
			if b, err = appendMembers(b, new[0]); err != nil {
				return nil, err
			}
			new = new[1:]
		}
		changed = append(changed, Difference(a, b)...)
	}
	return changed, nil
}

func fieldsOf(body []byte) ([]Field, error) {
	if body == nil {
		return nil, nil
	}
	account, err := Fields(body)
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	return account, nil
}

// appendMembers appends what a field of a document consists of.
func appendMembers(all []Member, m Field) ([]Member, error) {
	if m.Value[0] != '{' {
		return append(all, Member{Key{m.Name, ""}, m.Value}), nil
	}
	all = append(all, Member{Key{m.Name, ""}, object})
	parts, err := fieldsOf(m.Value)
	for _, part := range parts {
		all = append(all, Member{Key{m.Name, "/" + part.Name}, part.Value})
	}
	return all, err
}

var object = []byte("{}")

// FromMembers is the inverse of Members. The members must be in the order of
// their keys. It returns an error when a member stands twice, when a part stands alone,
// without its member, and when a value is no JSON.
func FromMembers(all []Member) ([]byte, error) {
	account := make([]Field, 0, len(all))
	for i := 0; i < len(all); {
		top := all[i]
		i++
		var parts []Field
		for ; i < len(all) && all[i].Top == top.Top; i++ {
			name, part := strings.CutPrefix(all[i].Sub, "/")
			if !part { // of a store that was changed
				return nil, fmt.Errorf("document: %q stands twice", top.Top)
			}
			parts = append(parts, Field{name, all[i].Value})
		}
		switch {
		case top.Sub != "":
			return nil, fmt.Errorf("document: a part of %q without its object", top.Top)
		case parts != nil && !bytes.Equal(top.Value, object):
			return nil, fmt.Errorf("document: parts of %q, which is no object", top.Top)
		case parts != nil:
			top.Value = WriteObject(nil, parts)
		}
		account = append(account, Field{top.Top, top.Value})
	}
	body := WriteObject(nil, account)
	if !jsontext.Value(body).IsValid() {
		return nil, errors.New("document: its members make no JSON")
	}
	return body, nil
}

// Difference lists what a document says otherwise than the one before it, in the
// order of the keys. A Value of nil stands for a member that it no longer has.
func Difference(before, after []Member) (changed []Member) {
	for len(before)+len(after) > 0 {
		order := -1
		switch {
		case len(before) == 0:
			order = 1
		case len(after) > 0:
			order = before[0].Compare(after[0].Key)
		}
		switch {
		case order < 0:
			changed = append(changed, Member{Key: before[0].Key})
			before = before[1:]
		case order > 0:
			changed = append(changed, after[0])
			after = after[1:]
		default:
			if !bytes.Equal(before[0].Value, after[0].Value) {
				changed = append(changed, after[0])
			}
			before, after = before[1:], after[1:]
		}
	}
	return changed
}

// Apply is the inverse of Difference: it returns what the document after it says.
// Both must be in the order of their keys.
func Apply(before, changed []Member) (after []Member) {
	after = make([]Member, 0, len(before)+len(changed))
	for len(before)+len(changed) > 0 {
		order := -1
		switch {
		case len(before) == 0:
			order = 1
		case len(changed) > 0:
			order = before[0].Compare(changed[0].Key)
		}
		if order < 0 {
			after, before = append(after, before[0]), before[1:]
			continue
		}
		if order == 0 {
			before = before[1:]
		}
		if changed[0].Value != nil {
			after = append(after, changed[0])
		}
		changed = changed[1:]
	}
	return after
}
