package lobstrtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// DefaultToken is the API key of the world that a server begins with.
const DefaultToken = "demo-0123456789abcdef0123456789abcdef"

// Server serves worlds over real HTTP on the loopback interface. Each API key is one
// workspace. A request moves the simulated clock on, once before it is evaluated and
// once after: a client with the same clock sees sent < evaluated < received. No real
// time passes, except with faults that say so. All methods are safe for concurrent use.
type Server struct {
	// URL is the API base, such as "http://127.0.0.1:40123/v1".
	URL string

	clock    *Clock
	origin   string
	http     *http.Server
	listener net.Listener
	pipe     *pipeListener
	closing  chan struct{}
	once     sync.Once
	handlers sync.WaitGroup

	mu           sync.Mutex
	closed       bool
	rng          *rand.Rand
	worlds       map[string]*World // by API key
	before       Latency
	after        Latency
	defaultLimit int
	maxLimit     int
	rate         RateLimit
	windows      map[string]*window // by API key
	rules        []*Rule
	requests     []Request
	elsewhere    *Elsewhere
}

// Latency is a range of simulated time, at least a microsecond.
type Latency struct{ Min, Max time.Duration }

// TB is what [New] needs of a *testing.T.
type TB interface {
	Helper()
	Cleanup(func())
}

// New serves the world under [DefaultToken] until the test ends. It panics when
// there is no port to listen on.
func New(t TB, w *World) *Server {
	t.Helper()
	s, err := Listen(w)
	if err != nil {
		panic("lobstrtest: " + err.Error())
	}
	t.Cleanup(s.Close)
	return s
}

// Listen serves the world under [DefaultToken] on a free port of the loopback
// interface, until Close.
func Listen(w *World) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := newServer(w, l)
	s.origin = "http://" + l.Addr().String()
	s.start()
	return s, nil
}

// NewInMemory serves the world under [DefaultToken] without a network, until the test
// ends. Only a client that uses [Server.Transport] reaches it. It works in a
// testing/synctest bubble, where a real connection would stop the bubble's time.
func NewInMemory(t TB, w *World) *Server {
	t.Helper()
	l := newPipeListener()
	s := newServer(w, l)
	s.pipe, s.origin = l, "http://localhost:1" // a loopback host: clients refuse to send keys to others in the clear
	s.start()
	t.Cleanup(s.Close)
	return s
}

func newServer(w *World, l net.Listener) *Server {
	s := &Server{
		clock: w.clock, listener: l, closing: make(chan struct{}),
		rng:          rand.New(rand.NewPCG(1, 2)),
		worlds:       map[string]*World{DefaultToken: w},
		before:       Latency{20 * time.Millisecond, 180 * time.Millisecond},
		after:        Latency{5 * time.Millisecond, 60 * time.Millisecond},
		defaultLimit: 10, maxLimit: 100,
	}
	s.SetRateLimit(RateLimit{})
	s.http = &http.Server{Handler: s, ErrorLog: quiet}
	return s
}

func (s *Server) start() {
	s.URL = s.origin + "/v1"
	go s.http.Serve(s.listener) // ends with http.ErrServerClosed, on Close
}

// Close ends the server and everything under way, and waits for it.
func (s *Server) Close() {
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true // no handler begins from here on
		elsewhere := s.elsewhere
		s.mu.Unlock()
		close(s.closing)
		s.http.Close() // the listener's error means nothing any more
		s.handlers.Wait()
		if elsewhere != nil {
			elsewhere.http.Close()
		}
	})
}

// AddWorkspace serves another world, or the same one, under another API key. It
// panics when the world has another clock.
func (s *Server) AddWorkspace(token string, w *World) {
	if w.clock != s.clock {
		panic("lobstrtest: the worlds of a server must share one clock")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worlds[token] = w
}

// Revoke makes an API key unknown from now on, as when it is rotated.
func (s *Server) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.worlds, token)
}

// Seed starts the server's random numbers (latencies, chances) anew.
func (s *Server) Seed(seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rng = rand.New(rand.NewPCG(seed, 2))
}

// SetLatency sets how far the clock moves on before and after a request is
// evaluated. By default 20 to 180 ms and 5 to 60 ms.
func (s *Server) SetLatency(before, after Latency) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.after = before, after
}

// SetPageLimits sets how many entries a page has if the request does not say, and the
// largest limit that a request can have. By default 10 and 100.
func (s *Server) SetPageLimits(byDefault, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.defaultLimit, s.maxLimit = byDefault, most
}

// enter counts a handler in; it reports false when the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.handlers.Add(1)
	}
	return !s.closed
}

// pass moves the clock on by a latency.
func (s *Server) pass(which *Latency) time.Time {
	s.mu.Lock()
	d := which.Min
	if spread := which.Max - which.Min; spread > 0 {
		d += time.Duration(s.rng.Int64N(int64(spread)))
	}
	s.mu.Unlock()
	return s.clock.Advance(max(d, time.Microsecond))
}
