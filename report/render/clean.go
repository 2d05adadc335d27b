package render

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from elsewhere safe to show. Every character that would act on
// a terminal, or that would be there without being seen, is replaced by its
// escape as Go writes it (\x1b, \n, \u202e, \U000e0041), and every byte that
// is not UTF-8 by U+FFFD. These are the control characters (C0, DEL, C1), line
// and paragraph separators, and the format characters: bidirectional controls,
// zero width space, soft hyphen, BOM, tags and their like. Joiners (U+200C,
// U+200D) stay, for scripts and emoji need them.
//
// A backslash stays as it is, so the result is for reading, not for parsing; the
// JSON formats hold the exact text.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s { // invalid bytes come as U+FFFD
		if hidden(r) {
			b.WriteString(escape(r))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isClean(s string) bool {
	plain := 0
	for plain < len(s) && 0x20 <= s[plain] && s[plain] < 0x7f {
		plain++
	}
	s = s[plain:] // the usual text ends here
	return utf8.ValidString(s) && strings.IndexFunc(s, hidden) < 0
}

// hidden reports whether a character must not reach a reader as it is.
func hidden(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f:
		return true
	case r < 0x7f, r == 0x200c, r == 0x200d:
		return false
	case r == 0x2028, r == 0x2029, r >= 0x2060 && r <= 0x206f, r >= 0xe0000 && r <= 0xe007f:
		return true
	}
	return unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

func escape(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}
