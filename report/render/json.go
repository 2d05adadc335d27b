package render

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// jsonRows writes a list, an element a line, so that it can be cut and searched
// by lines and read while it grows.
type jsonRows struct {
	out   *bufio.Writer
	begun bool
}

func (j *jsonRows) row(value any, _ []Cell) error {
	text, err := encodeJSON(value)
	if err != nil {
		return err
	}
	lead := ",\n"
	if !j.begun {
		lead = "[\n"
	}
	j.begun = true
	j.out.WriteString(lead) // the error of a bufio.Writer stays
	_, err = j.out.Write(text)
	return err
}

func (j *jsonRows) end(string) error {
	tail := "\n]\n"
	if !j.begun {
		tail = "[]\n"
	}
	_, err := j.out.WriteString(tail)
	return err
}

type ndjsonRows struct {
	out *bufio.Writer
}

func (n *ndjsonRows) row(value any, _ []Cell) error {
	text, err := encodeJSON(value)
	if err != nil {
		return err
	}
	n.out.Write(text) // the error of a bufio.Writer stays
	return n.out.WriteByte('\n')
}

func (n *ndjsonRows) end(string) error { return nil }

// asEncodingJSON makes the faster encoder write what encoding/json would, as far as
// anybody can tell who reads JSON. (Tags say omitzero: the two differ about omitempty.)
var asEncodingJSON = json.JoinOptions(
	json.FormatNilSliceAsNull(true),
	json.FormatNilMapAsNull(true),
	json.Deterministic(true),
	jsontext.AllowDuplicateNames(true),
	jsontext.AllowInvalidUTF8(true),
	jsontext.PreserveRawStrings(true),
)

// encodeJSON writes a value on one line. Numbers and the order of keys of a
// json.RawMessage stay as they are.
func encodeJSON(value any) ([]byte, error) {
	text, err := json.Marshal(value, asEncodingJSON)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", value, err)
	}
	return escapeJSON(text), nil
}

// writeIndented writes a value over several lines, bit by bit: it may be large.
func writeIndented(out io.Writer, value any) error {
	escaping := &escapeWriter{out: out}
	err := json.MarshalWrite(escaping, value, jsontext.WithIndent("  "), asEncodingJSON)
	if err == nil {
		err = escaping.end()
	}
	if err != nil {
		return fmt.Errorf("encode %T: %w", value, err)
	}
	return nil
}

// escapeWriter is escapeJSON for a text that is written in parts, which may end within a
// character.
type escapeWriter struct {
	out  io.Writer
	rest []byte // the beginning of a character
}

func (w *escapeWriter) Write(part []byte) (int, error) {
	text := part
	if len(w.rest) > 0 {
		text = append(w.rest, part...)
	}
	whole := len(text)
	for i := max(0, whole-utf8.UTFMax+1); i < whole; i++ {
		if utf8.RuneStart(text[i]) && !utf8.FullRune(text[i:]) {
			whole = i
			break
		}
	}
	_, err := w.out.Write(escapeJSON(text[:whole]))
	w.rest = slices.Clone(text[whole:])
	return len(part), err
}

// end writes the line feed at the end.
func (w *escapeWriter) end() error {
	_, err := w.out.Write(escapeJSON(append(w.rest, '\n')))
	return err
}

// escapeJSON replaces the characters that [Clean] would replace by their \u
// escapes, and invalid bytes by that of U+FFFD. The text must be JSON without other
// white space than spaces and line feeds: there, such characters are found inside
// strings only, and never after a backslash.
func escapeJSON(text []byte) []byte {
	if isPlain(text) || isClean(string(text)) {
		return text
	}
	var b bytes.Buffer
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\ufffd`)
		case r == '\n' || !hidden(r): // between values, where it is indented
			b.Write(text[:size])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[size:]
	}
	return b.Bytes()
}

// isPlain reports whether a text is nothing but visible ASCII, spaces and line
// feeds, as most is.
func isPlain(text []byte) bool {
	for _, c := range text {
		if c < 0x20 && c != '\n' || c > 0x7e {
			return false
		}
	}
	return true
}
