package render

import (
	"bytes"
	"strings"
	"testing"
)

// TestCommandsStayWhole: a line of code is never wrapped, and a quoted command is
// wrapped as one word.
func TestCommandsStayWhole(t *testing.T) {
	const code = "    lobstr accounts sync facebook-sync --account d5db69e7 --cookies-file cookies.json"
	text := "To re-synchronise:\n" + code + "\nThose that lasted are not shown; \"lobstrail report squids\" lists all."
	for width := MinWidth; width < 120; width++ {
		var b bytes.Buffer
		if err := Paragraph(&b, Options{Width: width}, text); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "\n"+code+"\n") {
			t.Fatalf("the command is broken at %d: %s", width, b.String())
		}
		if quoted := `"lobstrail report squids"`; width >= len(quoted) && !strings.Contains(b.String(), quoted) {
			t.Fatalf("the quoted command is broken at %d: %s", width, b.String())
		}
		checkWidth(t, strings.Replace(b.String(), code, "", 1), width)
	}
}

func TestCodeInMarkdownIsABlock(t *testing.T) {
	out := rendered(t, Options{Format: Markdown}, func(*Writer) {}, "Run_this:\n    a_b --c\n    \x1b[1m\nDone.\nAll.", Column{Title: "A"})
	if want := "Run\\_this:\n\n    a_b --c\n    \\x1b[1m\n\nDone.  \nAll.\n"; out != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestInstantsAreNotCutWithinTexts(t *testing.T) {
	const text = "until 2026-11-24 17:00 (healthy)"
	for limit := range len(text) {
		got := truncate(text, limit)
		if strings.ContainsAny(got, "0123456789") && !strings.Contains(got, "2026-11-24 17:00") {
			t.Errorf("%d: %q", limit, got)
		}
		if limit >= len("2026-11-24 17:00") && !strings.Contains(strings.Join(wrap(text, limit), "\n"), "2026-11-24 17:00") {
			t.Errorf("wrapped at %d: %q", limit, wrap(text, limit))
		}
	}
}
