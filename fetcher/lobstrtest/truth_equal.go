package lobstrtest

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// jsonType names the type of a JSON value.
func jsonType(raw string) string {
	switch {
	case raw == "":
		return "missing"
	case raw[0] == '{':
		return "object"
	case raw[0] == '[':
		return "array"
	case raw[0] == '"':
		return "string"
	case raw[0] == 't', raw[0] == 'f':
		return "boolean"
	case raw[0] == 'n':
		return "null"
	}
	return "number"
}

// sameValue reports whether two JSON values are the same: an instant, a number
// or a text in another spelling is; the order of members means nothing.
func sameValue(a, b string) bool {
	if a == b {
		return true
	}
	if jsonType(a) != jsonType(b) {
		return false
	}
	switch jsonType(a) {
	case "string":
		return sameText(a, b)
	case "number":
		x, ok := new(big.Rat).SetString(a)
		y, also := new(big.Rat).SetString(b)
		return ok && also && x.Cmp(y) == 0
	case "array":
		x, _ := parseList(a)
		y, _ := parseList(b)
		return slices.EqualFunc(x, y, sameValue)
	case "object":
		return sameObject(a, b)
	}
	return false
}

func sameText(a, b string) bool {
	x, _ := unquote(a)
	y, _ := unquote(b)
	t, ok := parseInstant(a)
	u, also := parseInstant(b)
	return x == y || ok && also && t.Equal(u)
}

func sameObject(a, b string) bool {
	x, _ := parseObject(a)
	y, _ := parseObject(b)
	return len(x) == len(y) && !slices.ContainsFunc(x, func(f field) bool {
		other, ok := y.get(f.name)
		return !ok || !sameValue(f.raw, other)
	})
}

func parseInstant(raw string) (time.Time, bool) {
	text, _ := unquote(raw)
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

var numeral = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,15})?$`)

func isNumber(text string) bool { return numeral.MatchString(text) }

// cookieSet is a cookie specification without values, sorted.
func cookieSet(raw string) []string {
	entries, _ := parseList(raw)
	for i, entry := range entries {
		if o, ok := parseObject(entry); ok {
			o.drop("value")
			slices.SortFunc(o, func(a, b field) int { return strings.Compare(a.name, b.name) })
			entries[i] = o.String()
		}
	}
	slices.Sort(entries)
	return slices.Compact(entries)
}

func sameSet(a, b []string) bool { return slices.EqualFunc(a, b, sameValue) }

// leafDifferences compares two values member by member, down to what is no
// object; arrays count as a whole, and counters not at all.
func leafDifferences(kind, path, old, new string) []Truth {
	before, isObject := parseObject(old)
	after, also := parseObject(new)
	if !isObject && !also {
		if old == new || isCounter(path) || sameValue(old, new) {
			return nil
		}
		return []Truth{{Kind: kind, Path: path, Old: rawOf(old), New: rawOf(new)}}
	}
	var truths []Truth
	if old != "" && !isObject || new != "" && !also {
		truths = append(truths, leafDifferences(kind, path, scalar(old), scalar(new))...)
	}
	for _, name := range names(before, after) {
		was, _ := before.get(name)
		is, _ := after.get(name)
		truths = append(truths, leafDifferences(kind, path+"/"+escape(name), was, is)...)
	}
	return truths
}

// scalar is raw, or nothing when it is an object.
func scalar(raw string) string {
	if jsonType(raw) == "object" {
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
