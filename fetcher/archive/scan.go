package archive

import (
	"bytes"
	"io"
)

// value takes the JSON value that begins at pos, which is no white space, and
// answers where it begins in the window. It looks for the end only, by brackets
// and quotation marks: whether the value is valid is for those who use it. That
// makes it several times as fast as reading tokens, and most values were seen
// before.
func (w *window) value() (from int, err error) {
	from = w.pos
	depth, quoted := 0, false
	for {
		depth, quoted = w.scan(from, depth, quoted)
		if depth < 0 {
			return from, nil
		}
		moved, err := w.more()
		from -= moved
		switch {
		case err == io.EOF && depth == 0 && !quoted && w.pos > from:
			return from, nil // a number or a word at the very end
		case err == io.EOF:
			return from, io.ErrUnexpectedEOF
		case err != nil:
			return from, err
		}
	}
}

// scan goes on in the value that began at from, until its end or that of the
// window. The depth it returns is -1 at the end of the value.
func (w *window) scan(from, depth int, quoted bool) (int, bool) {
	b := w.buf
	for i := w.pos; i < len(b); i++ {
		if quoted {
			end := bytes.IndexByte(b[i:], '"')
			if end < 0 {
				w.pos = len(b)
				return depth, true
			}
			if i += end; escaped(b[from:i]) {
				continue
			}
			if quoted = false; depth == 0 {
				w.pos = i + 1
				return -1, false
			}
			continue
		}
		switch b[i] {
		case '"':
			quoted = true
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // it ends what a number or a word stands in
				w.pos = i
				return -1, false
			}
			if depth--; depth == 0 {
				w.pos = i + 1
				return -1, false
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				w.pos = i
				return -1, false
			}
		}
	}
	w.pos = len(b)
	return depth, quoted
}

// escaped reports whether the character after b is escaped by a backslash.
func escaped(b []byte) bool {
	n := 0
	for n < len(b) && b[len(b)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}
