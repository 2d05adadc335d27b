package fetcher

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// windowed is a server with a budget for each window of a minute.
type windowed struct {
	limit   int
	aligned bool                  // windows begin with the minute, else with the first request
	round   func(time.Time) int64 // how the reset is told
	skew    time.Duration         // its clock minus ours
	noDate  bool
	delay   func() time.Duration // between counting and answering
	answers http.Handler         // what is within the budget; nil: with nothing

	mu      sync.Mutex
	ends    time.Time
	used    int
	served  int
	refused int
}

func roundDown(at time.Time) int64 { return at.Unix() }

func roundUp(at time.Time) int64 { return at.Add(time.Second - 1).Unix() }

func (s *windowed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refused, left, ends := s.count(time.Now())
	time.Sleep(s.delay())
	h := w.Header()
	h.Set("X-RateLimit-Limit", fmt.Sprint(s.limit))
	h.Set("X-RateLimit-Remaining", fmt.Sprint(left))
	h.Set("X-RateLimit-Reset", fmt.Sprint(s.round(ends.Add(s.skew))))
	h.Set("Date", time.Now().Add(s.skew).UTC().Format(http.TimeFormat))
	if s.noDate {
		h["Date"] = nil
	}
	if refused {
		s.mu.Lock()
		s.refused++
		s.mu.Unlock()
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	if s.answers != nil {
		s.answers.ServeHTTP(w, r)
		return
	}
	fmt.Fprint(w, `{}`)
}

func (s *windowed) count(now time.Time) (refused bool, left int, ends time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !now.Before(s.ends) {
		s.used, s.ends = 0, now.Add(time.Minute)
		if s.aligned {
			s.ends = now.Truncate(time.Minute).Add(time.Minute)
		}
	}
	if s.used == s.limit {
		return true, 0, s.ends
	}
	s.used++
	s.served++
	return false, s.limit - s.used, s.ends
}

// TestABudgetIsUsedUpAndNeverOverdrawn is the bar: at least 95 % of what the
// server allows, and not one 429.
func TestABudgetIsUsedUpAndNeverOverdrawn(t *testing.T) {
	limits := map[int]int{30: 10, 120: 10, 600: 4, 3000: 2}
	if testing.Short() { // each request takes long under the race detector
		limits = map[int]int{30: 4, 600: 2}
	}
	for limit, windows := range limits {
		for _, concurrent := range []int{1, 4} {
			for name, server := range servers(concurrent) {
				t.Run(fmt.Sprintf("%d a minute, %d at a time, %s", limit, concurrent, name), func(t *testing.T) {
					server.limit = limit
					inBubble(t, server.ServeHTTP, Config{}, func(t *testing.T, c *Client) {
						time.Sleep(123456789 * time.Nanosecond) // not on a whole second
						start := time.Now()
						send(t, c, limit*windows+1, concurrent)
						usage := float64(time.Duration(windows)*time.Minute) / float64(time.Since(start))
						if server.refused > 0 || usage < 0.95 {
							t.Errorf("%d refused, %.1f %% used", server.refused, 100*usage)
						}
					})
				})
			}
		}
	}
}

func servers(concurrent int) map[string]*windowed {
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	// Answers under way together arrive in any order.
	delay := func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(concurrent) * time.Duration(random.IntN(15)) * time.Millisecond
	}
	return map[string]*windowed{
		"window from the first request, rounded down": {round: roundDown, delay: delay},
		"window from the first request, rounded up":   {round: roundUp, delay: delay},
		"window by the minute, clock ahead":           {round: roundDown, delay: delay, aligned: true, skew: time.Hour + 300*time.Millisecond},
		"window by the minute, clock behind":          {round: roundDown, delay: delay, aligned: true, skew: -700 * time.Millisecond},
		"no Date":                                     {round: roundDown, delay: delay, noDate: true},
	}
}

// send sends n requests, some at the same time.
func send(t *testing.T, c *Client, n, concurrent int) {
	t.Helper()
	s := &session{Client: c}
	var left atomic.Int64
	left.Store(int64(n))
	var workers sync.WaitGroup
	for range concurrent {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := s.get(t.Context(), c.base, nil, func([]byte) error { return nil }); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
}

func TestABudgetSharedWithOthersIsKept(t *testing.T) {
	server := &windowed{limit: 100, round: roundUp, delay: func() time.Duration { return 10 * time.Millisecond }}
	inBubble(t, server.ServeHTTP, Config{}, func(t *testing.T, c *Client) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { // another program takes a third of the budget
			for ctx.Err() == nil {
				time.Sleep(2 * time.Second)
				server.count(time.Now())
			}
		}()
		send(t, c, 500, 4)
		cancel()
		time.Sleep(3 * time.Second)
		// What the other one takes unseen may cost a few.
		if server.refused > 4 {
			t.Errorf("%d refused", server.refused)
		}
	})
}

func TestWithoutHeadersTheFloorIsKept(t *testing.T) {
	inBubble(t, script(ok("{}")), Config{}, func(t *testing.T, c *Client) {
		start := time.Now()
		send(t, c, 221, 4)
		if took := time.Since(start); took < 9500*time.Millisecond || took > 10500*time.Millisecond {
			t.Errorf("220 requests after the first took %s, want 10s", took)
		}
	})
}

func TestAWaitHoldsForAllRequestsInFlight(t *testing.T) {
	var mu sync.Mutex
	var refusedAt time.Time
	early, total := 0, 0
	handler := func(w http.ResponseWriter, _ *http.Request) {
		// The refusal comes at once, the others after a moment: it has arrived
		// before any of those under way beside it.
		answer := time.Millisecond
		defer func() { time.Sleep(answer) }()
		mu.Lock()
		defer mu.Unlock()
		total++
		if total == 10 {
			answer = 0
			refusedAt = time.Now()
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		if total > 13 && time.Since(refusedAt) < 30*time.Second {
			early++
		}
		fmt.Fprint(w, "{}")
	}
	inBubble(t, handler, Config{}, func(t *testing.T, c *Client) {
		send(t, c, 40, 4)
		if early > 0 || total != 41 {
			t.Errorf("%d of %d requests came before the wait was over", early, total)
		}
	})
}

func TestALongerWaitThanAllowedEndsTheRequest(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	used := reply{code: 200, body: "{}", header: map[string]string{
		"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(start.Unix() + 600)}}
	inBubble(t, script(used), Config{}, func(t *testing.T, c *Client) {
		s := &session{Client: c}
		nothing := func([]byte) error { return nil }
		if _, err := s.get(t.Context(), c.base, nil, nothing); err != nil {
			t.Fatal(err)
		}
		_, err := s.get(t.Context(), c.base, nil, nothing)
		wait, ok := errors.AsType[*WaitError](err)
		if !ok || wait.Wait != 601*time.Second || wait.Max != DefaultMaxWait || !time.Now().Equal(start) || s.sent() != 1 {
			t.Errorf("%v at %s after %d requests", err, time.Now(), s.sent())
		}
		time.Sleep(302 * time.Second)
		if _, err := s.get(t.Context(), c.base, nil, nothing); err != nil || time.Since(start) != 601*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestHostileHeadersNeitherHangNorOverflow(t *testing.T) {
	values := []string{"", "0", "-1", "1", "946684800", "946684801", "-9223372036854775808", "9223372036854775807",
		"99999999999999999999999", "1e9", "NaN", "Inf", "0x10", "soon", "\t7", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"}
	for _, remaining := range values {
		t.Run("remaining "+remaining, func(t *testing.T) {
			inBubble(t, func(w http.ResponseWriter, r *http.Request) {
				query, _ := url.ParseQuery(r.URL.RawQuery)
				for name := range query {
					w.Header().Set(name, query.Get(name))
				}
				if query.Get("X-Code") == "429" {
					w.WriteHeader(429)
				}
			}, Config{}, func(t *testing.T, c *Client) {
				start, requests := time.Now(), 0
				for _, reset := range values {
					for _, code := range []string{"200", "429"} {
						for _, date := range []string{"", "garbage", "Mon, 01 Jan 0001 00:00:00 GMT"} {
							s := &session{Client: c}
							u := *c.base
							u.RawQuery = url.Values{"X-RateLimit-Remaining": {remaining}, "X-RateLimit-Reset": {reset},
								"Retry-After": {reset}, "X-Code": {code}, "Date": {date}}.Encode()
							s.get(t.Context(), &u, nil, func([]byte) error { return nil })
							requests++
						}
					}
				}
				if took := time.Since(start); took > time.Duration(requests)*5*(DefaultMaxWait+resetSlack) {
					t.Errorf("%d requests took %s", requests, took)
				}
			})
		})
	}
}
