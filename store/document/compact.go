package document

import "bytes"

// appendCompact appends valid JSON without its white space. (jsontext would check
// it a second time, and that is most of the work.)
func appendCompact(out, value []byte) []byte {
	from := 0
	for i := 0; i < len(value); {
		switch value[i] {
		case '"':
			i += 1 + stringLength(value[i+1:])
		case ' ', '\t', '\r', '\n':
			out = append(out, value[from:i]...)
			i++
			from = i
		default:
			i++
		}
	}
	return append(out, value[from:]...)
}

// stringLength is how long a JSON string is from behind its first quotation mark
// on, with the last one; 0 if that is missing.
func stringLength(rest []byte) int {
	for i := 0; ; i++ {
		next := bytes.IndexByte(rest[i:], '"')
		if next < 0 {
			return 0
		}
		i += next
		slashes := 0
		for slashes < i && rest[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
}
