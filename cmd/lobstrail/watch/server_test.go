package watch

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/schedule"
	"github.com/lobstrail/lobstrail/store"
)

// served is a server of a health, with metrics that do what the test says.
func served(t *testing.T, metrics http.HandlerFunc) (address string, health *Health, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	health = NewHealth(schedule.NewClock(nil), &Pulse{})
	health.Expect([]Job{{"acme", quarter, 0}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Serve(ctx, listener, Handler(health, metrics), slog.New(slog.DiscardHandler))
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return listener.Addr().String(), health, stop
}

func ask(t *testing.T, method, url string) (status int, body string, header http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(raw), response.Header
}

func TestHealthIsServed(t *testing.T) {
	address, health, _ := served(t, nil)
	status, body, header := ask(t, "GET", "http://"+address+"/healthz")
	var r Report
	if err := json.Unmarshal([]byte(body), &r); err != nil || status != 503 || r.Status != Starting || r.Workspaces[0].FinishedAt != nil {
		t.Errorf("at the start: %d %s", status, body)
	}
	if header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", header)
	}
	health.Saw("acme", store.Run{ID: 3, Finished: time.Now()})
	if status, body, _ = ask(t, "GET", "http://"+address+"/healthz"); status != 200 || !strings.Contains(body, `"run":3`) {
		t.Errorf("fresh: %d %s", status, body)
	}
	if status, body, _ = ask(t, "HEAD", "http://"+address+"/healthz"); status != 200 || body != "" {
		t.Errorf("HEAD: %d %s", status, body)
	}
}

func TestServerRefusesAllButReading(t *testing.T) {
	address, _, _ := served(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("up 1\n")) })
	for method, want := range map[string]int{"POST": 405, "PUT": 405, "DELETE": 405, "OPTIONS": 405, "PATCH": 405, "GET": 200} {
		for _, path := range []string{"/healthz", "/metrics"} {
			status, _, header := ask(t, method, "http://"+address+path)
			if want == 200 && path == "/healthz" {
				want = 503
			}
			if status != want || want == 405 && header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d %v", method, path, status, header)
			}
			if want == 503 {
				want = 200
			}
		}
	}
	if status, _, _ := ask(t, "GET", "http://"+address+"/etc/passwd"); status != 404 {
		t.Errorf("another path: %d", status)
	}
}

func TestServerBoundsHeadersAndSlowClients(t *testing.T) {
	address, _, _ := served(t, nil)
	send := func(text string) string {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		io.WriteString(conn, text)
		line, _ := bufio.NewReader(conn).ReadString('\n')
		return line
	}
	if line := send("GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n"); !strings.Contains(line, "431") {
		t.Errorf("large headers: %q", line)
	}
	begun := time.Now()
	if line := send("GET /healthz HTTP/1.1\r\nHo"); strings.Contains(line, "200") || time.Since(begun) > 2*requestTimeout {
		t.Errorf("half a request: %q after %s", line, time.Since(begun))
	}
}

func TestServerEndsAlthoughAnAnswerHangs(t *testing.T) {
	begun := make(chan struct{})
	hang := make(chan struct{})
	defer close(hang)
	address, _, stop := served(t, func(http.ResponseWriter, *http.Request) {
		close(begun)
		<-hang
	})
	go http.Get("http://" + address + "/metrics")
	<-begun
	at := time.Now()
	stop()
	if took := time.Since(at); took > 3*closeTimeout {
		t.Errorf("the server took %s to end", took)
	}
}
