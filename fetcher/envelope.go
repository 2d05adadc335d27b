package fetcher

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// maxObjects is how many accounts one answer may hold. The API sends a hundred;
// the bound keeps a hostile page from making millions of failures.
const maxObjects = 1000

// maxCount bounds the numbers of an envelope.
const maxCount = 1_000_000_000

// envelope is what stands around accounts. Numbers are -1 when not told.
type envelope struct {
	total, limit, page, pages int
	// next is the link to the next page, "" at the end.
	next string
	// warning is what the API says of a list that was cut, as JSON; nil: nothing.
	warning []byte
	// id is the member of that name, as JSON: the body is an account by itself.
	id []byte
	// data are the accounts, each the bytes of one JSON value in the body. nil
	// when there was no such member, or it was null.
	data [][]byte
	// single says that data was one object, and no list.
	single bool
}

// known are the members that are read, each of which may stand there once.
var known = map[string]bool{
	"total_results": true, "limit": true, "page": true, "total_pages": true,
	"next": true, "warning": true, "id": true, "data": true,
}

// splitter walks over the members of an answer. It lets pass within accounts
// what only concerns the account: that is judged account by account.
type splitter struct {
	body    []byte
	decoder *jsontext.Decoder
	seen    map[string]bool
	found   envelope
}

// split reads the envelope of body. What it returns points into body.
func split(body []byte) (envelope, error) {
	s := &splitter{
		body: body,
		decoder: jsontext.NewDecoder(bytes.NewBuffer(body),
			jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		seen:  make(map[string]bool),
		found: envelope{total: -1, limit: -1, page: -1, pages: -1},
	}
	if s.decoder.PeekKind() != '{' {
		if _, err := s.decoder.ReadValue(); err != nil {
			return envelope{}, unreadable(err)
		}
		return envelope{}, &decodeError{text: "the body is no JSON object", unreadable: true}
	}
	if err := s.object(); err != nil {
		return envelope{}, err
	}
	return s.found, nil
}

func unreadable(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return &decodeError{text: "the body is no JSON: it breaks off", unreadable: true}
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		// The text of the error may repeat names, and so secrets.
		return &decodeError{text: fmt.Sprintf("the body is no JSON, from byte %d on", syntax.ByteOffset), unreadable: true}
	}
	return &decodeError{text: "the body is no JSON", unreadable: true}
}

func (s *splitter) object() error {
	if _, err := s.decoder.ReadToken(); err != nil {
		return unreadable(err)
	}
	for s.decoder.PeekKind() != '}' {
		name, err := s.decoder.ReadToken()
		if err != nil {
			return unreadable(err)
		}
		if err := s.member(name.String()); err != nil {
			return err
		}
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return unreadable(err)
	}
	if _, err := s.decoder.ReadToken(); err != io.EOF {
		return &decodeError{text: "the body goes on after its JSON", unreadable: true}
	}
	return nil
}

func (s *splitter) member(name string) error {
	if !known[name] {
		if err := s.decoder.SkipValue(); err != nil {
			return unreadable(err)
		}
		return nil
	}
	if s.seen[name] {
		return &decodeError{text: name + " stands twice in the body", unreadable: true}
	}
	s.seen[name] = true
	if name == "data" && s.decoder.PeekKind() == '[' {
		return s.list()
	}
	value, err := s.value()
	if err != nil {
		return err
	}
	return s.take(name, value)
}

// take keeps the value of a member.
func (s *splitter) take(name string, value []byte) error {
	switch name {
	case "total_results":
		s.found.total = count(value)
	case "limit":
		s.found.limit = count(value)
	case "page":
		s.found.page = count(value)
	case "total_pages":
		s.found.pages = count(value)
	case "id":
		s.found.id = value
	case "warning":
		s.found.warning = warningIn(value)
	case "next":
		return s.takeNext(value)
	case "data":
		if value[0] == '{' {
			s.found.data, s.found.single = [][]byte{value}, true
		} else if value[0] != 'n' {
			return &decodeError{text: "data is neither a list nor an object", unreadable: true}
		}
	}
	return nil
}

func (s *splitter) takeNext(value []byte) error {
	switch value[0] {
	case '"':
		s.found.next = unquote(value)
	case 'n', 'f': // null, false
	default:
		return &decodeError{text: "next is neither a link nor null", unreadable: true}
	}
	return nil
}

func (s *splitter) list() error {
	if _, err := s.decoder.ReadToken(); err != nil {
		return unreadable(err)
	}
	s.found.data = [][]byte{}
	for s.decoder.PeekKind() != ']' {
		value, err := s.value()
		if err != nil {
			return err
		}
		if len(s.found.data) == maxObjects {
			return &decodeError{text: fmt.Sprintf("data holds more than %d objects", maxObjects)}
		}
		s.found.data = append(s.found.data, value)
	}
	if _, err := s.decoder.ReadToken(); err != nil {
		return unreadable(err)
	}
	return nil
}

// value reads the next value and returns its bytes in the body, which outlive
// the decoder's next step.
func (s *splitter) value() ([]byte, error) {
	value, err := s.decoder.ReadValue()
	if err != nil {
		return nil, unreadable(err)
	}
	end := int(s.decoder.InputOffset())
	return s.body[end-len(value) : end : end], nil
}

// unquote decodes a JSON string that was found to be one; bytes that are no
// UTF-8 are replaced.
func unquote(value []byte) string {
	text, _ := jsontext.AppendUnquote(nil, value)
	return string(text)
}

// count reads a number, or a string that holds one; -1 for anything else.
func count(value []byte) int {
	text := string(value)
	if value[0] == '"' {
		text = unquote(value)
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 || number > maxCount {
		return -1
	}
	return int(number)
}

// warningIn returns value unless it says nothing.
func warningIn(value []byte) []byte {
	switch string(value) {
	case "null", "false", `""`, "[]", "{}":
		return nil
	}
	return value
}
