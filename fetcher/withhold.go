package fetcher

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// suspect is a value that stands beside a name: a secret when the account's
// cookies specification has a cookie of that name.
type suspect struct {
	name  string
	value span
}

// edit is a place of the account that is replaced before anyone sees it.
type edit struct {
	span
	by []byte // JSON
}

// secretNames are names of members, in lower case and without separators, that hold a
// session where they stand. Names that contain "cookie" speak of cookies anyhow.
var secretNames = map[string]bool{
	"accesstoken": true, "authorization": true, "authtoken": true, "csrftoken": true, "ct0": true, "jsessionid": true, "liat": true,
	"password": true, "phpsessid": true, "refreshtoken": true, "session": true, "sessionid": true, "sessionkey": true, "sessiontoken": true,
}

// jarNames are names of members, in the same form, that tell the cookie of a browser
// from any other object with a name and a value.
var jarNames = map[string]bool{"domain": true, "hostonly": true, "httponly": true, "samesite": true}

// judgeName reports whether the name of a member speaks of cookies or sessions, and
// whether it belongs to the cookie of a browser.
func (in *inspector) judgeName(name []byte) (secret, jar bool) {
	in.fold(name)
	return bytes.Contains(in.folded, []byte("cookie")) || secretNames[string(in.folded)], jarNames[string(in.folded)]
}

// fold puts text, in lower case and without separators, into in.folded.
func (in *inspector) fold(text []byte) {
	in.folded = in.folded[:0]
	for _, c := range text {
		switch {
		case c == '_' || c == '-' || c == ' ':
		case c >= utf8.RuneSelf: // some have a lower case in ASCII
			in.folded = append(in.folded[:0], strings.ToLower(string(text))...)
			return
		case 'A' <= c && c <= 'Z':
			in.folded = append(in.folded, c|0x20)
		default:
			in.folded = append(in.folded, c)
		}
	}
}

// mayStay reports whether a value may be stored that stands below a name which speaks
// of cookies: objects and arrays, whose content is judged by itself; flags; and the
// name of a cookie in a list of objects, as in the specification
// [{"name":"auth_token","required":true}]. All other texts and numbers could be a
// cookie's value.
func (in *inspector) mayStay(outer *frame, raw []byte) bool {
	switch raw[0] {
	case '{', '[', 't', 'f', 'n':
		return true
	case '"':
		text := in.text(raw)
		return outer.secret && outer.element && outer.member.name == "name" && isCookieName(text)
	}
	return false
}

// isCookieName reports whether text is a token of RFC 6265 and not too long for a name.
func isCookieName(text []byte) bool {
	return len(text) > 0 && len(text) <= 64 && !bytes.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// judgePair judges an object that has a name and a value side by side, outside of what
// speaks of cookies: a header, a cookie of a browser, or perhaps one of the
// specification, which may come later.
func (in *inspector) judgePair(ended frame) {
	if ended.name == (span{}) || ended.value == (span{}) || ended.secret {
		return
	}
	name := in.text(ended.name.in(in.raw))
	if secret, _ := in.judgeName(name); secret || ended.jar {
		in.hide(ended.value)
		return
	}
	in.suspects = append(in.suspects, suspect{name: string(name), value: ended.value})
}

// cookieMember is a member that speaks of cookies in a text that is nearly JSON.
var cookieMember = regexp.MustCompile(`(?i)cookie[^\s"':]*\\*["']?\s*[:=]\s*\S`)

// cookieHeader is a header with cookies within a text.
var cookieHeader = regexp.MustCompile(`(?i)cookies?["']?\s*[:=]\s*["']?[^\s=;,"']+=`)

// maxSmuggled is how many strings within strings are read.
const maxSmuggled = 3

// smuggles reports whether a text holds cookies: a header, or JSON that would not pass
// by itself. Broken JSON does, if it has a member that speaks of cookies.
func (in *inspector) smuggles(text []byte) bool {
	text = bytes.TrimRight(text, "=") // the padding of base64, as in icons
	if bytes.IndexByte(text, ':') < 0 && bytes.IndexByte(text, '=') < 0 {
		return false
	}
	in.fold(text)
	speaks := bytes.Contains(in.folded, []byte("cookie"))
	if speaks && cookieHeader.Match(text) {
		return true
	}
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return false
	}
	if in.depth == maxSmuggled {
		return speaks && cookieMember.Match(text)
	}
	if in.inner == nil {
		in.inner = newInspector(in.key)
		in.inner.depth = in.depth + 1
	}
	in.inner.reset(trimmed)
	if err := in.inner.walk(); err != nil {
		return speaks && cookieMember.Match(text)
	}
	in.inner.judgeSuspects()
	return len(in.inner.edits) > 0
}

// hide withholds a value.
func (in *inspector) hide(at span) {
	in.edits = append(in.edits, edit{at, []byte(`"` + withheldText + `"`)})
}

// hideKey withholds the API key where it stands in a string, be it a name or a
// value; text is the decoded string.
func (in *inspector) hideKey(at span, text []byte) {
	if !in.key.in(text) {
		return
	}
	// Valid UTF-8, as the decoder saw to it, can always be quoted.
	by, _ := jsontext.AppendQuote(nil, strings.ReplaceAll(string(text), in.key.token, withheldText))
	in.edits = append(in.edits, edit{at, by})
}

// withhold returns the account without its secrets: the bytes as received when
// there are none.
func (in *inspector) withhold() (kept []byte, withheld bool, err error) {
	in.judgeSuspects()
	if len(in.edits) == 0 {
		return in.raw, false, nil
	}
	kept = in.edited()
	// Two names may have become one, or the key may have arisen from its neighbours.
	if !jsontext.Value(kept).IsValid() || in.key.in(kept) {
		return nil, false, &decodeError{text: "the account holds the API key or a cookie where it cannot be withheld"}
	}
	return kept, true, nil
}

func (in *inspector) judgeSuspects() {
	if len(in.suspects) == 0 || len(in.specs) == 0 {
		return
	}
	names := make(map[string]bool, len(in.specs))
	for _, name := range in.specs {
		names[name] = true
	}
	for _, suspect := range in.suspects {
		if names[suspect.name] {
			in.hide(suspect.value)
		}
	}
}

// edited applies the edits. Of edits within one another the outermost counts.
func (in *inspector) edited() []byte {
	slices.SortStableFunc(in.edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to), cmp.Compare(len(a.by), len(b.by)))
	})
	kept := make([]byte, 0, len(in.raw)+len(in.edits)*len(withheldText))
	end := 0
	for _, edit := range in.edits {
		if edit.from < end {
			continue
		}
		kept = append(kept, in.raw[end:edit.from]...)
		kept = append(kept, edit.by...)
		end = edit.to
	}
	return append(kept, in.raw[end:]...)
}
