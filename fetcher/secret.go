package fetcher

import (
	"bytes"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxMessageRunes bounds a message that the API sent.
const maxMessageRunes = 200

// maxRawMessage is how many bytes of a text are looked at to make a message.
const maxRawMessage = 32 << 10

// withheldText stands where a secret stood.
const withheldText = "[withheld]"

// secret is the API key, and knows how to keep it out of texts. The one of an
// empty token, which stands for no key, finds nothing.
type secret struct {
	token string
	forms []string // the spellings that error texts use
}

func newSecret(token string) *secret {
	if token == "" {
		return &secret{}
	}
	quoted := strconv.Quote(token)
	return &secret{token: token, forms: []string{
		token,
		url.QueryEscape(token),
		url.PathEscape(token),
		html.EscapeString(token),
		quoted[1 : len(quoted)-1],
	}}
}

// in reports whether the token stands in the text.
func (s *secret) in(text []byte) bool {
	return s.token != "" && bytes.Contains(text, []byte(s.token))
}

// scrub returns text without the token. Text that holds it in a spelling which
// only shows after decoding is withheld altogether.
func (s *secret) scrub(text string) string {
	for _, form := range s.forms {
		text = strings.ReplaceAll(text, form, withheldText)
	}
	decoded := text
	for range 3 {
		decoded = html.UnescapeString(unescape(decoded))
		if slices.ContainsFunc(s.forms, func(form string) bool { return strings.Contains(decoded, form) }) {
			return withheldText
		}
	}
	return text
}

// clean makes one short line of a text from outside: valid UTF-8, without
// control and formatting characters, without the token, bounded in length.
func (s *secret) clean(text string) string {
	text = wholeWords(text, maxRawMessage)
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	// Scrubbed before it is cut: half a key is a secret too.
	return cut(withoutCookies(s.scrub(strings.Join(strings.Fields(text), " "))), maxMessageRunes)
}

// What is said to be a cookie, to the end of the text, and what follows the name of one.
var (
	cookiesInText = regexp.MustCompile(`(?i)(cookies?["']?\s*[:=]\s*).*`)
	sessionInText = regexp.MustCompile(`(?i)\b(auth_token|ct0|li_at|j?sessionid|csrftoken|(?:access|refresh|session|csrf)_token|password)\b(["']?\s*[:= ]\s*)["']?[^\s"';,&]+`)
)

// withoutCookies returns a message without the values of cookies.
func withoutCookies(text string) string {
	text = cookiesInText.ReplaceAllString(text, "${1}"+withheldText)
	return sessionInText.ReplaceAllString(text, "${1}${2}"+withheldText)
}

// wholeWords cuts text to at most limit bytes, where a white space stands: the key
// holds none, so what is cut in two is not the key.
func wholeWords(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return text[:max(0, strings.LastIndexAny(text[:limit], " \t\r\n"))]
}

func cut(text string, limit int) string {
	runes := 0
	for at := range text {
		if runes == limit {
			return text[:at] + "…"
		}
		runes++
	}
	return text
}

var escapes = regexp.MustCompile(`%[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}`)

// unescape decodes %41 and \u0041, and leaves alone what is neither.
func unescape(text string) string {
	return escapes.ReplaceAllStringFunc(text, func(escape string) string {
		digits := strings.TrimPrefix(strings.TrimPrefix(escape, "%"), `\u`)
		code, err := strconv.ParseUint(digits, 16, 16)
		if err != nil {
			return escape
		}
		if len(digits) == 2 {
			return string([]byte{byte(code)})
		}
		return string(rune(code))
	})
}
