package oracle

import (
	"encoding/json"
	"maps"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// kindOf tells JSON types apart: '{', '[', '"', 't' (boolean), 'n' (null), '0'
// (number), 0 (nothing).
func kindOf(raw string) byte {
	switch {
	case raw == "":
		return 0
	case raw[0] == 'f':
		return 't'
	case strings.IndexByte(`{["tn`, raw[0]) >= 0:
		return raw[0]
	}
	return '0'
}

// sameValue reports whether two JSON values are the same: an instant, a number
// or a text in another spelling is; the order of members means nothing.
func sameValue(a, b string) bool {
	return a == b || kindOf(a) == kindOf(b) && reflect.DeepEqual(normal(valueOf(a)), normal(valueOf(b)))
}

// valueOf decodes a value; nil for nothing.
func valueOf(raw string) (value any) {
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber()
	_ = decoder.Decode(&value) // worlds hold valid JSON, or nothing
	return value
}

// rational is the one form of a number.
type rational string

// normal gives all spellings of a value one form.
func normal(value any) any {
	switch v := value.(type) {
	case string:
		if t, ok := instantOf(v); ok {
			return t
		}
	case json.Number:
		if n, ok := new(big.Rat).SetString(v.String()); ok {
			return rational(n.RatString())
		}
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = normal(v[name])
		}
	}
	return value
}

// textOf is the text of a JSON string, "" for anything else.
func textOf(raw string) string {
	text, _ := valueOf(raw).(string)
	return text
}

func instantOf(text string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, text)
	return t.UTC(), err == nil
}

var numeral = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,15})?$`)

// unquoted takes the quotes off a number, so that "200" and 200 are the same.
func unquoted(raw string) string {
	if text := textOf(raw); numeral.MatchString(text) {
		return text
	}
	return raw
}

// cookieSet is a cookie specification without values, sorted.
func cookieSet(raw string) []string {
	entries, _ := valueOf(raw).([]any)
	set := make([]string, 0, len(entries))
	for _, entry := range entries {
		if members, ok := entry.(map[string]any); ok {
			delete(members, "value")
		}
		text, _ := json.Marshal(entry) // what was decoded can be encoded; members are sorted
		set = append(set, string(text))
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// membersOf are those of an object; ok is false for anything else.
func membersOf(raw string) (members map[string]json.RawMessage, ok bool) {
	return members, kindOf(raw) == '{' && json.Unmarshal([]byte(raw), &members) == nil
}

// leafDifferences compares two values member by member, down to what is no
// object; arrays count as a whole, and counters not at all.
func leafDifferences(kind, path, old, new string) []Truth {
	before, isObject := membersOf(old)
	after, also := membersOf(new)
	if !isObject && !also {
		if isCounter(path) || sameValue(old, new) {
			return nil
		}
		return []Truth{{Kind: kind, Path: path, Old: rawOf(old), New: rawOf(new)}}
	}
	var truths []Truth
	if old != "" && !isObject || new != "" && !also {
		truths = append(truths, leafDifferences(kind, path, scalar(old), scalar(new))...)
	}
	for _, name := range union(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after))) {
		truths = append(truths, leafDifferences(kind, path+"/"+escape(name), string(before[name]), string(after[name]))...)
	}
	return truths
}

// scalar is raw, or nothing when it is an object.
func scalar(raw string) string {
	if kindOf(raw) == '{' {
		return ""
	}
	return raw
}

// counters are the values that move while an account works.
var counters = regexp.MustCompile(`^/params/user/[^/]+/(value|current|timestamp|last_batch_at)(/|$)`)

func isCounter(path string) bool { return counters.MatchString(path) }

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// escape makes a name part of a JSON pointer.
func escape(name string) string { return pointerEscapes.Replace(name) }
