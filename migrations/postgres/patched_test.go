package postgres_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// object is a JSON object with its members in order.
type object struct {
	names  []string
	values map[string]any
}

// patched is the JSON value that d reads, as SQLite's json_patch leaves it, with which the
// view account_current puts the counters back: a name ends at U+0000, so that two names may
// be one, and null removes a member. An error of d is the value.
func patched(d *json.Decoder) any {
	d.UseNumber()
	switch token, err := d.Token(); {
	case err != nil:
		return err.Error()
	case token == json.Delim('['):
		list := []any{}
		for d.More() {
			list = append(list, patched(d))
		}
		d.Token()
		return list
	case token == json.Delim('{'):
		o := &object{values: map[string]any{}}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return err.Error()
			}
			cut, _, _ := strings.Cut(name.(string), "\x00")
			o.put(cut, patched(d))
		}
		d.Token()
		return o
	default:
		return token
	}
}

// put sets a member as a merge patch (RFC 7396) does.
func (o *object) put(name string, value any) {
	patch, isObject := value.(*object)
	target, wasObject := o.values[name].(*object)
	switch {
	case value == nil:
		delete(o.values, name)
		o.names = slices.DeleteFunc(o.names, func(n string) bool { return n == name })
	case isObject && wasObject:
		for _, n := range patch.names {
			target.put(n, patch.values[n])
		}
	default:
		if _, had := o.values[name]; !had {
			o.names = append(o.names, name)
		}
		o.values[name] = value
	}
}

func (o *object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	var errs error
	write := func(value any) {
		raw, err := json.Marshal(value)
		out.Write(raw)
		errs = errors.Join(errs, err)
	}
	out.WriteString("{")
	for i, name := range o.names {
		if i > 0 {
			out.WriteString(",")
		}
		write(name)
		out.WriteString(":")
		write(o.values[name])
	}
	out.WriteString("}")
	return out.Bytes(), errs
}
