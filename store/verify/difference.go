package verify

import (
	"bytes"
	"fmt"
	"strings"
)

// field is a column of a row, for messages.
type field struct {
	name  string
	value any // an integer, a string, a bool, bytes that are text, or a pointer to an integer
}

// difference says in which fields two rows differ; "" in none.
func difference(got, want []field) string {
	var problems []string
	for i := range max(len(got), len(want)) {
		if i < min(len(got), len(want)) && equal(got[i].value, want[i].value) {
			continue // the usual case, without making text of it
		}
		a, b, name := none, none, ""
		if i < len(got) {
			a, name = text(got[i].value), got[i].name
		}
		if i < len(want) {
			b, name = text(want[i].value), want[i].name
		}
		if a != b {
			problems = append(problems, fmt.Sprintf("%s is %s, and not %s", name, short(a), short(b)))
		}
	}
	return strings.Join(problems, "; ")
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case []byte:
		b, same := b.([]byte)
		return same && bytes.Equal(a, b) && (a == nil) == (b == nil)
	case *int64:
		b, same := b.(*int64)
		return same && (a == b || a != nil && b != nil && *a == *b)
	}
	return a == b
}

// none stands for what is not there.
const none = "-"

func text(value any) string {
	switch v := value.(type) {
	case *int64:
		if v == nil {
			return none
		}
		return fmt.Sprint(*v)
	case []byte:
		if v == nil {
			return none
		}
		return fmt.Sprintf("%q", v)
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(value)
}

// short cuts a long text.
func short(text string) string {
	const most = 100
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
