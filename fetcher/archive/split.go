package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lobstrail/lobstrail/fetcher"
)

// splitter finds the account objects in a stream of JSON texts.
type splitter struct {
	window
	field string // the member that tells the instant of an answer; "" none
	sink  sink
	began int64 // where the last object began that is an answer
}

// sink takes what a splitter finds. Bytes are valid until the method returns.
type sink interface {
	// account takes one object.
	account(raw []byte) error
	// instant takes the value of the field that tells when the answer was saved.
	instant(value []byte) error
	// answered is called at the end of each answer: of a JSON text or, when a
	// field tells the instants, of an object in a list.
	answered() error
}

func (s *splitter) wrong(format string, args ...any) error {
	return &formError{fmt.Sprintf(format+" (at byte %d)", append(args, s.offset())...)}
}

// split reads the whole stream. base is where it stands in the text that it is a
// section of.
func (s *splitter) split(in io.Reader, base int64) error {
	s.reset(in, fetcher.MaxAccountBytes+readSize)
	s.before = base
	err := s.texts()
	switch {
	case errors.Is(err, errLarge):
		return s.wrong("an object larger than %d bytes", fetcher.MaxAccountBytes)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return s.wrong("it breaks off")
	}
	return err
}

func (s *splitter) texts() error {
	for first := true; ; first = false {
		s.release()
		if err := s.skipMark(); err != nil { // cat leaves one before each text
			return err
		}
		s.release()
		c, err := s.next()
		switch {
		case err == io.EOF && first:
			return errNothing
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case c == '[':
			err = s.list(s.answer)
		case c == '{':
			err = s.object()
		case first && s.begins(lfsPointer):
			return errLFSPointer
		default:
			return s.wrong("neither an object nor a list begins here")
		}
		if err != nil {
			return err
		}
		if err := s.sink.answered(); err != nil {
			return err
		}
	}
}

// skipMark passes over white space and a byte order mark.
func (s *splitter) skipMark() error {
	const mark = "\ufeff"
	_, err := s.next()
	if err == nil && s.begins(mark) {
		s.pos += len(mark)
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// lfsPointer begins the text that Git LFS keeps in the place of a file.
const lfsPointer = "version https://git-lfs.github.com/"

var (
	errNothing    = &formError{"nothing in it"}
	errLFSPointer = &formError{"a Git LFS pointer, not the file: get the file with git lfs pull (or git lfs smudge) and import that"}
)

// begins reports whether the text stands at pos.
func (s *splitter) begins(text string) bool {
	for len(s.buf)-s.pos < len(text) && strings.HasPrefix(text, string(s.buf[s.pos:])) {
		if _, err := s.more(); err != nil {
			return false
		}
	}
	return bytes.HasPrefix(s.buf[s.pos:], []byte(text))
}

// inside is next where the stream must not end.
func (s *splitter) inside() (byte, error) {
	c, err := s.next()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return c, err
}

// list takes the list that begins at pos, one element after the other.
func (s *splitter) list(element func(first byte) error) error {
	s.pos++
	for first := true; ; first = false {
		s.release()
		c, err := s.inside()
		if err != nil {
			return err
		}
		if c == ']' && first {
			s.pos++
			return nil
		}
		if err := element(c); err != nil {
			return err
		}
		s.release()
		if c, err = s.inside(); err != nil {
			return err
		}
		s.pos++
		switch c {
		case ',':
		case ']':
			return nil
		default:
			s.pos--
			return s.wrong("neither a comma nor the end of the list stands here")
		}
	}
}

// answer takes an element of a list of answers, or of one of accounts.
func (s *splitter) answer(first byte) error {
	if s.field == "" || first != '{' {
		return s.element(first)
	}
	if err := s.object(); err != nil {
		return err
	}
	return s.sink.answered()
}

// element takes an account.
func (s *splitter) element(byte) error {
	from, err := s.value()
	if err != nil {
		return err
	}
	if s.pos == from {
		return s.wrong("a value is missing")
	}
	return s.sink.account(s.buf[from:s.pos])
}

// span is a member of an object, from its name to its value. The zero value is
// none.
type span struct{ from, to int }

// object is what has been seen of an object so far.
type object struct {
	envelope, account bool // it is one of them; neither: not decided
	told              span // the member that tells the instant
}

// object takes the object that begins at pos: an envelope when it has data, else
// an account.
func (s *splitter) object() error {
	s.release()
	s.began = s.offset()
	s.pos++
	var o object
	for first := true; ; first = false {
		c, err := s.inside()
		switch {
		case err != nil:
			return err
		case c == '}':
			s.pos++
			if o.envelope {
				return nil
			}
			return s.sink.account(without(s.buf[s.mark:s.pos], o.told))
		case first:
		case c == ',':
			s.pos++
		default:
			return s.wrong("neither a comma nor the end of the object stands here")
		}
		if err := s.member(&o); err != nil {
			return err
		}
		if o.envelope {
			s.release()
		}
	}
}

func (s *splitter) member(o *object) error {
	from, name, err := s.name()
	if err != nil {
		return err
	}
	switch {
	case o.envelope && (name == "data" || name == "id"):
		return s.wrong("an answer with data has a member %q too", name)
	case name == "data" && !o.account:
		if o.envelope, err = s.data(); o.envelope || err != nil {
			return err
		}
	}
	value, err := s.value()
	if err != nil {
		return err
	}
	o.account = o.account || name == "id"
	if name == "" || name != s.field {
		return nil
	}
	o.told = span{from, s.pos - s.mark}
	return s.sink.instant(s.buf[value:s.pos])
}

// name takes the name of a member and its colon. It returns where the member
// begins, from mark on.
func (s *splitter) name() (from int, name string, err error) {
	if c, err := s.inside(); err != nil {
		return 0, "", err
	} else if c != '"' {
		return 0, "", s.wrong("no name of a member begins here")
	}
	start, err := s.value()
	if err != nil {
		return 0, "", err
	}
	from, name = start-s.mark, string(s.buf[start+1:s.pos-1])
	if c, err := s.inside(); err != nil {
		return 0, "", err
	} else if c != ':' {
		return 0, "", s.wrong("no colon stands here")
	}
	s.pos++
	_, err = s.inside()
	return from, name, err
}

// data takes the accounts of an envelope; false: what stands at pos is neither a
// list nor an object.
func (s *splitter) data() (bool, error) {
	switch s.buf[s.pos] {
	case '[':
		return true, s.list(s.element)
	case '{':
		from, err := s.value()
		if err != nil {
			return true, err
		}
		return true, s.sink.account(s.buf[from:s.pos])
	}
	return false, nil
}

// without returns the object without the member, which is not the API's.
func without(object []byte, member span) []byte {
	if member == (span{}) {
		return object
	}
	head, tail := object[:member.from], bytes.TrimLeft(object[member.to:], " \t\r\n")
	if rest, more := bytes.CutPrefix(tail, []byte(",")); more {
		tail = rest
	} else {
		head = bytes.TrimRight(head, " \t\r\n,")
	}
	return append(append(make([]byte, 0, len(object)), head...), tail...)
}
