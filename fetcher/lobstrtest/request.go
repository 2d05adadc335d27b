package lobstrtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Route is a call of the API.
type Route string

// The routes of the API.
const (
	AnyRoute     Route = ""
	Detail       Route = "detail"        // GET /accounts/{hash}
	List         Route = "list"          // GET /accounts
	Squids       Route = "squids"        // GET /squids
	Types        Route = "account_types" // GET /account_types
	Me           Route = "me"            // GET /me
	UnknownRoute Route = "unknown"       // anything else, which a client must not ask for
)

// Request is the record of a request. It never holds the key.
type Request struct {
	Method, Path, Query string
	Route               Route
	Account             string    // of a detail call
	Page                int       // of a list; 1 when none was asked for
	At                  time.Time // the instant as of which it was evaluated
	Status              int       // as answered; 0: none was sent
	Authorized          bool      // it carried a key that is known
	Faults              []string  // the names of the faults that befell it
}

// routeOf says which call a request is.
func routeOf(r *http.Request) (route Route, account string) {
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	if !ok || r.Method != http.MethodGet {
		return UnknownRoute, ""
	}
	switch path {
	case "accounts":
		return List, ""
	case "squids":
		return Squids, ""
	case "account_types":
		return Types, ""
	case "me":
		return Me, ""
	}
	if id, ok := strings.CutPrefix(path, "accounts/"); ok && id != "" && !strings.Contains(id, "/") {
		return Detail, id
	}
	return UnknownRoute, ""
}

// Requests returns the records of all requests so far, in the order of their
// evaluation.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.requests)
	slices.SortStableFunc(all, func(a, b Request) int { return a.At.Compare(b.At) })
	return all
}

// Count counts the requests so far of a route, or all of them ([AnyRoute]).
func (s *Server) Count(route Route) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.requests {
		if route == AnyRoute || r.Route == route {
			n++
		}
	}
	return n
}

// ResetRequests forgets the records of requests.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

func (s *Server) record(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
}
