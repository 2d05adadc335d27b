package document

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Parts are an account object taken apart.
type Parts struct {
	// Body is the document: canonical, with null in the place of volatile values
	// and a reference in the place of the icon.
	Body []byte
	// Icon is the icon; nil when there is none, or it is no string.
	Icon *Icon
	// Counters are the volatile values, sorted by pointer.
	Counters []Counter
}

// Icon is the text of an icon. A document refers to it as "sha256:" and the hex
// digits of its digest.
type Icon struct {
	Digest [sha256.Size]byte
	Text   string
}

const iconPrefix = "sha256:"

// Counter is the volatile values of one object.
type Counter struct {
	Pointer string // of the object (/params/user/NAME), or of the value (/resets_in)
	Body    []byte // JSON: the object's volatile members, or the value
	Max     []byte // JSON: the limit in force; nil when the object has none
}

// MovesTo reports whether the next object has the counter otherwise. A value that was
// never told, the zero Counter, is null.
func (c Counter) MovesTo(next Counter) bool {
	if c.Body == nil {
		return !bytes.Equal(next.Body, null)
	}
	return !bytes.Equal(c.Body, next.Body)
}

// Field is a member of a JSON object.
type Field struct {
	Name  string
	Value []byte // JSON, spelled as received
}

// Split takes an account object apart; [Join] is its inverse. It returns an error
// for anything that is not one JSON object with unique names and valid UTF-8.
func Split(raw []byte) (Parts, error) {
	account, err := ReadObject(raw)
	if err != nil {
		return Parts{}, err
	}
	if len(account) == 0 {
		return Parts{}, errors.New("account has no members")
	}
	var p Parts
	for i := range account {
		if err := p.take(&account[i]); err != nil {
			return Parts{}, err
		}
	}
	slices.SortFunc(p.Counters, func(a, b Counter) int { return cmp.Compare(a.Pointer, b.Pointer) })
	p.Body = appendObject(make([]byte, 0, len(raw)), account)
	return p, nil
}

// take replaces a member of the account by what stands for it in the document.
func (p *Parts) take(m *Field) (err error) {
	switch {
	case m.Name == "resets_in":
		p.Counters = append(p.Counters, Counter{Pointer: ResetsIn, Body: bytes.Clone(m.Value)})
		m.Value = null
	case m.Name == "icon" && m.Value[0] == '"':
		m.Value, err = p.takeIcon(m.Value)
	case m.Name == "params" && m.Value[0] == '{':
		m.Value, err = eachMember(m.Value, func(kind *Field) (err error) {
			if kind.Name == "user" && kind.Value[0] == '{' {
				kind.Value, err = eachMember(kind.Value, p.takeLimit)
			}
			return err
		})
	case m.Value[0] == '{':
		m.Value, err = eachMember(m.Value, func(*Field) error { return nil }) // sorts them
	}
	return err
}

var null = []byte("null")

func (p *Parts) takeIcon(quoted []byte) ([]byte, error) {
	text, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return nil, err
	}
	p.Icon = &Icon{Digest: sha256.Sum256(text), Text: string(text)}
	return fmt.Appendf(nil, `"%s%x"`, iconPrefix, p.Icon.Digest), nil
}

// takeLimit takes the counters out of a limit. The others of its members stay as
// they are, in their order: a limit is a value of its own.
func (p *Parts) takeLimit(limit *Field) error {
	if limit.Value[0] != '{' {
		return nil
	}
	settings, err := Fields(limit.Value)
	if err != nil {
		return err
	}
	counter := Counter{Pointer: LimitPrefix + EscapePointer(limit.Name)}
	var moving []Field
	for i, m := range settings {
		if isCounter(m.Name) {
			moving = append(moving, m)
			settings[i].Value = null
		} else if m.Name == "max" {
			counter.Max = bytes.Clone(m.Value) // it outlives the object
		}
	}
	if moving == nil {
		return nil
	}
	counter.Body = WriteObject(nil, moving)
	p.Counters = append(p.Counters, counter)
	limit.Value = WriteObject(nil, settings)
	return nil
}

// eachMember rewrites the members of an object, and sorts them.
func eachMember(object []byte, rewrite func(*Field) error) ([]byte, error) {
	members, err := Fields(object)
	if err != nil {
		return nil, err
	}
	for i := range members {
		if err := rewrite(&members[i]); err != nil {
			return nil, err
		}
	}
	return appendObject(make([]byte, 0, len(object)), members), nil
}

// ReadObject reads the members of a JSON object from anywhere, in its order. It returns
// an error for anything else, for names that are not unique, and for text that is no
// UTF-8. The values share one array: who keeps one for long should copy it.
func ReadObject(object []byte) (members []Field, err error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(object))
	value, err := dec.ReadValue() // checks all of it
	if err != nil {
		return nil, err
	}
	if rest := skipBlanks(object[dec.InputOffset():]); len(rest) > 0 {
		return nil, errors.New("account is followed by other text")
	}
	if value.Kind() != '{' {
		return nil, errors.New("account is not a JSON object")
	}
	return Fields(appendCompact(make([]byte, 0, len(value)), value))
}

// appendObject appends the members as an object, sorted by name.
func appendObject(out []byte, members []Field) []byte {
	slices.SortFunc(members, func(a, b Field) int { return cmp.Compare(a.Name, b.Name) })
	return WriteObject(out, members)
}

// WriteObject appends an object with these members, in their order.
func WriteObject(out []byte, members []Field) []byte {
	out = append(out, '{')
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, m.Name) // it was read from valid JSON
		out = append(append(out, ':'), m.Value...)
	}
	return append(out, '}')
}

// Counters lists the pointers of the volatile values that a document has, in order.
func Counters(body []byte) (pointers []string, err error) {
	if limits := Value(Value(body, "params"), "user"); limits != nil && limits[0] == '{' {
		err = eachField(limits, func(name, limit []byte) bool {
			if hasCounters(limit) {
				pointers = append(pointers, LimitPrefix+EscapePointer(unquoted(name)))
			}
			return true
		})
		if err != nil {
			return nil, fmt.Errorf("document: %w", err)
		}
	}
	if Value(body, "resets_in") != nil {
		pointers = append(pointers, ResetsIn)
	}
	slices.Sort(pointers)
	return pointers, nil
}

// hasCounters reports whether a limit is an object with volatile members.
func hasCounters(limit []byte) (has bool) {
	_ = eachField(limit, func(name, _ []byte) bool { // of what is no object, none
		has = isCounter(unquoted(name))
		return !has
	})
	return has
}
