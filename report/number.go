package report

import (
	"strconv"
	"strings"
)

// maxExponentDigits bounds the exponents that are calculated with: an exponent
// of more digits cannot be shifted in an int64.
const maxExponentDigits = 17

// decimal is the exact value of a JSON number, so that equal numbers are equal
// as Go values: digits times ten to the exp. It never expands an exponent: the
// work is bounded by the length of the text, also for 1e999999999.
type decimal struct {
	neg    bool
	digits string // without leading and trailing zeros; "" is zero
	exp    int64
	// huge is the whole text of a number whose exponent is beyond calculating.
	// Such numbers are equal only when written alike.
	huge string
}

// parseDecimal reads a number in the grammar of JSON (no +, no leading zeros,
// no blanks). It reports false for all other text.
func parseDecimal(text string) (decimal, bool) {
	rest, neg := strings.CutPrefix(text, "-")
	whole, rest := cutDigits(rest)
	if whole == "" || len(whole) > 1 && whole[0] == '0' {
		return decimal{}, false
	}
	var fraction, exponent string
	if after, ok := strings.CutPrefix(rest, "."); ok {
		if fraction, rest = cutDigits(after); fraction == "" {
			return decimal{}, false
		}
	}
	if rest != "" {
		if exponent = rest[1:]; rest[0] != 'e' && rest[0] != 'E' || !isExponent(exponent) {
			return decimal{}, false
		}
	}
	return newDecimal(neg, whole, fraction, exponent, text), true
}

// newDecimal brings the parts of a number into the one form that equal numbers
// share.
func newDecimal(neg bool, whole, fraction, exponent, text string) decimal {
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return decimal{} // also -0 and 0e5
	}
	exp, ok := parseExponent(exponent)
	if !ok {
		return decimal{huge: text}
	}
	trimmed := strings.TrimRight(digits, "0")
	exp += int64(len(digits)-len(trimmed)) - int64(len(fraction))
	return decimal{neg: neg, digits: trimmed, exp: exp}
}

func cutDigits(s string) (digits, rest string) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}

// isExponent reports whether s is what may follow the e of a JSON number.
func isExponent(s string) bool {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	digits, rest := cutDigits(s)
	return digits != "" && rest == ""
}

// parseExponent reads what follows the e; "" is 0. It reports false when the
// exponent is too long to calculate with.
func parseExponent(s string) (int64, bool) {
	s, neg := strings.CutPrefix(strings.TrimPrefix(s, "+"), "-")
	s = strings.TrimLeft(s, "0")
	if s == "" {
		return 0, true
	}
	if len(s) > maxExponentDigits {
		return 0, false
	}
	exp, err := strconv.ParseInt(s, 10, 64)
	if neg {
		exp = -exp
	}
	return exp, err == nil
}

// scaled is d times ten to the places, cut towards zero. It reports false when
// that does not fit.
func (d decimal) scaled(places int64) (int64, bool) {
	if d.huge != "" {
		return 0, false
	}
	digits, exp := d.digits, d.exp+places
	if digits == "" || int64(len(digits))+exp <= 0 {
		return 0, true
	}
	if int64(len(digits))+exp > 18 {
		return 0, false
	}
	if exp < 0 {
		digits = digits[:int64(len(digits))+exp]
	} else {
		digits += strings.Repeat("0", int(exp))
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if d.neg {
		n = -n
	}
	return n, err == nil
}

// integer is the value of d when that is a whole number of at most 18 digits.
func (d decimal) integer() (int64, bool) {
	if d.exp < 0 {
		return 0, false
	}
	return d.scaled(0)
}

// isPlain reports whether text, a number, is spelled in the one way that text
// may stand for the number: no exponent, no trailing zeros after the point, not
// -0. Version numbers such as "1.10" are text and no numbers.
func isPlain(text string) bool {
	if text == "-0" || strings.ContainsAny(text, "eE") {
		return false
	}
	return !strings.Contains(text, ".") || !strings.HasSuffix(text, "0")
}
