package notify

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestPingURL(t *testing.T) {
	for _, test := range [][3]string{
		{"https://hc-ping.com/uuid", "https://hc-ping.com/uuid", "https://hc-ping.com/uuid/fail"},
		{"https://hc-ping.com/uuid/", "https://hc-ping.com/uuid/", "https://hc-ping.com/uuid/fail"},
		{"http://127.0.0.1/p?a=1&b=%2F", "http://127.0.0.1/p?a=1&b=%2F", "http://127.0.0.1/p/fail?a=1&b=%2F"},
		{"https://example.com", "https://example.com", "https://example.com/fail"},
		{"https://example.com/a%2Fb", "https://example.com/a%2Fb", "https://example.com/a%2Fb/fail"},
	} {
		p, err := newPoster(Settings{URL: test[0]})
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{pingURL(p.url, true).String(), pingURL(p.url, false).String()}; got != [2]string(test[1:]) {
			t.Errorf("%s: %v", test[0], got)
		}
	}
}

func TestPingAllTellsOfEachRun(t *testing.T) {
	asked := make(chan string, 4)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked <- r.Method + " " + r.URL.String() }))
	defer server.Close()
	ping := func(url string) Sink {
		sink, err := New(Settings{Name: "hc", Type: Ping, URL: url, Timeout: hangTimeout})
		if err != nil {
			t.Fatal(err)
		}
		return sink
	}
	silent := talk(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	sinks := []Sink{webhookTo(t, server.URL, nil), ping("http://" + silent + "/" + urlToken), ping(server.URL + "/p?x=1")}
	for _, complete := range []bool{true, false} {
		errs := PingAll(t.Context(), sinks, complete)
		if len(errs) != 1 || errs[0].Error() != "sink hc: no answer in time" {
			t.Error(errs)
		}
	}
	if first, second := <-asked, <-asked; first != "GET /p?x=1" || second != "GET /p/fail?x=1" || len(asked) > 0 {
		t.Error(first, second, len(asked))
	}
	// It is told of a test, and of no alert.
	if err := sinks[2].Send(t.Context(), expiredBody()); err != nil || len(asked) > 0 {
		t.Error(err, len(asked))
	}
	if err := sinks[2].Send(t.Context(), TestBody("id", "acme", "hc", day)); err != nil || <-asked != "GET /p?x=1" {
		t.Error(err)
	}
}
