package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
)

// marshal is json.Marshal without the escapes that only a page would need.
func marshal(value any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if text, ok := value.(string); ok {
		value = strings.ToValidUTF8(text, "\ufffd")
	}
	err := enc.Encode(value)
	return bytes.TrimSpace(out.Bytes()), err
}

// finite returns infinities, which SQL has and JSON has not, as text.
func finite(value any) any {
	f, ok := value.(float64)
	switch {
	case !ok:
		return value
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return value
}
