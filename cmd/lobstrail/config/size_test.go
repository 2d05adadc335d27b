package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestParseOfHugeFiles: a file as large as can be, whatever it is made of, is read or refused in
// a moment, and the error is short.
func TestParseOfHugeFiles(t *testing.T) {
	const size = MaxBytes
	var many strings.Builder
	for i := 0; many.Len() < size; i++ {
		fmt.Fprintf(&many, "key%d = 1\n", i)
	}
	for name, text := range map[string]string{
		"open arrays":   "a = " + strings.Repeat("[", size),
		"arrays":        "a = " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"inline tables": "a = " + strings.Repeat("{a=", 9000) + "1" + strings.Repeat("}", 9000),
		"dotted keys":   strings.Repeat("a.", size/2) + "a = 1",
		"a deep table":  "[" + strings.Repeat("a.", size/2) + "a]\n" + strings.Repeat("b.", 1000) + "b = 1",
		"many tables":   strings.Repeat("[[sinks]]\n", size/10),
		"many keys":     many.String(),
		"a long text":   "a = \"" + strings.Repeat("x", size) + "\"",
		"a long key":    strings.Repeat("x", size) + " = 1",
		"many lines":    strings.Repeat("\n", size) + "a = 1",
		"a long list":   "a = [" + strings.Repeat("1,", size/2) + "]",
		"workspaces":    "[workspaces]\n" + strings.Repeat("x", 100) + " = 1",
	} {
		start := time.Now()
		_, err := Parse("f", []byte(text))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
		if err == nil || len(err.Error()) > 1<<14 {
			t.Errorf("%s: %.300v", name, err)
		}
	}
}
