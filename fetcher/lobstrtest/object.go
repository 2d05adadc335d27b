package lobstrtest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is one member of a JSON object. Its value is JSON text, so that numbers
// and unknown shapes are served exactly as they were scripted.
type field struct{ name, raw string }

// object is a JSON object whose members keep their order. Methods that change
// it work in place; clone first what others may hold.
type object []field

func (o object) clone() object { return slices.Clone(o) }

func (o object) index(name string) int {
	return slices.IndexFunc(o, func(f field) bool { return f.name == name })
}

// get returns the value of a member; ok is false when there is none.
func (o object) get(name string) (raw string, ok bool) {
	if i := o.index(name); i >= 0 {
		return o[i].raw, true
	}
	return "", false
}

// set changes a member, or adds it at the end.
func (o *object) set(name, raw string) {
	if i := o.index(name); i >= 0 {
		(*o)[i].raw = raw
		return
	}
	*o = append(*o, field{name, raw})
}

func (o *object) drop(name string) {
	*o = slices.DeleteFunc(*o, func(f field) bool { return f.name == name })
}

func (o object) append(dst []byte) []byte {
	dst = append(dst, '{')
	for i, f := range o {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendName(dst, f.name)
		dst = append(dst, f.raw...)
	}
	return append(dst, '}')
}

// String is the object as JSON.
func (o object) String() string { return string(o.append(nil)) }

// appendName writes a member's name and colon.
func appendName(dst []byte, name string) []byte {
	for i := range len(name) {
		if c := name[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			dst = append(dst, quote(name)...)
			return append(dst, ':')
		}
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// quote returns s as a JSON string. The characters that only HTML minds stay
// as they are.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("lobstrtest: a string cannot fail to encode: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// unquote returns the text of a JSON string; ok is false for anything else.
func unquote(raw string) (text string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if inner := raw[1 : len(raw)-1]; !strings.ContainsAny(inner, `\"`) {
		return inner, raw[len(raw)-1] == '"'
	}
	ok = json.Unmarshal([]byte(raw), &text) == nil
	return text, ok
}

func number[N int | int64](n N) string { return strconv.FormatInt(int64(n), 10) }

// instant is a time as the API writes it: RFC 3339 in UTC, whole seconds.
func instant(t time.Time) string { return quote(t.UTC().Format(time.RFC3339)) }

func list(entries []string) string { return "[" + strings.Join(entries, ",") + "]" }
