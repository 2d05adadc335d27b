package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// harmless is text that an error may repeat: a misspelled word, a zone, or a short number
// with units. Anything else may be a secret that stands in the wrong place.
var harmless = regexp.MustCompile(`^(?:[a-z_-]{1,24}|[A-Z][a-z_]{1,15}(?:/[A-Z][A-Za-z_]{1,20}){1,2}|[0-9:.]{1,6}[a-z]{0,2})$`)

// shown is the text as an error may repeat it.
func shown(text string) string {
	if harmless.MatchString(text) {
		return `"` + text + `"`
	}
	return "this"
}

// notOneOf is the error for a word that is not allowed. It names the nearest allowed one.
func notOneOf(what, word string, allowed []string, where string) string {
	message := fmt.Sprintf("unknown %s %s", what, shown(word))
	if !harmless.MatchString(word) {
		message = "unknown " + what
	}
	message += where
	if near := nearest(word, allowed); near != "" {
		message += fmt.Sprintf("; did you mean %q?", near)
	}
	return message + " (allowed: " + strings.Join(allowed, ", ") + ")"
}

// nearest returns the allowed word that is most like the one given; "" if none is.
func nearest(word string, allowed []string) string {
	word = strings.ToLower(strings.ReplaceAll(word, "-", "_"))
	if len(word) > 2*maxName {
		return ""
	}
	best, least := "", len(word)/3+1
	for _, a := range allowed {
		if d := distance(word, a); d < least || d == least && best == "" {
			best, least = a, d
		}
	}
	for _, a := range allowed { // "token" for "token_file"
		if best == "" && len(word) > 2 && (strings.HasPrefix(a, word) || strings.HasPrefix(word, a)) {
			best = a
		}
	}
	return best
}

// distance is how many letters have to be put in, left out or replaced to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func printable(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// maxName is how many characters a name may have.
const maxName = 64

// CheckName returns an error if a workspace or a sink cannot have the name: names have 1
// to 64 printable characters, no space at either end, and no asterisk, which stands for all
// workspaces. The error does not repeat the name.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("a name is empty")
	case !printable(name):
		return errors.New("a name has a line break or another control character")
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("a name has more than %d characters", maxName)
	case strings.TrimSpace(name) != name:
		return errors.New("a name begins or ends with a space")
	case strings.Contains(name, "*"):
		return errors.New("a name has an asterisk, which stands for all workspaces")
	}
	return nil
}

// durationText is weeks and days, then what Go understands.
var durationText = regexp.MustCompile(`^(?:([0-9]{1,4})w)?(?:([0-9]{1,5})d)?([0-9].*)?$`)

const (
	day      = 24 * time.Hour
	mostDays = 36500
)

// ParseDuration reads a span of time: 90s, 15m, 1h30m, 7d, 2w. It is never negative.
func ParseDuration(text string) (time.Duration, error) {
	wrong := errors.New(`a duration such as "90s", "15m", "24h" or "7d" is expected`)
	m := durationText.FindStringSubmatch(text)
	if m == nil || text == "" {
		return 0, wrong
	}
	days := 7*digitsOf(m[1]) + digitsOf(m[2])
	if days > mostDays {
		return 0, wrong
	}
	length := time.Duration(days) * day
	if m[3] == "" {
		return length, nil
	}
	rest, err := time.ParseDuration(m[3])
	if err != nil || length+rest < length { // more than a Duration holds
		return 0, wrong
	}
	return length + rest, nil
}

// digitsOf is the number that a few digits write; 0 if there are none.
func digitsOf(digits string) (n int) {
	for _, digit := range digits {
		n = 10*n + int(digit-'0')
	}
	return n
}

// FormatDuration is the inverse of [ParseDuration].
func FormatDuration(length time.Duration) string {
	text := ""
	if days := length / day; days > 1 {
		text, length = fmt.Sprintf("%dd", days), length%day
		if length == 0 {
			return text
		}
	}
	rest := length.String()
	if strings.HasSuffix(rest, "m0s") {
		rest = strings.TrimSuffix(rest, "0s")
	}
	if strings.HasSuffix(rest, "h0m") {
		rest = strings.TrimSuffix(rest, "0m")
	}
	return text + rest
}
