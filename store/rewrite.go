package store

import (
	"bytes"
	"errors"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// replacer answers what to write in the place of a value; false drops the member
// that has it.
type replacer func(pointer string, value jsontext.Value) (jsontext.Value, bool)

// rewrite copies the JSON object raw without white space. It asks replace for
// what to write at /icon, /resets_in and at each member of an object where
// volatile values may stand. Strings and numbers are copied as they are spelled.
//
// The object is checked first (names that are unique, and UTF-8, too) and then
// copied by where its strings and brackets end, which takes a fraction of the time
// of reading it token by token.
func rewrite(raw []byte, replace replacer) ([]byte, error) {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if !jsontext.Value(raw).IsValid() {
		if _, err := jsontext.NewDecoder(bytes.NewBuffer(raw)).ReadValue(); err != nil {
			return nil, err
		}
		return nil, errors.New("account is followed by other text")
	}
	if raw[0] != '{' {
		return nil, errors.New("account is not a JSON object")
	}
	c := copier{in: raw, out: make([]byte, 0, len(raw)), replace: replace}
	c.object("", 0)
	return c.out, nil
}

// copier copies valid JSON.
type copier struct {
	in, out []byte // what is still to copy, and what was
	replace replacer
}

// The objects that lead to volatile values, by how deep they stand: the account,
// /params, /params/user and the limits in it.
const deepest = 3

// object copies the object that in begins with, which stands at the pointer.
func (c *copier) object(pointer string, depth int) {
	c.in = c.in[1:]
	c.out = append(c.out, '{')
	for first := true; c.next() != '}'; {
		if c.in[0] == ',' {
			c.in = c.in[1:]
			c.next()
		}
		start := len(c.out)
		if !first {
			c.out = append(c.out, ',')
		}
		if c.member(pointer, depth) {
			first = false
		} else {
			c.out = c.out[:start]
		}
	}
	c.in = c.in[1:]
	c.out = append(c.out, '}')
}

// next drops white space and answers the byte behind.
func (c *copier) next() byte {
	for {
		switch c.in[0] {
		case ' ', '\t', '\r', '\n':
			c.in = c.in[1:]
		default:
			return c.in[0]
		}
	}
}

// member copies a member of the object at the pointer. It reports whether the
// member was kept.
func (c *copier) member(parent string, depth int) bool {
	name := c.in[:valueLength(c.in)]
	c.in = c.in[len(name):]
	c.out = append(append(c.out, name...), ':')
	c.next()
	c.in = c.in[1:] // the colon
	c.next()
	if depth == 0 && !isHook(name) {
		c.out = appendCompact(c.out, c.value())
		return true
	}
	pointer := parent + "/" + pointerToken(name)
	if depth < deepest && c.in[0] == '{' && leadsToVolatile(pointer) {
		c.object(pointer, depth+1)
		return true
	}
	value := jsontext.Value(c.value())
	if depth > 0 || pointer == "/icon" || pointer == "/resets_in" {
		kept := false
		if value, kept = c.replace(pointer, value); !kept {
			return false
		}
	}
	c.out = appendCompact(c.out, value)
	return true
}

// value takes the value that in begins with.
func (c *copier) value() []byte {
	value := c.in[:valueLength(c.in)]
	c.in = c.in[len(value):]
	return value
}

// pointerToken is a quoted name as it stands in a JSON pointer.
func pointerToken(name []byte) string {
	if bytes.ContainsAny(name, `\~/`) {
		text, _ := jsontext.AppendUnquote(nil, name) // it is valid
		return escapePointer(string(text))
	}
	return string(name[1 : len(name)-1])
}

// isHook reports whether a quoted name of a member of the account is one that is
// looked into, or may be when its escapes are read.
func isHook(name []byte) bool {
	switch string(name) {
	case `"icon"`, `"resets_in"`, `"params"`:
		return true
	}
	return bytes.IndexByte(name, '\\') >= 0
}

// leadsToVolatile reports whether volatile values may stand in the object at the
// pointer.
func leadsToVolatile(pointer string) bool {
	if pointer == "/params" || pointer == "/params/user" {
		return true
	}
	name, ok := strings.CutPrefix(pointer, "/params/user/")
	return ok && !strings.Contains(name, "/")
}
