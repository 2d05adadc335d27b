package render

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

// someStrip has every health, certain and not.
func someStrip() (marks []Mark) {
	marks = append(marks, Mark{})
	for _, h := range store.Healths {
		marks = append(marks, Mark{h, true}, Mark{h, false})
	}
	return append(marks, Mark{})
}

func writeStrip(t *testing.T, o Options, marks []Mark) string {
	t.Helper()
	var b bytes.Buffer
	w := New(&b, o, Column{Title: "A", Key: "a"}, Column{Title: "Strip"})
	if err := w.Row(nil, TextCell("x"), StripCell(marks)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(""); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestStrips(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		marks   []Mark
		want    string
	}{
		"letters": {Options{Width: 80}, someStrip(), "A  STRIP\nx   GgEeFfUuLl..\n"},
		"blocks in colours": {Options{Width: 80, Color: true}, []Mark{{}, {store.Healthy, true}, {store.Healthy, true}, {store.Expired, false}, {store.Expired, true}, {}},
			"\x1b[1mA\x1b[0m  \x1b[1mSTRIP\x1b[0m\nx   \x1b[32m▁▁\x1b[0m\x1b[31m▒█\x1b[0m\n"},
		"nothing":                   {Options{Width: 80, Color: true}, []Mark{}, "\x1b[1mA\x1b[0m  \x1b[1mSTRIP\x1b[0m\nx\n"},
		"markdown":                  {Options{Format: Markdown}, someStrip(), "| A | Strip |\n| --- | --- |\n| x | GgEeFfUuLl.. |\n"},
		"csv has none without keys": {Options{Format: CSV}, someStrip(), "a\nx\n"},
		"too long":                  {Options{Width: 20}, repeated(Mark{store.Expired, true}, 40), "A      x\nStrip  EEEEEEEEEEEE…\n"},
		"too long, in colours": {Options{Width: 20, Color: true}, repeated(Mark{store.Gone, true}, 40),
			"\x1b[1mA\x1b[0m      x\n\x1b[1mStrip\x1b[0m  \x1b[35m" + strings.Repeat("▔", 12) + "…\x1b[0m\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := writeStrip(t, test.options, test.marks); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func repeated(m Mark, n int) (marks []Mark) {
	for range n {
		marks = append(marks, m)
	}
	return marks
}

// TestStripLegends: the legend explains each mark that there is.
func TestStripLegends(t *testing.T) {
	for _, h := range store.Healths {
		m := Mark{h, true}
		for color, sign := range map[bool]string{true: m.block(), false: m.letter()} {
			if !strings.Contains(StripLegend(color), sign+" "+string(h)) {
				t.Errorf("%s is not in %q", sign, StripLegend(color))
			}
		}
	}
}
