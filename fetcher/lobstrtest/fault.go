package lobstrtest

import (
	"slices"
	"sync/atomic"
)

// Fault is something that goes wrong with an answer. Make one with the
// functions of this package; [AllFaults] lists one of each sort.
type Fault struct {
	Name   string
	Note   string  // what a right client makes of it
	On     []Route // the calls that it is meant for; nil: any
	Expect Expect
	// Pages is how many pages the list must have for the fault to matter.
	Pages int

	apply func(x *exchange)
}

// Expect says what a right client records about a fault that befalls every
// request of the calls it is meant for.
type Expect struct {
	// Failure is "none", or the kind of the failure: "http", "network",
	// "decode", "not_found", "auth", "rate_limit" or "mismatch".
	Failure string
	// Also are other kinds that would be right.
	Also []string
	// ListIncomplete says that a list that it befell must not be taken for
	// whole: nothing is concluded about what it did not show. True for all
	// faults that cost a page.
	ListIncomplete bool
	// PartKept says that the answer's other accounts are right and kept.
	PartKept bool
	// Retried says that a right client tries again: a fault that happens once
	// then leaves no failure.
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

// When says which requests a fault befalls. The zero value is all of them. Only
// requests with a known key and within the rate limit count.
type When struct {
	Route   Route
	Account string  // of a detail call
	Path    string  // such as "/v1/accounts"
	Page    int     // of a list
	Skip    int     // so many matching requests go well first
	Times   int     // at most so many are befallen; 0: no end
	Chance  float64 // of each, by the server's random numbers; 0 and 1: certain
}

// Rule is a fault in force.
type Rule struct {
	fault Fault
	when  When
	seen  int // guarded by the server
	hits  atomic.Int64
}

// Hits counts the requests that it befell.
func (r *Rule) Hits() int { return int(r.hits.Load()) }

// Inject puts a fault in force. Several that befall one request are applied one
// after the other.
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

// Unspent names the faults in force that befell fewer requests than scripted
// (or none at all, where no number was).
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

// befall applies the faults that the request meets.
func (s *Server) befall(x *exchange) {
	for _, r := range s.met(x) {
		x.record.Faults = append(x.record.Faults, r.fault.Name)
		r.fault.apply(x)
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
