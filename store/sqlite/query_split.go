package sqlite

import (
	"slices"
	"strings"

	"github.com/lobstrail/lobstrail/store"
)

// SplitSQL takes a text apart into the statements that end with a semicolon, and the
// rest after the last one. A semicolon in a string, in a quoted name, in a comment or
// in the body of CREATE TRIGGER ends no statement: the rules are those of
// sqlite3_complete. Blank statements are left out.
func SplitSQL(text string) (statements []store.Statement, rest store.Statement) {
	s := splitter{rest: store.Statement{Blank: true}}
	begin := 0
	for at := 0; at < len(text); {
		kind, end := nextToken(text, at)
		if s.take(kind, text[at:end]) {
			s.rest.Text = text[begin:end]
			if !s.rest.Blank {
				statements = append(statements, s.rest)
			}
			begin, s.rest = end, store.Statement{Blank: true}
		}
		at = end
	}
	s.rest.Text = text[begin:]
	return statements, s.rest
}

// splitter is where a reader of SQL stands.
type splitter struct {
	state splitState
	rest  store.Statement // what was read of the statement under way
}

// splitState says what a semicolon means.
type splitState int

const (
	atStart splitState = iota // of a statement
	inStatement
	afterExplain // CREATE TRIGGER may follow
	afterCreate  // TRIGGER may follow
	inTrigger
	afterSemicolon // in a trigger: END may follow
	afterEnd       // of a trigger: a semicolon ends it
)

// take reads a token. It reports whether it ends the statement.
func (s *splitter) take(kind tokenKind, token string) (ends bool) {
	switch kind {
	case tokenSpace:
		return false
	case tokenSemicolon:
		if s.state == inTrigger || s.state == afterSemicolon {
			s.state = afterSemicolon
			return false
		}
		s.state = atStart
		return true
	case tokenParam:
		name := token[1:]
		if !slices.Contains(s.rest.Params, name) {
			s.rest.Params = append(s.rest.Params, name)
		}
		if token[0] != '$' { // a sign and a word, to sqlite3_complete
			s.state, token = s.state.after(token[:1]), name
		}
	}
	word := strings.ToLower(token)
	if s.rest.Blank {
		s.rest.Blank, s.rest.Verb = false, word
	}
	s.state = s.state.after(word)
	return false
}

// after is the state after a word, or anything else that is no semicolon.
func (p splitState) after(word string) splitState {
	switch {
	case p == atStart && word == "explain":
		return afterExplain
	case (p == atStart || p == afterExplain) && word == "create":
		return afterCreate
	case p == afterExplain && !slices.Contains([]string{"explain", "temp", "temporary", "trigger", "end"}, word):
		return afterExplain
	case p == afterCreate && (word == "temp" || word == "temporary"):
		return afterCreate
	case p == afterCreate && word == "trigger", p == inTrigger, p == afterEnd:
		return inTrigger
	case p == afterSemicolon && word == "end":
		return afterEnd
	case p == afterSemicolon:
		return inTrigger
	}
	return inStatement
}

type tokenKind int

const (
	tokenSpace tokenKind = iota // or a comment
	tokenSemicolon
	tokenParam
	tokenOther // a word, a string, a sign; also a string or a comment that does not end
)

// nextToken is the kind of the token that begins at a place, and where it ends.
func nextToken(text string, at int) (kind tokenKind, end int) {
	rest := text[at:]
	switch c := rest[0]; {
	case c == ';':
		return tokenSemicolon, at + 1
	case strings.IndexByte(" \t\r\n\f", c) >= 0:
		return tokenSpace, at + 1
	case strings.HasPrefix(rest, "/*"):
		return until("*/", text, at, 2, tokenSpace)
	case strings.HasPrefix(rest, "--"):
		_, end = until("\n", text, at, 2, tokenSpace)
		return tokenSpace, end // the end of the text ends it too
	case c == '[':
		return until("]", text, at, 1, tokenOther)
	case c == '\'' || c == '"' || c == '`':
		return until(string(c), text, at, 1, tokenOther)
	case (c == ':' || c == '@' || c == '$') && len(rest) > 1 && isWordByte(rest[1]):
		return tokenParam, wordEnd(text, at+1)
	case isWordByte(c):
		return tokenOther, wordEnd(text, at)
	}
	return tokenOther, at + 1
}

// until is a token that ends with a mark, which is looked for after so many bytes.
func until(mark, text string, at, skip int, kind tokenKind) (tokenKind, int) {
	if i := strings.Index(text[at+skip:], mark); i >= 0 {
		return kind, at + skip + i + len(mark)
	}
	return tokenOther, len(text)
}

// isWordByte reports whether SQLite takes the byte for a part of a name.
func isWordByte(c byte) bool {
	return c >= 0x80 || c == '_' || c == '$' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func wordEnd(text string, at int) int {
	for at < len(text) && isWordByte(text[at]) {
		at++
	}
	return at
}
