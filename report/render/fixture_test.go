package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var noon = time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// hostile are names that would like to be something else.
var hostile = []string{
	"plain", "", " ", "-12.5", "-", "=1+1", "'=1+1", " +cmd|' /C calc'!A0", "＠SUM(A1)", "\t=1", "\r=1", "\u00a0=1",
	"\x1b[31mred\x1b[0m", "\x1b]8;;http://evil\x07link\x1b\\", "\u009b31m", "title\x07", "two\nlines\r\nand\ttab", "\x00nul\x7f",
	"\u202egnp.exe", "\u2066isolate\u2069", "zero\u200bwidth", "\ufeffbom", "\u200emark\u061c", "\u2028line\u2029",
	"tag\U000e0041\U000e007f", "bad\xff\xc3(utf8", "soft\u00adhyphen", "\u2063invisible",
	"مرحبا بالعالم", "שלום", "日本語のアカウント名前です", "👨‍👩‍👧‍👦 family", "🇫🇷🇩🇪", "e\u0301\u0302\u0303 combined", "\u0301first", "\u0600\u0661",
	"a|b", `a\|b`, "`code`", "<b>bold</b>", "&lt;", "[link](http://evil)", "![i](x)", "*a* _b_ ~~c~~", "$x$", "@octocat", "a@b.example",
	"https://evil.example/x", "www.evil.example", "# title", "- item", "1. item", `quote"s`, "a,b;c", "<!-- x -->",
	strings.Repeat("long ", 40), strings.Repeat("x", 200), strings.Repeat("語", 100), strings.Repeat("👩🏽‍🚀", 50),
}

type dto struct {
	ID       string          `json:"id"`
	Name     string          `json:"username"`
	Health   store.Health    `json:"health"`
	Document json.RawMessage `json:"document"`
}

var fixtureColumns = []Column{
	{Title: "Account", Key: "account"},
	{Title: "Name", Key: "username", Flexible: 2},
	{Title: "Health", Key: "health"},
	{Title: "Squids", Key: "squid_count", Right: true, Drop: 1},
	{Title: "Seen", Key: "seen_at", Drop: 2},
	{Title: "Changed"},
	{Key: "changed_after"},
	{Title: "Reason", Key: "reason", Flexible: 1},
}

// fill writes the accounts that the golden files show.
func fill(w *Writer) {
	accounts := []struct {
		name, reason string
		health       store.Health
		squids       int
		ago          time.Duration
	}{
		{"alice", "", store.Healthy, 12, time.Minute},
		{"Renée d'Été 日本語 & <söhne>", "=cookies_expired", store.Expired, 3, 26 * time.Hour},
		{"\x1b[2Jevil\nname | `x`", "HTTP 503 | \u202egnp", store.Failing, 0, 90 * time.Minute},
		{"👨‍👩‍👧 family of emoji", "-5", store.Gone, 1000, 40 * 24 * time.Hour},
		{"", "too many requests in the last twenty-four hours", store.Locked, 1, 0},
		{"[click](https://evil.example) @octocat", "", store.Unknown, 1, time.Hour},
	}
	for i, a := range accounts {
		id := strings.Repeat(string(rune('a'+i)), 8)
		window := store.Window{After: noon.Add(-a.ago), Before: noon.Add(-a.ago / 2)}
		value := dto{id, a.name, a.health, json.RawMessage(`{"n": 12345678901234567890.10, "s":"` + "\u009b\u202e" + `"}`)}
		w.Row(value, TextCell(id), TextCell(a.name), HealthCell(a.health), IntCell(a.squids), TimeCell(noon.Add(-a.ago)),
			WindowCell(window), TimeCell(window.After), TextCell(a.reason).In(a.health))
	}
}

func paris(t testing.TB) *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip("no zone database")
	}
	return zone
}

func rendered(t testing.TB, options Options, write func(w *Writer), footer string, columns ...Column) string {
	t.Helper()
	var b bytes.Buffer
	w := New(&b, options, columns...)
	write(w)
	if err := w.Close(footer); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// failing accepts so many bytes and no more.
type failing struct{ left int }

var errFull = errors.New("no space left on device")

func (f *failing) Write(p []byte) (int, error) {
	if len(p) > f.left {
		n := f.left
		f.left = 0
		return n, errFull
	}
	f.left -= len(p)
	return len(p), nil
}
