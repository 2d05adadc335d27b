package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/store/document"
)

// ShapeOf says which fields a document can be expected to have: it is compared, for
// fields that are sent newly or no longer, with the last document of its own shape
// only. List and Detail are the shapes of the two endpoints; Import stands for the
// reduced shape that the vendor's command prints.
//
// What the API answered has the shape of its endpoint, whatever it lacks. An imported
// document is recognised by its fields: only the reduced shape has no status, and only
// the list has a primary_color, lock_time or resets_in.
func ShapeOf(source Source, body json.RawMessage) Source {
	if source != Import {
		return source
	}
	has := func(name string) bool { return document.Value(body, name) != nil }
	switch {
	case !has("status"):
		return Import
	case has("primary_color"), has("lock_time"), has("resets_in"):
		return List
	}
	return Detail
}

// Last is the latest document of a shape.
func (s *State) Last(shape Source) *json.RawMessage {
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
	for _, body := range []json.RawMessage{s.List, s.Detail, s.Reduced} {
		if body != nil {
			all = append(all, body)
		}
	}
	return all
}

// Next is the state after a response of the source that was received at the instant and
// showed the document; nil is a 404. It returns an error when a document is no JSON
// object. What is known of resets_in is left out.
func (s State) Next(at time.Time, source Source, body json.RawMessage) (next State, err error) {
	if body == nil {
		return State{At: at, Gone: true, Latest: source}, nil
	}
	next = State{At: at, List: s.List, Detail: s.Detail, Reduced: s.Reduced, Latest: ShapeOf(source, body)}
	*next.Last(next.Latest) = body
	without := next
	*without.Last(next.Latest) = nil
	next.Outdated = s.outdated(body)
	next.Known, err = Overlay(body, s.Known, without.documents()...)
	return next, err
}

// outdated reports whether the status that is known no longer says how the account does
// after the document: it has another status_code_info, and no status. To have none is to
// have null.
func (s State) outdated(body json.RawMessage) bool {
	if document.Value(body, "status") != nil {
		return false
	}
	info, known := document.Value(body, "status_code_info"), document.Value(s.Known, "status_code_info")
	if known == nil {
		known = []byte("null")
	}
	return s.Outdated || info != nil && s.Known != nil && !bytes.Equal(info, known)
}

func readObject(object []byte) ([]document.Field, error) {
	members, err := document.Fields(object)
	if err != nil {
		err = fmt.Errorf("%w: document: %w", ErrDamaged, err)
	}
	return members, err
}

// Overlay is what is known after a document: its fields, and those that it lacks as they
// were known before. A member inside of a field that it lacks stays known as long as one
// of the other documents has it: the document's own source dropped it, or never had it.
// Nothing else is kept of a value that was replaced.
func Overlay(body, known json.RawMessage, others ...json.RawMessage) (json.RawMessage, error) {
	if known == nil || bytes.Equal(body, known) {
		return body, nil
	}
	return overlay(body, known, others, true)
}

// overlay does it for an object, of which the whole is kept when it is the account.
func overlay(newer, known []byte, others []json.RawMessage, whole bool) (json.RawMessage, error) {
	own, err := readObject(newer)
	if err != nil {
		return nil, err
	}
	old, err := readObject(known)
	if err != nil {
		return nil, err
	}
	place := make(map[string]int, len(own))
	for i, m := range own {
		place[m.Name] = i
	}
	changed := false
	for _, m := range old {
		i, both := place[m.Name]
		if both && (bytes.Equal(own[i].Value, m.Value) || own[i].Value[0] != '{' || m.Value[0] != '{') {
			continue
		}
		told := membersNamed(others, m.Name)
		switch {
		case both:
			m.Value, err = overlayValue(own[i].Value, m.Value, told)
			changed = changed || !bytes.Equal(own[i].Value, m.Value)
			own[i] = m
		case whole:
			own, changed = append(own, m), true
		case len(told) > 0:
			if m.Value[0] == '{' {
				m.Value, err = overlayValue([]byte("{}"), m.Value, told)
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
	return document.WriteObject(nil, own), nil
}

func overlayValue(newer, known []byte, others []json.RawMessage) ([]byte, error) {
	var objects []json.RawMessage
	for _, other := range others {
		if other[0] == '{' {
			objects = append(objects, other)
		}
	}
	return overlay(newer, known, objects, false)
}

// membersNamed are the values of the member in those objects that have it.
func membersNamed(objects []json.RawMessage, name string) (values []json.RawMessage) {
	for _, object := range objects {
		if value := document.Value(object, name); value != nil {
			values = append(values, value)
		}
	}
	return values
}

// IsVolatile reports whether the JSON pointer names a volatile value, or a part of one:
// see [document.VolatilePatterns].
func IsVolatile(pointer string) bool { return document.IsVolatile(pointer) }
