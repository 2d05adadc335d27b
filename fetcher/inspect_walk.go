package fetcher

import (
	"bytes"
	"fmt"
	"strings"
)

// enter begins an object or array.
func (in *inspector) enter(object bool) error {
	if _, err := in.decoder.ReadToken(); err != nil {
		return err
	}
	if len(in.frames) == maxDepth {
		return &decodeError{text: fmt.Sprintf("the account is nested more than %d levels deep", maxDepth)}
	}
	below := frame{from: int(in.decoder.InputOffset()) - 1, object: object, awaiting: object}
	if len(in.frames) > 0 {
		outer := in.top()
		below.cookie = outer.cookie || outer.member.cookie
		below.spec = outer.spec || len(in.frames) == 1 && outer.member.name == "cookies"
	}
	in.frames = append(in.frames, below)
	return nil
}

// leave ends the innermost object or array.
func (in *inspector) leave() error {
	if _, err := in.decoder.ReadToken(); err != nil {
		return err
	}
	ended := *in.top()
	in.frames = in.frames[:len(in.frames)-1]
	if ended.name != (span{}) && ended.value != (span{}) && !ended.cookie {
		name, _ := in.text(ended.name.in(in.raw))
		in.suspects = append(in.suspects, suspect{name: string(name), value: ended.value})
	}
	if len(in.frames) == 0 {
		return nil
	}
	return in.valued(span{ended.from, int(in.decoder.InputOffset())})
}

// scalar takes a string, number, boolean or null, which may be a member's name.
func (in *inspector) scalar() error {
	value, err := in.decoder.ReadValue()
	if err != nil {
		return err
	}
	end := int(in.decoder.InputOffset())
	at := span{end - len(value), end}
	if value[0] == '"' {
		text, _ := in.text(at.in(in.raw))
		in.hideKey(at, text)
		if outer := in.top(); outer.object && outer.awaiting {
			outer.awaiting = false
			outer.member = memberNamed(text)
			return nil
		}
	}
	return in.valued(at)
}

// text decodes a JSON string. The answer is valid until the next call.
func (in *inspector) text(quoted []byte) (text []byte, escaped bool) {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner, false
	}
	in.scratch = append(in.scratch[:0], unquote(quoted)...)
	return in.scratch, true
}

// memberNamed answers what matters of a name.
func memberNamed(name []byte) member {
	m := member{cookie: speaksOfCookies(name)}
	switch string(name) {
	case "id":
		m.name = "id"
	case "object":
		m.name = "object"
	case "squids":
		m.name = "squids"
	case "cookies":
		m.name = "cookies"
	case "name":
		m.name = "name"
	}
	if len(name) == len("value") && strings.EqualFold(string(name), "value") {
		m.name = "value"
	}
	return m
}

func speaksOfCookies(name []byte) bool {
	const word = "cookie"
	for i := 0; i+len(word) <= len(name); i++ {
		if name[i]|0x20 == 'c' && strings.EqualFold(string(name[i:i+len(word)]), word) {
			return true
		}
	}
	return false
}

// valued takes note of a whole value, be it a scalar or not.
func (in *inspector) valued(at span) error {
	outer := in.top()
	raw := at.in(in.raw)
	if !outer.object {
		if outer.spec && raw[0] == '"' {
			in.addSpec(raw)
		}
		return nil
	}
	outer.awaiting = true
	switch {
	case outer.member.name == "value":
		outer.value = at
		if outer.cookie {
			in.hide(at)
		}
	case outer.member.name == "name" && raw[0] == '"':
		outer.name = at
		if outer.spec {
			in.addSpec(raw)
		}
	case len(in.frames) == 1:
		return in.field(outer.member.name, at)
	}
	return nil
}

// field takes note of a member of the account itself.
func (in *inspector) field(name string, at span) error {
	switch name {
	case "id":
		in.id = at
	case "squids":
		in.squids = at
	case "object":
		raw := at.in(in.raw)
		if raw[0] == 'n' {
			return nil
		}
		if raw[0] != '"' || unquote(raw) != "account" {
			return &decodeError{text: `the object is no account (its "object" says otherwise)`}
		}
	}
	return nil
}

func (in *inspector) addSpec(quoted []byte) {
	text, _ := in.text(quoted)
	in.specs = append(in.specs, string(text))
}
