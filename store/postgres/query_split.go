package postgres

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lobstrail/lobstrail/store"
)

// SplitSQL takes a text apart into the statements that end with a semicolon, and the rest
// after the last one. A semicolon in a string, in a quoted name, in a comment or between
// dollar signs ends no statement. Blank statements are left out.
//
// :name and @name are parameters. A text with ::, :=, or an operator that has @ in it has
// none there.
func SplitSQL(text string) (statements []store.Statement, rest store.Statement) {
	s, begin := store.Statement{Blank: true}, 0
	for at := 0; at < len(text); {
		kind, end := nextToken(text, at)
		switch kind {
		case tokenSemicolon:
			if s.Text = text[begin:end]; !s.Blank {
				statements = append(statements, s)
			}
			s, begin = store.Statement{Blank: true}, end
		case tokenParam:
			if name := text[at+1 : end]; !slices.Contains(s.Params, name) {
				s.Params = append(s.Params, name)
			}
			s.Blank = false
		case tokenOther:
			if s.Blank {
				s.Verb = strings.ToLower(text[at:end])
			}
			s.Blank = false
		}
		at = end
	}
	s.Text = text[begin:]
	return statements, s
}

// numbered is a statement with $1, $2, ... for its parameters, in the order of Params, and
// without its semicolon.
func numbered(s store.Statement) string {
	var out strings.Builder
	for at := 0; at < len(s.Text); {
		kind, end := nextToken(s.Text, at)
		switch kind {
		case tokenSemicolon:
		case tokenParam:
			out.WriteString("$" + strconv.Itoa(slices.Index(s.Params, s.Text[at+1:end])+1))
		default:
			out.WriteString(s.Text[at:end])
		}
		at = end
	}
	return out.String()
}

type tokenKind int

const (
	tokenSpace tokenKind = iota // or a comment
	tokenSemicolon
	tokenParam
	tokenOther // a word, a string, an operator; also a string or a comment that does not end
)

// nextToken is the kind of the token that begins at a place, and where it ends. The rules
// are those of https://www.postgresql.org/docs/current/sql-syntax-lexical.html.
func nextToken(text string, at int) (kind tokenKind, end int) {
	rest := text[at:]
	switch c := rest[0]; {
	case c == ';':
		return tokenSemicolon, at + 1
	case strings.IndexByte(" \t\r\n\f\v", c) >= 0:
		return tokenSpace, at + 1
	case strings.HasPrefix(rest, "/*"):
		return comment(text, at)
	case strings.HasPrefix(rest, "--"):
		if i := strings.IndexAny(rest, "\r\n"); i >= 0 {
			return tokenSpace, at + i
		}
		return tokenSpace, len(text)
	case c == '\'', c == '"':
		return tokenOther, quoted(text, at, c, false)
	case (c == 'e' || c == 'E') && strings.HasPrefix(rest[1:], "'"):
		return tokenOther, quoted(text, at+1, '\'', true)
	case c == '$':
		return tokenOther, dollars(text, at)
	case c == ':' && len(rest) > 1 && isNameStart(rest[1]):
		return tokenParam, wordEnd(text, at+1)
	case c == ':':
		return tokenOther, at + len(rest) - len(strings.TrimLeft(rest, ":="))
	case strings.IndexByte(operators, c) >= 0:
		return operator(text, at)
	case isWordByte(c):
		return tokenOther, wordEnd(text, at)
	}
	return tokenOther, at + 1
}

// comment ends where all comments in it end.
func comment(text string, at int) (tokenKind, int) {
	depth := 0
	for i := at; i < len(text)-1; i++ {
		switch text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
		}
		if depth == 0 {
			return tokenSpace, i + 1
		}
	}
	return tokenOther, len(text)
}

// quoted is the end of a string, or of a quoted name. A quote in it is doubled, or has a
// backslash before it where backslashes escape.
func quoted(text string, at int, quote byte, backslash bool) int {
	for i := at + 1; i < len(text); i++ {
		switch {
		case backslash && text[i] == '\\':
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return len(text)
}

// dollars is the end of a string between $$ or $tag$, or of a parameter $1.
func dollars(text string, at int) int {
	i := at + 1
	for i < len(text) && isWordByte(text[i]) && text[i] != '$' {
		i++
	}
	if i >= len(text) || text[i] != '$' || i > at+1 && !isNameStart(text[at+1]) {
		return i
	}
	tag := text[at : i+1]
	if end := strings.Index(text[i+1:], tag); end >= 0 {
		return i + 1 + end + len(tag)
	}
	return len(text)
}

// operators are the signs of which operators are made.
const operators = "+-*/<>=~!@#%^&|`?"

// operator is an operator, or the parameter @name. An operator ends before a comment.
func operator(text string, at int) (tokenKind, int) {
	end := at
	for end < len(text) && strings.IndexByte(operators, text[end]) >= 0 {
		if rest := text[end:]; end > at && (strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "/*")) {
			break
		}
		end++
	}
	if text[at:end] == "@" && end < len(text) && isNameStart(text[end]) {
		return tokenParam, wordEnd(text, end)
	}
	return tokenOther, end
}

func isNameStart(c byte) bool {
	return c >= 0x80 || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func isWordByte(c byte) bool {
	return isNameStart(c) || c == '$' || c >= '0' && c <= '9'
}

func wordEnd(text string, at int) int {
	for at < len(text) && isWordByte(text[at]) {
		at++
	}
	return at
}
