package document

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

var errNoObject = errors.New("not a JSON object with unique names")

// Fields reads the members of an object that is known to be valid JSON, such as a
// document that Split made, in its order. The values are parts of the object. It checks
// no more than where values begin and end, and that names are unique: most of the work on
// an account that changed would otherwise be to check the same text again and again.
func Fields(object []byte) ([]Field, error) {
	members := make([]Field, 0, 24)
	err := eachField(object, func(name, value []byte) bool {
		members = append(members, Field{unquoted(name), value})
		return true
	})
	if err == nil && !areUnique(members) {
		err = errNoObject
	}
	if err != nil {
		return nil, err
	}
	return members, nil
}

// Value returns the value of a member of an object that is known to be valid JSON; nil
// when it has none, or the bytes are no object.
func Value(object []byte, name string) (found []byte) {
	err := eachField(object, func(quoted, value []byte) bool {
		if inner := quoted[1 : len(quoted)-1]; string(inner) == name || bytes.IndexByte(inner, '\\') >= 0 && unquoted(quoted) == name {
			found = value
		}
		return found == nil
	})
	if err != nil {
		return nil
	}
	return found
}

// eachField calls fn with each member of an object, its name as it is quoted, until fn
// returns false.
func eachField(object []byte, fn func(name, value []byte) bool) error {
	rest := skipBlanks(object)
	if len(rest) == 0 || rest[0] != '{' {
		return errNoObject
	}
	rest = skipBlanks(rest[1:])
	for first := true; len(rest) > 0 && (rest[0] != '}' || !first); first = false {
		name := valueLength(rest)
		if name < 2 || rest[0] != '"' {
			return errNoObject
		}
		value := skipBlanks(rest[name:])
		if len(value) == 0 || value[0] != ':' {
			return errNoObject
		}
		value = skipBlanks(value[1:])
		n := valueLength(value)
		if n == 0 {
			return errNoObject
		}
		if !fn(rest[:name], value[:n:n]) {
			return nil
		}
		if rest = skipBlanks(value[n:]); len(rest) == 0 || rest[0] != ',' {
			break
		}
		rest = skipBlanks(rest[1:])
	}
	if len(rest) == 0 || rest[0] != '}' || len(skipBlanks(rest[1:])) > 0 {
		return errNoObject
	}
	return nil
}

func skipBlanks(text []byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\n' || text[0] == '\t' || text[0] == '\r') {
		text = text[1:]
	}
	return text
}

// areUnique reports whether no two members have the same name. Mostly they are sorted.
func areUnique(members []Field) bool {
	sorted := true
	for i := 1; i < len(members) && sorted; i++ {
		sorted = members[i-1].Name < members[i].Name
	}
	if sorted {
		return true
	}
	names := make(map[string]bool, len(members))
	for _, m := range members {
		names[m.Name] = true
	}
	return len(names) == len(members)
}

// valueLength is how long the JSON value is that the text begins with; 0 if it ends
// before the value does.
func valueLength(text []byte) int {
	depth := 0
	for i := 0; i < len(text); {
		switch text[i] {
		case '"':
			n := stringLength(text[i+1:])
			if n == 0 {
				return 0
			}
			i += 1 + n
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			if depth == 0 {
				return 0
			}
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return 0
			}
			i++
			continue
		default:
			i += literalLength(text[i:])
		}
		if depth == 0 {
			return i
		}
	}
	return 0
}

// literalLength is how long a number or a word is.
func literalLength(text []byte) int {
	for i, c := range text {
		switch c {
		case '"', '{', '[', '}', ']', ',', ':', ' ', '\t', '\r', '\n':
			return i
		}
	}
	return len(text)
}

// unquoted is the text of a JSON string.
func unquoted(quoted []byte) string {
	if inner := quoted[1 : len(quoted)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	text, _ := jsontext.AppendUnquote(nil, quoted) // of what is no UTF-8, U+FFFD is made
	return string(text)
}

// appendCompact appends valid JSON without its white space. (jsontext would check
// it a second time, and that is most of the work.)
func appendCompact(out, value []byte) []byte {
	from := 0
	for i := 0; i < len(value); {
		switch value[i] {
		case '"':
			i += 1 + stringLength(value[i+1:])
		case ' ', '\t', '\r', '\n':
			out = append(out, value[from:i]...)
			i++
			from = i
		default:
			i++
		}
	}
	return append(out, value[from:]...)
}

// stringLength is how long a JSON string is from behind its first quotation mark
// on, with the last one; 0 if that is missing.
func stringLength(rest []byte) int {
	for i := 0; ; i++ {
		next := bytes.IndexByte(rest[i:], '"')
		if next < 0 {
			return 0
		}
		i += next
		slashes := 0
		for slashes < i && rest[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
}
