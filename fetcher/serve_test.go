package fetcher

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// canary is the API key of the tests: it must never come out anywhere.
const canary = "k3y-CANARY+/=<&\"0123456789"

const (
	accountA = "6e5f36d27502ec69fda745ec59ead509"
	accountB = "abfeb440ceccdfab974e8d261836c9d6"
	accountC = "2372242060b59e03ac39f7691765bbf8"
	detailID = "d3e97f2cd33658f301bdbe807402ab30"
)

// pipes is a network inside the process: net.Pipe connections, which a synctest
// bubble can see through.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inBubble runs fn in a bubble of false time with a client of a server that
// answers by handler.
func inBubble(t *testing.T, handler http.HandlerFunc, config Config, fn func(t *testing.T, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := newPipes()
		server := &http.Server{Handler: handler}
		go server.Serve(network)
		transport := &http.Transport{DialContext: network.dial, MaxIdleConnsPerHost: 16}
		config.Transport = transport
		// Deferred, so that a test that ends early reports why: a bubble must not be
		// left with goroutines in it.
		defer func() {
			transport.CloseIdleConnections()
			server.Close()
			synctest.Wait()
		}()
		fn(t, newTestClient(t, config))
	})
}

func newTestClient(t *testing.T, config Config) *Client {
	t.Helper()
	if config.Token == "" {
		config.Token = canary
	}
	if config.BaseURL == "" {
		config.BaseURL = "http://127.0.0.1/v1"
	}
	config.UserAgent = "lobstrail-test"
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func fixture(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// reply is a scripted answer.
type reply struct {
	code   int
	header map[string]string
	body   string
	hang   time.Duration
	// cutAt promises the whole body and breaks the connection after this many
	// bytes; 0 sends it whole.
	cutAt int
}

// script answers request after request; the last reply is repeated.
func script(replies ...reply) http.HandlerFunc {
	var mu sync.Mutex
	next := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now := replies[min(next, len(replies)-1)]
		next++
		mu.Unlock()
		now.write(w, r)
	}
}

func (a reply) write(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(a.hang):
	case <-r.Context().Done():
		return
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	if a.cutAt > 0 {
		w.Header().Set("Content-Length", fmt.Sprint(len(a.body)))
		w.WriteHeader(a.code)
		fmt.Fprint(w, a.body[:a.cutAt])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(a.code)
	fmt.Fprint(w, a.body)
}

func ok(body string) reply { return reply{code: 200, body: body} }

// mustNotLeak fails when text holds the key.
func mustNotLeak(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(text, canary) || strings.Contains(text, "CANARY") {
		t.Errorf("the API key leaks: %s", text)
	}
}
