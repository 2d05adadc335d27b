package document

import "strings"

// VolatilePatterns are JSON pointers (RFC 6901) of values that move while an
// account works; * stands for one member name. Such values are stored as usage
// whenever they move, and make no version and no change.
var VolatilePatterns = []string{
	"/resets_in",
	"/params/user/*/value",
	"/params/user/*/current",
	"/params/user/*/timestamp",
	"/params/user/*/last_batch_at",
}

// ResetsIn is the pointer of the seconds that are left of a lock.
const ResetsIn = "/resets_in"

// LimitPrefix begins the pointers of the counters of limits.
const LimitPrefix = "/params/user/"

// IsVolatile reports whether the JSON pointer names a volatile value, or a part
// of one.
func IsVolatile(pointer string) bool {
	if pointer == ResetsIn || strings.HasPrefix(pointer, ResetsIn+"/") {
		return true
	}
	rest, ok := strings.CutPrefix(pointer, LimitPrefix)
	if !ok {
		return false
	}
	_, leaf, ok := strings.Cut(rest, "/")
	if !ok {
		return false
	}
	leaf, _, _ = strings.Cut(leaf, "/")
	return isCounter(leaf)
}

// isCounter reports whether the member of a limit of that name is volatile.
func isCounter(name string) bool {
	switch name {
	case "value", "current", "timestamp", "last_batch_at":
		return true
	}
	return false
}

var (
	pointerEscaper   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// EscapePointer writes a member name as a token of a JSON pointer (RFC 6901,
// section 3).
func EscapePointer(name string) string { return pointerEscaper.Replace(name) }

// UnescapePointer is the inverse of EscapePointer.
func UnescapePointer(token string) string { return pointerUnescaper.Replace(token) }
