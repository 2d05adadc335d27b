package main

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"unicode/utf16"
)

// plainText returns the text of a small file that a person may have saved with an
// editor or a shell: a byte order mark is left out, and UTF-16, which
// Windows PowerShell writes, becomes UTF-8. Anything else stays as it is.
func plainText(raw []byte) []byte {
	if !isUTF16(raw) {
		return bytes.TrimPrefix(raw, []byte("\ufeff"))
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if raw[0] == 0xfe {
		order = binary.BigEndian
	}
	var units []uint16
	for raw = raw[2:]; len(raw) > 1; raw = raw[2:] {
		units = append(units, order.Uint16(raw))
	}
	return []byte(string(utf16.Decode(units)))
}

// isUTF16 reports whether a text begins with the byte order mark of UTF-16.
func isUTF16(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte{0xff, 0xfe}) || bytes.HasPrefix(raw, []byte{0xfe, 0xff})
}

// manyBlank is more than one blank line.
var manyBlank = regexp.MustCompile(`\n{3,}`)

// tidyLines undoes what editors and mail programs do to the lines of a text whose
// blank lines separate its parts: other line endings, more blank lines, a missing
// last line ending.
func tidyLines(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	text = manyBlank.ReplaceAllLiteral(text, []byte("\n\n"))
	return append(bytes.Trim(text, "\n"), '\n')
}
