package fetcher

import (
	"net/http"
	"time"
)

// maxStrikeWait bounds the wait after answers 429 that name none.
const maxStrikeWait = 30 * time.Second

// lost gives back the ticket of a request that got no answer.
func (p *pacer) lost(t ticket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.giveBack(t)
	p.learnNothing()
}

// answered gives back the ticket of a request and learns from the headers of its
// answer.
func (p *pacer) answered(t ticket, status int, h http.Header) {
	now, server := time.Now(), serverClock(h)
	if server.IsZero() {
		server = p.now()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.giveBack(t)
	q, told := parseQuota(h, server)
	if told {
		p.learn(t, q, now)
	} else {
		p.learnNothing()
	}
	p.obey(status, parseRetryAfter(h, server), q, now)
}

// giveBack ends the flight of a request and lets the waiters decide anew.
func (p *pacer) giveBack(t ticket) {
	p.inFlight--
	if t.probe {
		p.probing = false
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// learn takes over what an answer says of the budget. Answers of requests that
// were under way together arrive in any order, so of one window the least that
// is left counts.
func (p *pacer) learn(t ticket, q quota, now time.Time) {
	ends := now.Add(q.in + resetSlack)
	old := p.window
	live := old.ends.After(now)
	switch {
	case live && max(q.reset-old.reset, old.reset-q.reset) <= 1:
		// The same window, and some servers round its end now up, now down. Date
		// counts whole seconds, so each answer puts the end too late by another
		// part of a second: the earliest is the nearest.
		p.window.left = min(old.left, q.left)
		if ends.Before(old.ends) {
			p.window.ends = ends
		}
	case live && q.reset < old.reset && t.number <= old.known:
		// A late answer about a window that is over.
	default:
		p.window = window{left: q.left, reset: q.reset, ends: ends, known: p.sent}
	}
	p.unpaced = false
}

// learnNothing accounts for a request whose answer told no budget: it may have
// used some.
func (p *pacer) learnNothing() {
	if p.window.ends.After(time.Now()) {
		p.window.left--
		return
	}
	p.unpaced = true
}

// obey blocks everything after an answer that asks to wait: 429, or any other
// refusal with a Retry-After.
func (p *pacer) obey(status int, retryAfter time.Duration, q quota, now time.Time) {
	tooFast := status == http.StatusTooManyRequests
	if !tooFast {
		p.strikes = 0
	}
	switch {
	case tooFast && retryAfter == 0 && q.in > 0:
		// The reset is all that is told: the budget is gone, whatever is said to
		// be left of it.
		p.block(now.Add(q.in + resetSlack))
	case tooFast && retryAfter == 0:
		p.block(now.Add(min(time.Second<<min(p.strikes, 10), maxStrikeWait)))
		p.strikes++
	case tooFast || status >= 500:
		p.block(now.Add(retryAfter))
	}
	if tooFast && p.window.left > 0 {
		// The count was wrong: learn it anew, with one request.
		p.window = window{}
	}
	if tooFast {
		p.unpaced = false
	}
}

func (p *pacer) block(end time.Time) {
	if end.After(p.blocked) {
		p.blocked = end
	}
}

// overlong returns a [WaitError] when an answer has asked for a longer wait than
// allowed, else nil.
func (p *pacer) overlong(status *StatusError) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if span := p.asked(time.Now()); span > p.maxWait {
		return &WaitError{Wait: span, Max: p.maxWait, Status: status}
	}
	return nil
}
