package render

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// TestTextInPartsIsEscapedAsAWhole: where the encoder parts a text makes no difference,
// within a character too.
func TestTextInPartsIsEscapedAsAWhole(t *testing.T) {
	text := []byte("{\"a\":\"\u00fc\u202e\U000e0041\u0085 \xff \xe2\x80 \U0001f600\"}")
	want := append(bytes.Clone(escapeJSON(text)), '\n')
	if !jsontext.Value(bytes.TrimSpace(want)).IsValid() || bytes.Contains(want, []byte("\u202e")) {
		t.Fatalf("%q is not escaped", want)
	}
	for size := 1; size <= len(text); size++ {
		var out bytes.Buffer
		w := &escapeWriter{out: &out}
		for from := 0; from < len(text); from += size {
			if _, err := w.Write(text[from:min(from+size, len(text))]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.end(); err != nil || !bytes.Equal(out.Bytes(), want) {
			t.Errorf("in parts of %d bytes: %q, and not %q: %v", size, out.Bytes(), want, err)
		}
	}
}
