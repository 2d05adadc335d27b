package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// shapeOf says which fields a document can be expected to have: it is compared, for
// fields that are sent newly or no longer, with the last document of its own shape
// only. List and Detail are the shapes of the two endpoints; Import stands for the
// reduced shape that the vendor's CLI prints.
//
// What the API answered has the shape of its endpoint, whatever it lacks. An imported
// document is recognised by its fields: only the reduced shape has no status, and only
// the list has a primary_color, lock_time or resets_in.
func shapeOf(source Source, body json.RawMessage) Source {
	switch {
	case source != Import:
		return source
	case !hasMember(body, "status"):
		return Import
	case hasMember(body, "primary_color"), hasMember(body, "lock_time"), hasMember(body, "resets_in"):
		return List
	}
	return Detail
}

// last is the latest document of a shape.
func (s *State) last(shape Source) *json.RawMessage {
	switch shape {
	case List:
		return &s.List
	case Detail:
		return &s.Detail
	}
	return &s.Reduced
}

// documents are the latest of each shape that there is.
func (s State) documents() (all []json.RawMessage) {
	for _, document := range []json.RawMessage{s.List, s.Detail, s.Reduced} {
		if document != nil {
			all = append(all, document)
		}
	}
	return all
}

// Next is the state after a response of the source that was received at the instant
// and showed the document; nil is a 404. It fails when a document is no JSON object.
// What is known of resets_in is left out.
func (s State) Next(at time.Time, source Source, body json.RawMessage) (next State, err error) {
	if body == nil {
		return State{At: at, Gone: true, Latest: source}, nil
	}
	next = State{At: at, List: s.List, Detail: s.Detail, Reduced: s.Reduced, Latest: shapeOf(source, body)}
	*next.last(next.Latest) = body
	without := next
	*without.last(next.Latest) = nil
	next.Outdated = s.outdated(body)
	next.Known, err = Overlay(body, s.Known, without.documents()...)
	return next, err
}

// outdated reports whether the status that is known no longer says how the account does
// after the document: it has another status_code_info, and no status.
func (s State) outdated(body json.RawMessage) bool {
	if hasMember(body, "status") {
		return false
	}
	info := member(body, "status_code_info")
	return s.Outdated || info != nil && s.Known != nil && !bytes.Equal(info, member(s.Known, "status_code_info"))
}

// Overlay is what is known after a document: its fields, and those that it lacks as
// they were known before. A member inside of a field that it lacks stays known as long
// as one of the other documents has it: the document's own source dropped it, or never
// had it. Nothing else is kept of a value that was replaced.
func Overlay(body, known json.RawMessage, others ...json.RawMessage) (json.RawMessage, error) {
	if known == nil || bytes.Equal(body, known) {
		return body, nil
	}
	return overlay(body, known, others, true)
}

// overlay does it for an object, of which the whole is kept when it is the account.
func overlay(newer, known []byte, others []json.RawMessage, whole bool) (json.RawMessage, error) {
	own, err := readMembers(newer)
	if err != nil {
		return nil, err
	}
	old, err := readMembers(known)
	if err != nil {
		return nil, err
	}
	place := make(map[string]int, len(own))
	for i, m := range own {
		place[m.name] = i
	}
	changed := false
	for _, m := range old {
		i, both := place[m.name]
		if both && (bytes.Equal(own[i].value, m.value) || own[i].value.Kind() != '{' || m.value.Kind() != '{') {
			continue
		}
		told := membersNamed(others, m.name)
		switch {
		case both:
			m.value, err = overlayValue(own[i].value, m.value, told)
			changed = changed || !bytes.Equal(own[i].value, m.value)
			own[i] = m
		case whole:
			own, changed = append(own, m), true
		case len(told) > 0:
			if m.value.Kind() == '{' {
				m.value, err = overlayValue(jsontext.Value("{}"), m.value, told)
			}
			own, changed = append(own, m), true
		}
		if err != nil {
			return nil, err
		}
	}
	if !changed {
		return newer, nil
	}
	return writeMembers(own), nil
}

func overlayValue(newer, known []byte, others []json.RawMessage) (jsontext.Value, error) {
	var objects []json.RawMessage
	for _, other := range others {
		if jsontext.Value(other).Kind() == '{' {
			objects = append(objects, other)
		}
	}
	value, err := overlay(newer, known, objects, false)
	return jsontext.Value(value), err
}

// membersNamed are the values of the member in those objects that have it.
func membersNamed(objects []json.RawMessage, name string) (values []json.RawMessage) {
	for _, object := range objects {
		if value := member(object, name); value != nil {
			values = append(values, json.RawMessage(value.Clone()))
		}
	}
	return values
}

// namedValue is a member of an object.
type namedValue struct {
	name   string
	quoted []byte
	value  jsontext.Value
}

// readMembers reads the members of a JSON object, in their order.
func readMembers(object []byte) (members []namedValue, err error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(object))
	if dec.PeekKind() != '{' {
		return nil, fmt.Errorf("%w: document: not a JSON object", ErrDamaged)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	for dec.PeekKind() == '"' {
		quoted, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		m := namedValue{quoted: bytes.Clone(quoted)}
		name, err := jsontext.AppendUnquote(nil, quoted)
		if err != nil {
			return nil, err
		}
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		m.name, m.value = string(name), value.Clone()
		members = append(members, m)
	}
	_, err = dec.ReadToken()
	return members, err
}

// writeMembers writes a JSON object.
func writeMembers(members []namedValue) json.RawMessage {
	out := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, m.quoted...), ':'), m.value...)
	}
	return append(out, '}')
}

// hasMember reports whether the JSON object has the member.
func hasMember(object []byte, name string) bool { return member(object, name) != nil }

// member is the value of a member of a JSON object; nil when it has none.
func member(object []byte, name string) jsontext.Value {
	dec := jsontext.NewDecoder(bytes.NewBuffer(object))
	if _, err := dec.ReadToken(); err != nil {
		return nil
	}
	for dec.PeekKind() == '"' {
		key, err := dec.ReadToken()
		if err != nil {
			return nil
		}
		found := key.String() == name
		value, err := dec.ReadValue()
		if err != nil {
			return nil
		}
		if found {
			return value
		}
	}
	return nil
}

// isNull reports whether a value is null or not there.
func isNull(value jsontext.Value) bool { return value == nil || value.Kind() == 'n' }
