package fetcher

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzHeaders: whatever the headers say, no wait is negative or endless, no budget
// is negative, and the server's clock is an instant that a store can keep.
func FuzzHeaders(f *testing.F) {
	for _, value := range []string{
		"", "1", "0", "-5", "soon", "1.5", "86400", "99999999999999999999999", "1e9", "NaN", " 7 ", "Mon, 23 Nov 2026 12:00:00 GMT",
		"Monday, 23-Nov-26 12:00:00 GMT", "Mon Nov 23 12:00:00 2026", "Fri, 31 Dec 9999 23:59:59 GMT", "1795442400",
		"-9223372036854775808", "9223372036854775807",
	} {
		f.Add(value, value, value, value, int64(1795442400))
		f.Add(value, "1795442460", "17", "Mon, 23 Nov 2026 12:00:00 GMT", int64(1795442400))
	}
	f.Fuzz(func(t *testing.T, retry, reset, left, date string, unix int64) {
		if unix < 0 || unix > 253402300799 { // the year 9999
			t.Skip()
		}
		now, h := time.Unix(unix, 0), http.Header{}
		h.Set("Retry-After", retry)
		h.Set("X-RateLimit-Reset", reset)
		h.Set("X-RateLimit-Remaining", left)
		h.Set("Date", date)
		if wait := parseRetryAfter(h, now); wait < 0 || wait > longest {
			t.Fatalf("Retry-After %q is a wait of %s", retry, wait)
		}
		if q, ok := parseQuota(h, now); ok && (q.left < 0 || q.in <= -time.Second || q.in > longest) {
			t.Fatalf("%q and %q are %+v", reset, left, q)
		}
		if clock := serverClock(h); !clock.IsZero() && (clock.Year() < 0 || clock.Year() > 9999) {
			t.Fatalf("Date %q is %s", date, clock)
		}
	})
}

// FuzzErrorBody: what is made of the body of an error is text of a bounded length,
// and holds no key.
func FuzzErrorBody(f *testing.F) {
	for _, body := range []string{
		fixture(f, "errors.json"), `{"errors":{"message":"KEY","type":"t","code":429}}`, `{"detail":"KEY"}`, `{"error":"x KEY","type":"KEY"}`,
		`{"errors":[{"message":"KEY"},"KEY",[]]}`, `{"message":{"detail":"KEY"}}`, "<html><h1>502</h1>KEY</html>", "KEY", "\x00\xff\u202eKEY", "[]", "",
	} {
		f.Add(502, []byte(body))
	}
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		got := newStatusError(code, secrets(body), newSecret(plainKey))
		mustNotHold(t, got.Error()+got.Message+got.Type)
		if text := got.Error(); len(text) > maxErrorBytes || !utf8.ValidString(text) {
			t.Fatalf("%d bytes: %.200q", len(text), text)
		}
	})
}

// FuzzNext: a link that is followed stays at the origin, whatever it is spelled like.
func FuzzNext(f *testing.F) {
	for _, next := range []string{
		"https://api.lobstr.io/v1/accounts?page=2", "/v1/accounts?page=2", "?page=2", "//evil.example/v1", "https://api.lobstr.io@evil.example/",
		"https://api.lobstr.io.evil.example/", "http://api.lobstr.io/v1", "https://api.lobstr.io:444/", "HTTPS://API.LOBSTR.IO/v1/x",
		"javascript:alert(1)", "\\\\evil.example\\", "https:///x", "https://api.lobstr.io%2f@evil.example", "", " ", "%zz", "https://user:KEY@api.lobstr.io/",
	} {
		f.Add(next)
	}
	from, err := url.Parse("https://api.lobstr.io/v1/accounts?page=1&limit=100")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		to, err := follow(from, next)
		if err != nil {
			return
		}
		if to.Scheme != "https" || !strings.EqualFold(to.Hostname(), "api.lobstr.io") || to.Port() != "" && to.Port() != "443" || to.User != nil {
			t.Fatalf("%q leads to %s", next, to)
		}
	})
}
