package report

import (
	"fmt"
	"maps"
	"strings"
)

// equalCookies compares two cookie specifications: as sets of entries, or as
// they are where they are no lists.
func equalCookies(a, b *node) bool {
	if a.kind != kindArray || b.kind != kindArray {
		return equal(a, b)
	}
	return maps.Equal(cookieSet(a), cookieSet(b))
}

func cookieSet(n *node) map[string]bool {
	set := make(map[string]bool, len(n.elems))
	for _, entry := range n.elems {
		var key strings.Builder
		writeKey(&key, entry)
		set[key.String()] = true
	}
	return set
}

// writeKey writes a text that is the same for values that mean the same,
// whatever their spelling and order of members, and for no others.
func writeKey(w *strings.Builder, n *node) {
	switch n.kind {
	case kindObject:
		w.WriteByte('{')
		for _, name := range sortedNames(n.members) {
			fmt.Fprintf(w, "%q:", name)
			writeKey(w, n.members[name])
		}
		w.WriteByte('}')
	case kindArray:
		w.WriteByte('[')
		for _, elem := range n.elems {
			writeKey(w, elem)
		}
		w.WriteByte(']')
	case kindNull:
		w.WriteString("null")
	default:
		writeScalarKey(w, n)
	}
}

// writeScalarKey follows literalEqual: a number and its plain text are one.
func writeScalarKey(w *strings.Builder, n *node) {
	number, ok := parseDecimal(n.text)
	switch {
	case ok && (n.kind == kindNumber || isPlain(n.text)):
		fmt.Fprintf(w, "#%t %s %d %s;", number.neg, number.digits, number.exp, number.huge)
	case strings.ContainsRune(n.text, '\uFFFD'):
		fmt.Fprintf(w, "raw%q", n.raw)
	default:
		fmt.Fprintf(w, "%q", n.text)
	}
}
