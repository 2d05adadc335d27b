package lobstrtest

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// RateLimit is a budget of requests per window, for each API key of its own. A
// window begins with the first request after the one before has ended; refused
// requests cost nothing.
type RateLimit struct {
	Budget int           // requests per window; 0: a million, which no test uses up
	Window time.Duration // 0: a minute
	// Now is the clock that windows are measured by; nil: the simulated one.
	// Give time.Now (or the fake clock of a synctest bubble) to a client that
	// really waits.
	Now func() time.Time
}

// window is a stretch of time with what was used in it.
type window struct {
	ends time.Time
	used int
}

// SetRateLimit sets the limit, and begins a new window.
func (s *Server) SetRateLimit(limit RateLimit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit.Window = cmp.Or(limit.Window, time.Minute)
	limit.Budget = cmp.Or(limit.Budget, 1_000_000)
	s.rate, s.windows = limit, map[string]*window{}
}

// admit counts a request against the limit. When it is over the limit, admit
// answers it and reports false.
func (s *Server) admit(x *exchange) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.rate.now(x)
	w := s.windows[x.token]
	if w == nil || !now.Before(w.ends) {
		w = &window{ends: now.Add(s.rate.Window)}
		s.windows[x.token] = w
	}
	admitted := w.used < s.rate.Budget
	if admitted {
		w.used++
	}
	s.rate.describe(x.reply.header, w)
	if !admitted {
		s.rate.refuse(x, now, w)
	}
	return admitted
}

func (l RateLimit) now(x *exchange) time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return x.record.At
}

func (l RateLimit) describe(h http.Header, w *window) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(l.Budget))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(l.Budget-w.used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(secondUp(w.ends).Unix(), 10))
}

func (l RateLimit) refuse(x *exchange, now time.Time, w *window) {
	left := secondUp(w.ends).Sub(now)
	seconds := int((left + time.Second - 1) / time.Second)
	x.fail(http.StatusTooManyRequests, currentShape,
		fmt.Sprintf("Request was throttled. Expected available in %d seconds.", seconds))
	x.reply.header.Set("Retry-After", strconv.Itoa(seconds))
}

// secondUp rounds up to a whole second.
func secondUp(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); !whole.Equal(t) {
		return whole.Add(time.Second)
	}
	return t
}
