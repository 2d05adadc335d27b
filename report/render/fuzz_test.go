package render

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func seed(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
}

func FuzzClean(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		c := Clean(s)
		checkSafe(t, c)
		if strings.Contains(c, "\n") {
			t.Errorf("a line break in %q", c)
		}
		if again := Clean(c); again != c {
			t.Errorf("cleaned twice %q, once %q", again, c)
		}
		if utf8.ValidString(s) && visibleASCII(s) && c != s {
			t.Errorf("%q became %q", s, c)
		}
	})
}

func visibleASCII(s string) bool {
	for _, r := range s {
		if r < ' ' || r > '~' {
			return false
		}
	}
	return true
}

func FuzzCell(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1000 {
			return // the laws do not change, and wide cells are slow
		}
		checkCell(t, s, len(s)%90)
	})
}

func FuzzRawJSON(f *testing.F) {
	for _, s := range hostile {
		text, _ := json.Marshal(s)
		f.Add(string(text))
	}
	f.Add(`{"a":1.0e400,"a":-0,"b":[12345678901234567890.10,"\ud800","` + "\u009b\x7f\u202e\U000e0041" + `"]} `)
	f.Add("\"\xff\"")
	f.Fuzz(func(t *testing.T, s string) {
		if !json.Valid([]byte(s)) {
			return
		}
		var object bytes.Buffer
		if err := Object(&object, Options{Format: JSON}, json.RawMessage(s)); err != nil {
			t.Fatal(err)
		}
		out := rendered(t, Options{Format: JSON}, func(w *Writer) { w.Row(json.RawMessage(s)) }, "")
		checkSafe(t, out)
		checkSafe(t, object.String())
		checkJSON(t, out, "["+s+"]")
		checkJSON(t, object.String(), s)
	})
}
