package main

import (
	"strings"
	"testing"
	"time"
)

// FuzzParseTime: an instant that is understood is no later than now, in UTC and
// whole milliseconds, and is understood again when it is written as RFC 3339.
func FuzzParseTime(f *testing.F) {
	for _, text := range []string{
		"now", "90m", "36h", "7d", "2w", "0s", "999999w", "2026-11-23", "2026-11-23T14:00", "2026-11-23 14:00:05",
		"2026-11-23T14:00:00Z", "2026-11-23t14:00:00.123456789+05:30", "1970-01-01", "1969-12-31T23:59:59Z", "2999-01-01",
		"0001-01-01", "", "-1h", "1.5h", "2026-02-30", "2026-10-25 02:30", "9999-12-31T23:59:59-23:59",
	} {
		f.Add(text, int64(1795442400000), "Europe/Berlin")
		f.Add(text, int64(1792893600000), "Asia/Kathmandu")
	}
	f.Fuzz(func(t *testing.T, text string, nowMS int64, zoneName string) {
		zone, err := time.LoadLocation(zoneName)
		if err != nil || zoneName == "Local" || nowMS < 0 || nowMS > 4e12 {
			t.Skip()
		}
		now := time.UnixMilli(nowMS).In(zone)
		got, err := parseTime(text, now, zone)
		if err != nil {
			if exitCode(err) != exitUsage {
				t.Fatalf("%q: %v is not wrong usage", text, err)
			}
			return
		}
		if got.After(now) || got.Year() < 1970 {
			t.Fatalf("%q is %v, now is %v", text, got, now)
		}
		if got.Location() != time.UTC || got.Nanosecond()%1e6 != 0 {
			t.Fatalf("%q is %v: not UTC in milliseconds", text, got)
		}
		again, err := parseTime(got.Format(time.RFC3339Nano), now, time.UTC)
		if err != nil || !again.Equal(got) {
			t.Fatalf("%q is %v, which is %v (%v)", text, got, again, err)
		}
	})
}

// FuzzVendorConfig: no bytes make it panic, and no error repeats what it read.
func FuzzVendorConfig(f *testing.F) {
	const secret = "s3cr3tK3yCanary"
	for _, text := range []string{
		"", "[auth]\ntoken = \"KEY\"\n[aliases]\nmain = \"d3e97f2cd33658f301bdbe807402ab30\"\n", "[auth]\ntoken = KEY",
		"[auth]\ntoken = \"KEY", "token = 'KEY'\n[auth", "[auth]\ntoken = [\"KEY\"]", "[auth.KEY]\nx = 1", "auth = \"KEY\"",
		"[aliases]\n\"KEY\" = 1", "[auth]\ntoken = \"KEY\"\ntoken = \"KEY\"", "\xff\xfeKEY", "KEY = 2026-99-99",
		"[auth]\ntoken = 0xKEY", "[auth]\ntoken = \"\\uKEY\"", "[[auth]]\ntoken = \"KEY\"", "[auth]\n'KEY' = {a = }",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw := strings.ReplaceAll(text, "KEY", secret)
		config, err := parseVendorConfig([]byte(raw))
		if err == nil {
			return
		}
		if strings.Contains(err.Error(), secret) {
			t.Fatalf("the error repeats the key: %v", err)
		}
		if config.Auth.Token != "" || len(config.Aliases) != 0 {
			t.Fatalf("an error, and half of a configuration: %+v", config)
		}
	})
}

// FuzzReferences: names that are read from a file are its lines, trimmed, without
// blank ones and comments, in their order.
func FuzzReferences(f *testing.F) {
	for _, text := range []string{
		"", "ada\nben\n", "# all\n\n  ada  \n#ben", "\ufeffada\r\nben\r\n", "a\x00b\n\xff\n", "@main\nd3e97f2cd33658f301bdbe807402ab30", "\u2028ada\u00a0",
		strings.Repeat("x", 70_000) + "\nada\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readReferences(strings.NewReader(text))
		if err != nil {
			return // a line that is too long
		}
		rest := text
		for _, name := range got {
			if name == "" || strings.TrimSpace(name) != name || strings.HasPrefix(name, "#") || strings.Contains(name, "\n") {
				t.Fatalf("%q names %q", text, name)
			}
			_, after, found := strings.Cut(rest, name)
			if !found {
				t.Fatalf("%q names %q, not in this order", text, got)
			}
			rest = after
		}
	})
}
