package render

import (
	"regexp"
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

// truncate cuts a clean text between grapheme clusters, and not within an instant, so
// that it takes at most limit columns, with "…" for what was cut.
func truncate(s string, limit int) string {
	if displayWidth(s) <= limit {
		return s
	}
	if limit <= 0 {
		return ""
	}
	head, _ := cut(s, limit-1)
	return beforeInstant(s, head) + ellipsis
}

var instant = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}[0-9:.Z]*)?`)

const longestInstant = 32

// beforeInstant shortens the head of a text that ends within an instant: half an
// instant says something else.
func beforeInstant(s, head string) string {
	from := max(0, len(head)-longestInstant)
	for _, at := range instant.FindAllStringIndex(s[from:min(len(s), len(head)+longestInstant)], -1) {
		if from+at[0] < len(head) && len(head) < from+at[1] {
			return s[:from+at[0]]
		}
	}
	return head
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
// it can, and not within an instant or a quoted command ("lobstrail accounts"). No
// limit (0) and empty text give one line. The limit must be at least 4, the widest a
// cluster may be that is not broken out as "…".
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
	if rest == "" {
		return line, rest
	}
	at := len(line)
	if rest[0] != ' ' {
		space := strings.LastIndexByte(line, ' ')
		if strings.TrimLeft(line[:max(space, 0)], " ") == "" {
			return line, rest
		}
		at = space
	}
	if begin := commandAround(s, at); begin > 0 {
		at = begin
	} else if head := beforeInstant(s, s[:at]); strings.TrimSpace(head) != "" {
		at = len(head)
	}
	return s[:at], s[at:]
}

const quotedCommand = `"lobstrail `

// commandAround returns where the quoted command begins that reaches across the
// position; 0 when there is none.
func commandAround(s string, at int) int {
	begin := strings.LastIndex(s[:at], quotedCommand[:len(quotedCommand)-1])
	if begin < 0 || !strings.HasPrefix(s[begin:], quotedCommand) {
		return 0
	}
	if end := strings.IndexByte(s[begin+1:], '"'); end >= 0 && begin+1+end < at {
		return 0
	}
	return begin
}

// Truncate cleans a text (see [Clean]) and cuts it so that it takes at most limit
// columns, with "…" for what was cut.
func Truncate(s string, limit int) string { return truncate(Clean(s), limit) }
