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
	AnyRoute     Route = ""              // in When and Count: all of them
	Detail       Route = "detail"        // GET /accounts/{hash}
	List         Route = "list"          // GET /accounts
	Sync         Route = "sync"          // POST /accounts/cookies
	SyncStatus   Route = "sync_status"   // GET /synchronize/{id}
	Types        Route = "account_types" // GET /account_types
	Squids       Route = "squids"        // GET /squids
	SquidDetail  Route = "squid"         // GET /squids/{hash}
	SquidChain   Route = "chain"         // GET /squids/{hash}/chain
	Runs         Route = "runs"          // GET /runs?squid={hash}
	RunDetail    Route = "run"           // GET /runs/{hash}
	Crawlers     Route = "crawlers"      // GET /crawlers and /crawlers/{hash}
	Me           Route = "me"            // GET /me
	Balance      Route = "balance"       // GET /user/balance
	UnknownRoute Route = "unknown"       // anything else, which a client must not ask for
)

// endpoint is a call of the API and how it is answered.
type endpoint struct {
	pattern string // method and path below the API base; "*" stands for one id
	route   Route
	answer  func(x *exchange, id string)
}

var endpoints = []endpoint{
	{"GET accounts", List, (*exchange).accounts},
	{"POST accounts/cookies", Sync, (*exchange).sync},
	{"GET accounts/*", Detail, (*exchange).account},
	{"GET synchronize/*", SyncStatus, (*exchange).syncStatus},
	{"GET account_types", Types, (*exchange).accountTypes},
	{"GET squids", Squids, (*exchange).squids},
	{"GET squids/*", SquidDetail, (*exchange).squid},
	{"GET squids/*/chain", SquidChain, (*exchange).chain},
	{"GET runs", Runs, (*exchange).runs},
	{"GET runs/*", RunDetail, (*exchange).run},
	{"GET crawlers", Crawlers, (*exchange).crawlers},
	{"GET crawlers/*", Crawlers, (*exchange).crawler},
	{"GET me", Me, (*exchange).me},
	{"GET user/balance", Balance, (*exchange).balance},
}

// endpointOf finds the call that a request is, and the id in its path.
func endpointOf(r *http.Request) (e endpoint, id string) {
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	call := r.Method + " " + path
	for _, e := range endpoints {
		before, after, hasID := strings.Cut(e.pattern, "*")
		rest, fits := strings.CutPrefix(call, before)
		id, ends := strings.CutSuffix(rest, after)
		if ok && fits && ends && hasID == (id != "") && !strings.Contains(id, "/") {
			return e, id
		}
	}
	return endpoint{route: UnknownRoute, answer: (*exchange).unknown}, ""
}

// Request is the record of a request. It never holds the key.
type Request struct {
	Method, Path, Query string
	Route               Route
	Account             string    // of a detail call
	Page                int       // of a list; 1 when none was asked for
	At                  time.Time // the answer shows the world at this instant
	Status              int       // of the answer
	Authorized          bool      // it carried a known key
	Faults              []string  // the names of the faults that happened to it
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
