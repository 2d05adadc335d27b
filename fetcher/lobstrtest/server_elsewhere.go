package lobstrtest

import (
	"net"
	"net/http"
	"sync"
)

// Elsewhere is another origin, which no key must ever be sent to. It answers
// every request with an empty list.
type Elsewhere struct {
	// URL is its API base.
	URL string

	http *http.Server

	mu     sync.Mutex
	hits   int
	leaked int
}

// Elsewhere returns the server's other origin: the same host, another port. It
// begins to listen when it is first asked for, and ends with the server. In
// memory there is no other origin: its URL then leads nowhere.
func (s *Server) Elsewhere() *Elsewhere {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.elsewhere == nil {
		s.elsewhere = newElsewhere(s.pipe != nil)
	}
	return s.elsewhere
}

func newElsewhere(inMemory bool) *Elsewhere {
	e := &Elsewhere{URL: "http://elsewhere.invalid/v1"}
	e.http = &http.Server{Handler: e, ErrorLog: quiet}
	if inMemory {
		return e
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("lobstrtest: " + err.Error())
	}
	e.URL = "http://" + l.Addr().String() + "/v1"
	go e.http.Serve(l) // ends with http.ErrServerClosed, on Close
	return e
}

// ServeHTTP answers for the other origin.
func (e *Elsewhere) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hits++
	if r.Header.Get("Authorization") != "" {
		e.leaked++
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(listEnvelope("", "", 0, 1, 50, 0).append(nil)) // a client that hangs up is no concern
}

// Requests counts the requests that came to the other origin.
func (e *Elsewhere) Requests() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hits
}

// Leaks counts those that carried an Authorization header.
func (e *Elsewhere) Leaks() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.leaked
}
