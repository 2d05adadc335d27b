package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/report/alert"
)

// The secrets of the sinks in these tests.
const (
	urlToken   = "canary-url-token"
	queryToken = "canary-query-token"
	hmacSecret = "canary-hmac-secret"
)

// webhookTo makes a sink with secrets for a server.
func webhookTo(t *testing.T, base string, change func(*Settings)) Sink {
	t.Helper()
	s := Settings{Name: "ops", Type: Webhook, URL: base + "/hook/" + urlToken + "?key=" + queryToken, Secret: hmacSecret}
	if change != nil {
		change(&s)
	}
	sink, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return sink
}

// send sends a message, and checks that this took no longer than the time-out and that
// the error holds no secret, however it is printed.
func send(t *testing.T, sink Sink) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), sink.Timeout())
	defer cancel()
	began := time.Now()
	err := sink.Send(ctx, expiredBody())
	if took := time.Since(began); took > sink.Timeout()+2*time.Second {
		t.Errorf("it took %v, with a time-out of %v", took, sink.Timeout())
	}
	for _, text := range []string{fmt.Sprintf("%v|%+v|%#v|%q", err, err, err, err), fmt.Sprint(errors.Unwrap(err))} {
		if strings.Contains(text, "canary") {
			t.Errorf("a secret is in %s", text)
		}
	}
	return err
}

func TestWebhookPostsTheBodySigned(t *testing.T) {
	var request *http.Request
	var raw []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request = r
		raw, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	if err := send(t, webhookTo(t, server.URL, func(s *Settings) { s.Agent = "lobstrail/v1" })); err != nil {
		t.Fatal(err)
	}
	if request.Method != "POST" || request.URL.Path != "/hook/"+urlToken || request.URL.Query().Get("key") != queryToken {
		t.Errorf("%s %s", request.Method, request.URL)
	}
	for name, want := range map[string]string{
		"Idempotency-Key": expiredBody().ID, "Content-Type": "application/json", "User-Agent": "lobstrail/v1",
	} {
		if got := request.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var got alert.Body
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(expiredBody(), got); diff != "" {
		t.Error(diff)
	}
	// As a receiver in another language checks it.
	var unix int64
	var signature string
	if _, err := fmt.Sscanf(request.Header.Get("Lobstrail-Signature"), "t=%d,v1=%s", &unix, &signature); err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(hmacSecret))
	fmt.Fprintf(mac, "%d.%s", unix, raw)
	if want := hex.EncodeToString(mac.Sum(nil)); signature != want || time.Since(time.Unix(unix, 0)).Abs() > time.Minute {
		t.Errorf("signature %s at %d, want %s", signature, unix, want)
	}
}

// printf '1795767300.{"version":1}' | openssl dgst -sha256 -hmac secret
func TestSignIsWhatOpenSSLSays(t *testing.T) {
	const want = "t=1795767300,v1=477959cdfe12a1ce3b546526cf3271e8a1400e56ad760dc7a1664aed360834ae"
	if got := Sign("secret", day, []byte(`{"version":1}`)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestWebhookWithoutSecretIsNotSigned(t *testing.T) {
	var header http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { header = r.Header }))
	defer server.Close()
	if err := send(t, webhookTo(t, server.URL, func(s *Settings) { s.Secret = "" })); err != nil {
		t.Fatal(err)
	}
	if _, signed := header["Lobstrail-Signature"]; signed || header.Get("User-Agent") != "lobstrail" {
		t.Error(header)
	}
}

// What lists are empty is [] and not null, whoever made the body.
func TestWebhookListsAreNeverNull(t *testing.T) {
	for _, body := range []alert.Body{{}, {Items: []alert.Item{{}}}} {
		if raw, err := marshal(body); err != nil || strings.Contains(string(raw), `s":null`) {
			t.Errorf("%s, %v", raw, err)
		}
	}
}

// TestSinkFailures has servers that do what servers should not.
func TestSinkFailures(t *testing.T) {
	answer := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			fmt.Fprint(w, "Cannot POST ", r.URL)
		}
	}
	for name, test := range map[string]struct {
		handler  http.HandlerFunc
		want     string // of the error; "" for none
		rejected bool
		after    time.Duration
	}{
		"200":                {answer(200), "", false, 0},
		"201":                {answer(201), "", false, 0},
		"299":                {answer(299), "", false, 0},
		"500 repeats itself": {answer(500), "answered 500 Internal Server Error", false, 0},
		"404":                {answer(404), "answered 404 Not Found", false, 0},
		"400":                {answer(400), "answered 400 Bad Request", true, 0},
		"413":                {answer(413), "answered 413 Request Entity Too Large", true, 0},
		"429 in seconds":     {answer(429, "Retry-After", "120"), "answered 429 Too Many Requests", false, 2 * time.Minute},
		"429 until a date": {func(w http.ResponseWriter, r *http.Request) {
			answer(429, "Retry-After", time.Now().Add(2*time.Minute).UTC().Format(http.TimeFormat))(w, r)
		}, "answered 429 Too Many Requests", false, 2 * time.Minute},
		"503 with a pause": {answer(503, "Retry-After", "7"), "answered 503 Service Unavailable", false, 7 * time.Second},
		"a redirect":       {answer(302, "Location", "/elsewhere"), "answered 302 Found, a redirect, which is not followed: give the URL that it leads to", false, 0},
		"hangs": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, "no answer in time", false, 0},
		"drops": {func(w http.ResponseWriter, r *http.Request) {
			panic(http.ErrAbortHandler)
		}, "the connection was closed before the answer", false, 0},
		"endless 200": {func(w http.ResponseWriter, r *http.Request) { flood(w, "all is well ") }, "", false, 0},
		"endless 500": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			flood(w, "nothing is well ")
		}, "answered 500 Internal Server Error", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				test.handler(w, r)
			}))
			defer server.Close()
			sink := webhookTo(t, server.URL, func(s *Settings) { s.Timeout = hangTimeout })
			err := send(t, sink)
			if text := fmt.Sprint(err); err == nil && test.want != "" || err != nil && text != test.want {
				t.Errorf("%v, want %q", err, test.want)
			}
			if _, rejected := errors.AsType[*RejectedError](err); rejected != test.rejected {
				t.Errorf("rejected: %v", rejected)
			}
			retry, asked := errors.AsType[*RetryError](err)
			if asked != (test.after > 0) || asked && (retry.After-test.after).Abs() > 2*time.Second {
				t.Errorf("asked for a pause: %v, %+v", asked, retry)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestSinkFailuresBelowHTTP has servers that do not speak HTTP as they should.
func TestSinkFailuresBelowHTTP(t *testing.T) {
	refusing := talk(t, func(net.Conn) {})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	stranger := httptest.NewUnstartedServer(nil)
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0)
	stranger.StartTLS() // its certificate is signed by an authority that nobody here knows
	defer stranger.Close()
	for name, test := range map[string]struct{ url, want string }{
		"nobody there":   {"http://" + closed, "connection refused"},
		"closes at once": {"http://" + refusing, "the connection was closed before the answer"},
		"no HTTP":        {"http://" + talk(t, func(c net.Conn) { fmt.Fprint(c, "220 smtp.example.com\r\n") }), "the connection failed, or the answer was not understood"},
		"endless header": {"http://" + talk(t, func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\n")
			flood(c, "X-More: and more\r\n")
		}), "the connection failed, or the answer was not understood"},
		"endless line":           {"http://" + talk(t, func(c net.Conn) { flood(c, "HTTP/1.1 200 OK and more ") }), "the connection failed, or the answer was not understood"},
		"silence":                {"http://" + talk(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), "no answer in time"},
		"silence before TLS":     {"https://" + talk(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), "no answer in time"},
		"no TLS":                 {"https://" + talk(t, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n") }), "the server does not speak TLS"},
		"unknown authority":      {stranger.URL, "the certificate of the server is signed by an unknown authority"},
		"name that is not there": {"http://no-such-name.invalid", "the name of the server"},
	} {
		t.Run(name, func(t *testing.T) {
			err := send(t, webhookTo(t, test.url, func(s *Settings) { s.Timeout = hangTimeout }))
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestSinkTrustsTheAuthoritiesOfTheSystem(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	server.StartTLS()
	defer server.Close()
	if err := send(t, webhookTo(t, server.URL, nil)); err != nil {
		t.Error(err)
	}
}

// Of an endless answer only the beginning is read.
func TestSinkReadsTheBeginningOfAnAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		flood(w, "nothing is well ")
	}))
	defer server.Close()
	began := time.Now()
	err := send(t, webhookTo(t, server.URL, func(s *Settings) { s.Timeout = 3 * time.Second }))
	if took := time.Since(began); err == nil || took > 2*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestSinkStopsWhenItIsInterrupted(t *testing.T) {
	address := talk(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := webhookTo(t, "http://"+address, nil).Send(ctx, expiredBody()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The proxy of the environment is used where every address is allowed, and nowhere else: it
// would connect to whatever the name leads to.
func TestProxyOfTheEnvironment(t *testing.T) {
	if os.Getenv("NOTIFY_TEST_PROXY") == "" {
		runAgain(t, "NOTIFY_TEST_PROXY=1", "HTTP_PROXY=http://proxy-user:canary-proxy@127.0.0.1:1", "HTTPS_PROXY=http://127.0.0.1:1", "NO_PROXY=")
		return
	}
	err := send(t, webhookTo(t, "http://no-such-name.invalid", nil))
	if err == nil || !strings.HasPrefix(err.Error(), "the name of the server") || !strings.Contains(err.Error(), "the proxy of the environment was not used: allow_private = true uses it") {
		t.Error(err)
	}
	err = send(t, webhookTo(t, "http://no-such-name.invalid", func(s *Settings) { s.AllowPrivate = true }))
	if err == nil || err.Error() != "connection refused" { // by the proxy
		t.Error(err)
	}
}
