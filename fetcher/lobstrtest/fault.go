package lobstrtest

import (
	"slices"
	"sync/atomic"
)

// Fault is something that goes wrong with an answer. [AllFaults] has one of each
// sort; others can be made by their name and what they do:
//
//	lobstrtest.Fault{Name: "maintenance", Do: lobstrtest.Answers(503, "text/html", "Back soon.")}
type Fault struct {
	Name   string
	Note   string  // why a right client records what Expect says
	On     []Route // the calls that it is meant for; nil: any
	Expect Expect
	Do     Effect
}

// Expect says what a right client records if the fault happens to every request of
// the calls it is meant for.
type Expect struct {
	// Failure is the kind of failure it must cause: "http", "network", "decode",
	// "not_found", "auth", "rate_limit", "mismatch", or "none".
	Failure string
	// Also are other kinds that would be right.
	Also []string
	// ListIncomplete says that the list must not be taken for complete: a client
	// concludes nothing about accounts that it did not show.
	ListIncomplete bool
	// PartKept says that the answer's other accounts are right and are kept.
	PartKept bool
	// Retried says that a right client tries again: a fault that happens once
	// leaves no failure.
	Retried bool
	// Stops says that a right client gives up the whole batch at once.
	Stops bool
	// Secret is a text that must reach neither store nor output. EchoesToken
	// says that the key itself is such a text.
	Secret      string
	EchoesToken bool
}

// Accepts reports whether a failure of this kind ("none": no failure) is right.
func (e Expect) Accepts(kind string) bool {
	return kind == e.Failure || slices.Contains(e.Also, kind)
}

// When says which requests a fault happens to. The zero value is all of them. Only
// requests with a known key and within the rate limit count.
type When struct {
	Route   Route
	Account string  // of a detail call
	Path    string  // such as "/v1/accounts"
	Page    int     // of a list
	Skip    int     // this many matching requests go well first
	Times   int     // it happens at most this often; 0: no limit
	Chance  float64 // of each request, by the server's random numbers; 0 and 1: certain
}

// Rule is a fault in force.
type Rule struct {
	fault Fault
	when  When
	seen  int // guarded by the server
	hits  atomic.Int64
}

// Hits returns how often the fault has happened.
func (r *Rule) Hits() int { return int(r.hits.Load()) }

// Inject puts a fault in force. Several faults that happen to one request are
// applied in the order in which they were injected.
func (s *Server) Inject(f Fault, when When) *Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &Rule{fault: f, when: when}
	s.rules = append(s.rules, r)
	return r
}

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// Unspent names the faults in force that have happened less often than When.Times,
// or not even once.
func (s *Server) Unspent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, r := range s.rules {
		if r.Hits() < max(1, r.when.Times) {
			names = append(names, r.fault.Name)
		}
	}
	return names
}

// applyFaults applies the faults that happen to the request.
func (s *Server) applyFaults(x *exchange) {
	for _, r := range s.met(x) {
		x.record.Faults = append(x.record.Faults, r.fault.Name)
		r.fault.Do(x)
	}
}

func (s *Server) met(x *exchange) []*Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	var met []*Rule
	for _, r := range s.rules {
		if !r.when.fits(x) || len(r.fault.On) > 0 && !slices.Contains(r.fault.On, x.record.Route) {
			continue
		}
		r.seen++
		spent := r.when.Times > 0 && r.Hits() >= r.when.Times
		lucky := r.when.Chance > 0 && r.when.Chance < 1 && s.rng.Float64() >= r.when.Chance
		if r.seen > r.when.Skip && !spent && !lucky {
			r.hits.Add(1)
			met = append(met, r)
		}
	}
	return met
}

func (w When) fits(x *exchange) bool {
	return (w.Route == AnyRoute || w.Route == x.record.Route) &&
		(w.Account == "" || w.Account == x.record.Account) &&
		(w.Path == "" || w.Path == x.record.Path) &&
		(w.Page == 0 || w.Page == x.record.Page)
}
