package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"pgregory.net/rapid"
)

// sameJSON reports whether two texts are the same JSON value: the same members
// in any order, numbers as they are spelled.
func sameJSON(a, b string) bool {
	x, err := decode(a)
	y, also := decode(b)
	return err == nil && also == nil && reflect.DeepEqual(x, y)
}

func decode(text string) (value any, err error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	err = dec.Decode(&value)
	return value, err
}

// members reads an object; its values keep their spelling.
func members(text string) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		panic(fmt.Sprintf("storetest: %v: %s", err, text))
	}
	return all
}

var (
	scalars = []string{
		`null`, `true`, `false`, `0`, `-0`, `1`, `1.0`, `1.10`, `-1.5e-7`, `1e400`, `-1E+400`, `12345678901234567890`,
		`123456789012345678901234567890.000000000000000000001`, `9007199254740993`, `""`, `" "`, `"é"`, `"\u00e9"`,
		`"\ud83d\ude00"`, `"😀"`, `"\u2028\u0000\u001b[31m"`, `"<script>&amp;"`, `"a/b~c"`, `"\/"`, `"\\\""`, `"sha256:00"`,
		`"e\u0301"`, `"200"`, `"[withheld]"`,
	}
	names = []string{
		"", "a", "A", "a/b", "~", "~0", "~1", "a~1b", "é", "😀", "\u2028", "*", "value", "max", "current", "timestamp",
		"last_batch_at", "icon", "resets_in", "user", "params", "profiles", "batch", "$", "0", "a.b", "\x00", "\"",
	}
	blanks = []string{"", "", "", " ", "\n\t", "\r\n  "}
)

// jsonGen draws JSON texts.
type jsonGen struct{ *rapid.T }

func (g jsonGen) pick(label string, from []string) string {
	return rapid.SampledFrom(from).Draw(g.T, label)
}

func (g jsonGen) value(depth int) string {
	switch n := rapid.IntRange(0, 9).Draw(g.T, "kind"); {
	case n < 2 && depth > 0:
		return g.list(depth - 1)
	case n < 5 && depth > 0:
		return g.object(depth - 1)
	}
	return g.pick("scalar", scalars)
}

func (g jsonGen) list(depth int) string {
	var parts []string
	for range rapid.IntRange(0, 3).Draw(g.T, "length") {
		parts = append(parts, g.blank()+g.value(depth)+g.blank())
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (g jsonGen) object(depth int) string {
	fields := map[string]string{}
	for range rapid.IntRange(0, 4).Draw(g.T, "members") {
		fields[g.pick("name", names)] = g.value(depth)
	}
	return g.join(fields)
}

// join writes an object, its members in any order and with blanks between them.
func (g jsonGen) join(fields map[string]string) string {
	var order []string
	for _, name := range sorted(fields) {
		if fields[name] != "" {
			order = append(order, name)
		}
	}
	if len(order) > 0 {
		order = rapid.Permutation(order).Draw(g.T, "order")
	}
	var parts []string
	for _, name := range order {
		parts = append(parts, g.blank()+quote(name)+g.blank()+":"+g.blank()+fields[name]+g.blank())
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (g jsonGen) blank() string { return g.pick("blank", blanks) }

func quote(text string) string {
	raw, _ := json.Marshal(text) // a string cannot fail
	return string(raw)
}
