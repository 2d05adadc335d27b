package archive

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// asUTF8 returns the text as UTF-8. UTF-16 is recognised by its byte order mark,
// which Windows PowerShell writes with ">"; recoded reports whether it was. A mark of
// UTF-8 is left in.
func asUTF8(in io.Reader) (utf8 io.Reader, recoded bool, err error) {
	text := bufio.NewReaderSize(in, 32<<10)
	head, _ := text.Peek(4) // an error comes again when the text is read
	switch {
	case bytes.Equal(head, []byte{0xff, 0xfe, 0, 0}) || bytes.Equal(head, []byte{0, 0, 0xfe, 0xff}):
		return nil, false, &formError{"UTF-32 is not read: save it as UTF-8"}
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return &fromUTF16{in: text, low: 0, high: 1}, true, nil
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return &fromUTF16{in: text, low: 1, high: 0}, true, nil
	}
	return text, false, nil
}

// fromUTF16 turns UTF-16 into UTF-8. What is no UTF-16 is an error, and not a
// replacement character: that would record what nobody said.
type fromUTF16 struct {
	in        *bufio.Reader
	low, high int    // where the bytes of a unit stand
	rest      []byte // of a character that did not fit
}

func (u *fromUTF16) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(u.rest) == 0 {
			if n > 0 && u.in.Buffered() < 4 {
				break // the next character may have to be waited for
			}
			r, err := u.character()
			if err != nil {
				return n, err
			}
			u.rest = utf8.AppendRune(u.rest[:0], r)
		}
		copied := copy(p[n:], u.rest)
		n, u.rest = n+copied, u.rest[copied:]
	}
	return n, nil
}

// character reads one character, of one or two units.
func (u *fromUTF16) character() (rune, error) {
	first, err := u.unit()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	second, err := u.unit()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, err
	}
	r := utf16.DecodeRune(first, second)
	if r == utf8.RuneError {
		return 0, errors.New("it is no valid UTF-16: half of a pair of surrogates stands alone")
	}
	return r, nil
}

func (u *fromUTF16) unit() (rune, error) {
	var b [2]byte
	if _, err := io.ReadFull(u.in, b[:]); err != nil {
		return 0, err // io.ErrUnexpectedEOF after one byte
	}
	return rune(b[u.low]) | rune(b[u.high])<<8, nil
}
