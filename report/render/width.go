package render

import (
	"strings"

	"github.com/rivo/uniseg"
)

const ellipsis = "…" // one column wide

// displayWidth is how many columns of a terminal a clean text takes, counted by
// grapheme clusters: a family of emoji is two columns, a combining mark none.
func displayWidth(s string) int {
	if isASCII(s) {
		return len(s)
	}
	return uniseg.StringWidth(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// truncate cuts a clean text between grapheme clusters so that it takes at most
// limit columns, with "…" for what was cut.
func truncate(s string, limit int) string {
	if displayWidth(s) <= limit {
		return s
	}
	if limit <= 0 {
		return ""
	}
	head, _ := cut(s, limit-1)
	return head + ellipsis
}

// cut splits a text after the last grapheme cluster that ends within limit
// columns.
func cut(s string, limit int) (head, rest string) {
	rest = s
	for width, state := 0, -1; rest != ""; {
		_, after, w, next := uniseg.FirstGraphemeClusterInString(rest, state)
		if width += w; width > limit {
			break
		}
		rest, state = after, next
	}
	return s[:len(s)-len(rest)], rest
}

// wrap breaks a clean text into lines of at most limit columns, at spaces where
// it can. No limit (0) and empty text give one line. The limit must be at least
// 4, the widest a cluster may be that is not broken out as "…".
func wrap(s string, limit int) []string {
	if limit <= 0 || displayWidth(s) <= limit {
		return []string{s}
	}
	var lines []string
	for s != "" {
		line, rest := wrapLine(s, limit)
		lines = append(lines, strings.TrimRight(line, " "))
		s = strings.TrimLeft(rest, " ")
	}
	return lines
}

func wrapLine(s string, limit int) (line, rest string) {
	line, rest = cut(s, limit)
	if line == "" { // a cluster wider than the line
		_, rest, _, _ = uniseg.FirstGraphemeClusterInString(s, -1)
		return ellipsis, rest
	}
	if rest == "" || rest[0] == ' ' {
		return line, rest
	}
	if space := strings.LastIndexByte(line, ' '); strings.TrimLeft(line[:max(space, 0)], " ") != "" {
		return s[:space], s[space:]
	}
	return line, rest
}

// Truncate cleans a text (see [Clean]) and cuts it so that it takes at most limit
// columns, with "…" for what was cut.
func Truncate(s string, limit int) string { return truncate(Clean(s), limit) }
