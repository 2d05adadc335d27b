package store

import "strings"

// VolatileVersion is raised whenever [VolatilePatterns] changes.
const VolatileVersion = 1

// VolatilePatterns are JSON pointers (RFC 6901) of values that move while an
// account works; * stands for one member name. Such values are kept as usage
// beside every snapshot that moves them, and make no version and no change.
var VolatilePatterns = []string{
	"/resets_in",
	"/params/user/*/value",
	"/params/user/*/current",
	"/params/user/*/timestamp",
	"/params/user/*/last_batch_at",
}

// IsVolatile reports whether the JSON pointer names a volatile value, or a part
// of one.
func IsVolatile(pointer string) bool {
	if pointer == "/resets_in" || strings.HasPrefix(pointer, "/resets_in/") {
		return true
	}
	rest, ok := strings.CutPrefix(pointer, "/params/user/")
	if !ok {
		return false
	}
	_, leaf, ok := strings.Cut(rest, "/")
	if !ok {
		return false
	}
	leaf, _, _ = strings.Cut(leaf, "/")
	switch leaf {
	case "value", "current", "timestamp", "last_batch_at":
		return true
	}
	return false
}
