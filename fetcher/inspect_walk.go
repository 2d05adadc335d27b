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
		below.element = !outer.object
		below.secret = outer.secret || outer.member.secret
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
	in.judgePair(ended)
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
	if value[0] != '"' {
		return in.valued(at)
	}
	text := in.text(at.in(in.raw))
	in.hideKey(at, text)
	outer := in.top()
	if !outer.object || !outer.awaiting {
		if in.smuggles(text) {
			in.hide(at)
		}
		return in.valued(at)
	}
	outer.awaiting = false
	outer.member = in.memberNamed(text)
	outer.jar = outer.jar || outer.member.jar
	if outer.secret && bytes.ContainsAny(text, "=;") {
		in.hide(at) // no name of a cookie, but perhaps a cookie
	}
	return nil
}

// text decodes a JSON string. The result is valid until the next call.
func (in *inspector) text(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	in.scratch = append(in.scratch[:0], unquote(quoted)...)
	return in.scratch
}

// memberNames are the names of members that matter.
var memberNames = map[string]string{
	"id": "id", "object": "object", "squids": "squids", "lock_time": "lock_time", "resets_in": "resets_in",
	"cookies": "cookies", "name": "name", "key": "key",
}

// memberNamed returns what matters of a name.
func (in *inspector) memberNamed(name []byte) member {
	m := member{name: memberNames[string(name)]} // a lookup with converted bytes allocates nothing
	m.secret, m.jar = in.judgeName(name)
	if len(name) == len("value") && strings.EqualFold(string(name), "value") {
		m.name = "value"
	}
	return m
}

// valued takes note of a whole value, be it a scalar or not.
func (in *inspector) valued(at span) error {
	outer := in.top()
	raw := at.in(in.raw)
	if (outer.secret || outer.member.secret) && !in.mayStay(outer, raw) {
		in.hide(at)
	}
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
	case outer.member.name == "key" && raw[0] == '"' && outer.name == span{}:
		outer.name = at
	case outer.member.name == "name" && raw[0] == '"':
		outer.name = at
		if outer.spec {
			in.addSpec(raw)
		}
	case len(in.frames) == 1 && in.depth == 0:
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
	case "lock_time":
		in.lockTime = at
	case "resets_in":
		in.resetsIn = at
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
	in.specs = append(in.specs, string(in.text(quoted)))
}
