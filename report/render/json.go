package render

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
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
	_, err = n.out.Write(append(text, '\n'))
	return err
}

func (n *ndjsonRows) end(string) error { return nil }

// encodeJSON writes a value on one line. Numbers and the order of keys of a
// json.RawMessage stay as they are.
func encodeJSON(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode %T: %w", value, err)
	}
	return escapeJSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

func indentJSON(value any) ([]byte, error) {
	text, err := encodeJSON(value)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return nil, fmt.Errorf("encode %T: %w", value, err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// escapeJSON replaces the characters that [Clean] would replace by their \u
// escapes, and invalid bytes by that of U+FFFD. The text must be compact JSON:
// there, such characters are found inside strings only, and never after a
// backslash.
func escapeJSON(text []byte) []byte {
	if isClean(string(text)) {
		return text
	}
	var b bytes.Buffer
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\ufffd`)
		case !hidden(r):
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
