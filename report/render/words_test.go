package render

import (
	"math"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

func TestParseFormat(t *testing.T) {
	for _, format := range Formats {
		if got, err := ParseFormat(string(format)); got != format || err != nil {
			t.Errorf("%s: got %q, %v", format, got, err)
		}
	}
	if got, err := ParseFormat("JSON"); got != JSON || err != nil {
		t.Errorf("JSON: got %q, %v", got, err)
	}
	_, err := ParseFormat("x\x1b")
	if want := `unknown format "x\x1b": choose one of table, json, ndjson, csv, markdown`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestClean(t *testing.T) {
	for s, want := range map[string]string{
		"":                            "",
		"plain é 日本 👨‍👩‍👧":            "plain é 日本 👨‍👩‍👧",
		"\x1b[31m\x00\x7f\u009b":      `\x1b[31m\x00\x7f\u009b`,
		"a\r\nb\tc":                   `a\r\nb\tc`,
		"\u202ea\u2066b\u200fc\u200b": `\u202ea\u2066b\u200fc\u200b`,
		"\u2028\ufeff\U000e0041":      `\u2028\ufeff\U000e0041`,
		"a\xffb\xe2\x80":              "a\ufffdb\ufffd\ufffd",
		`back\slash`:                  `back\slash`,
		"می\u200cخواهم":               "می\u200cخواهم",
	} {
		if got := Clean(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0:                                    "0s",
		1:                                    "<1s",
		time.Second:                          "1s",
		15 * time.Minute:                     "15m",
		15*time.Minute + 30*time.Second:      "15m 30s",
		time.Hour + 59*time.Second:           "1h",
		3*day + 4*time.Hour + 59*time.Minute: "3d 4h",
		400 * day:                            "400d",
		-90 * time.Minute:                    "-1h 30m",
		math.MinInt64:                        "-106751d 23h",
		math.MaxInt64:                        "106751d 23h",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%d: got %q, want %q", d, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	const day, almost = 24 * time.Hour, 100 * time.Millisecond
	for want, bounds := range map[string][2]time.Duration{
		"14h … 18h":         {14*time.Hour - almost, 18*time.Hour + almost},
		"13d 14h … 13d 16h": {13*day + 14*time.Hour - almost, 13*day + 16*time.Hour},
		"1d … 1d 1h":        {day - almost, 25 * time.Hour},
		"2h":                {2*time.Hour - almost, 2*time.Hour + almost},
		"up to 4h":          {0, 4 * time.Hour},
		"up to 15m":         {almost, 15 * time.Minute},
		"59m 58s … 1h":      {time.Hour - 2*time.Second, time.Hour},
		"0s":                {0, 0},
		"<1s":               {1, almost},
	} {
		if got := Span(bounds[0], bounds[1]); got != want {
			t.Errorf("%v: got %q, want %q", bounds, got, want)
		}
	}
}

func TestTimesForPeopleAndPrograms(t *testing.T) {
	zone := paris(t)
	at := time.Date(2026, 3, 29, 0, 30, 59, 999_999_999, time.UTC)
	for got, want := range map[string]string{
		Time(at, zone):         "2026-03-29 01:30",
		Time(at, nil):          "2026-03-29 00:30",
		Time(time.Time{}, nil): "",
		Stamp(at.In(zone)):     "2026-03-29T00:30:59.999Z",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := Stamp(time.Time{}); got != "" {
		t.Errorf("zero stamp %q", got)
	}
}

func TestZoneName(t *testing.T) {
	for _, test := range []struct {
		zone *time.Location
		want string
	}{
		{nil, "UTC"},
		{time.UTC, "UTC"},
		{paris(t), "Europe/Paris"},
		{time.FixedZone("CET", 3600), "CET"},
		{time.FixedZone("", 3600), "UTC+01:00"},
		{time.FixedZone("", -12600), "UTC-03:30"},
	} {
		if got := ZoneName(test.zone, noon); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestWindow(t *testing.T) {
	at := func(day, hour, minute, second int) time.Time {
		return time.Date(2026, 1, day, hour, minute, second, 0, time.UTC)
	}
	for _, test := range []struct {
		window      store.Window
		want, exact string
	}{
		{store.Window{}, "", ""},
		{store.Window{After: at(2, 15, 4, 0), Before: at(2, 15, 4, 59)}, "2026-01-02 15:04",
			"2026-01-02T15:04:00.000Z/2026-01-02T15:04:59.000Z"},
		{store.Window{After: at(2, 15, 4, 0), Before: at(2, 15, 19, 0)}, "2026-01-02 15:04 … 15:19",
			"2026-01-02T15:04:00.000Z/2026-01-02T15:19:00.000Z"},
		{store.Window{After: at(2, 15, 4, 0), Before: at(3, 15, 4, 0)}, "2026-01-02 15:04 … 2026-01-03 15:04",
			"2026-01-02T15:04:00.000Z/2026-01-03T15:04:00.000Z"},
		{store.Window{Before: at(3, 15, 4, 0)}, "… 2026-01-03 15:04", "../2026-01-03T15:04:00.000Z"},
		{store.Window{After: at(3, 15, 4, 0)}, "2026-01-03 15:04 …", "2026-01-03T15:04:00.000Z/.."},
	} {
		if got := Window(test.window, nil); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
		if got := WindowCell(test.window).forPrograms(); got != test.exact {
			t.Errorf("got %q, want %q", got, test.exact)
		}
	}
}

func TestCellsInCSV(t *testing.T) {
	for got, want := range map[string]string{
		DurationCell(90 * time.Second).forPrograms(): "90",
		IntCell(int64(-5)).forPrograms():             "-5",
		TextCell("a").Exact("b").forPrograms():       "b",
		TextCell("a").Exact("b").forPeople(nil):      "a",
		TimeCell(noon).forPrograms():                 "2026-03-29T12:00:00.000Z",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for s, want := range map[string]string{
		"=1": "'=1", "+1": "'+1", "-1": "-1", "-1.5e-3": "-1.5e-3", "-1+1": "'-1+1", "@a": "'@a", "＝1": "'＝1", "＋": "'＋",
		"－1": "'－1", "＠": "'＠", " =1": "' =1", "\u3000=1": "'\u3000=1", "\t=1": `\t=1`, "\r": `\r`, "'=1": "''=1", "'a": "'a", "a=1": "a=1",
	} {
		if got := neutral(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestMarkdownText(t *testing.T) {
	for s, want := range map[string]string{
		"a|b\\|c":                `a\|b\\\|c`,
		"<b>&`*_[x](y)":          "&lt;b&gt;&amp;\\`\\*\\_\\[x\\](y)",
		"two\r\nlines\tand":      "two lines and",
		"http://e.x www.e.x":     `http\://e.x www\.e.x`,
		"@octocat a@b.example @": "@<!-- -->octocat a@b.example @",
		"\x1b[0m":                `\\x1b\[0m`,
	} {
		if got := markdownText(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
	for s, want := range map[string]string{"- a": `\- a`, "12. a": `12\. a`, "# a": `\# a`, "    a": "a", "12 accounts": "12 accounts"} {
		if got := markdownLine(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}
