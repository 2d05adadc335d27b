package fetcher

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Without any word from the server the client keeps to this rate and burst.
const (
	floorPerSecond = 20
	floorBurst     = 20
)

// resetSlack is waited beyond a reset: the header counts whole seconds, and a
// server that rounds down renews the budget up to a second later than it says.
const resetSlack = time.Second

// pacer is the one budget of all requests in flight. A request may leave when
// the last headers left room for it beside those under way, and no Retry-After
// or reset is being waited for.
//
// When the window of the budget is over, or was never known, one request goes
// alone and its answer tells the new window: nobody knows before how much of it
// other programs have used.
type pacer struct {
	maxWait time.Duration
	now     func() time.Time // the wall clock, for servers that send no Date
	log     *slog.Logger

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced whenever a waiter may get another decision
	inFlight int
	sent     uint64 // tickets given so far
	probing  bool   // a request is under way to learn the window
	unpaced  bool   // the server sends no headers: keep to the floor
	window   window
	blocked  time.Time // nothing leaves before; zero: now
	strikes  int       // answers 429 in a row that named no wait
	floor    *rate.Limiter
}

// window is a stretch of time with a budget. The zero value is none.
type window struct {
	left  int
	reset int64     // as told, to recognise the window
	ends  time.Time // by this machine's clock, slack included
	known uint64    // how many tickets had been given when it was learnt
}

func newPacer(maxWait time.Duration, now func() time.Time, log *slog.Logger) *pacer {
	return &pacer{
		maxWait: maxWait,
		now:     now,
		log:     log,
		changed: make(chan struct{}),
		floor:   rate.NewLimiter(floorPerSecond, floorBurst),
	}
}

// ticket is the leave to send one request. It is given back exactly once, by
// pacer.answered or pacer.lost.
type ticket struct {
	number uint64
	probe  bool
}

// acquire waits for the leave to send a request. It returns a [WaitError] when
// that is further away than maxWait, and the cause when ctx is done.
func (p *pacer) acquire(ctx context.Context) (ticket, error) {
	var logged hold
	for {
		if ctx.Err() != nil {
			return ticket{}, context.Cause(ctx)
		}
		leave, wait, changed := p.try(time.Now())
		if leave != nil {
			return *leave, nil
		}
		if wait.firm && wait.span > p.maxWait {
			return ticket{}, &WaitError{Wait: wait.span, Max: p.maxWait}
		}
		if wait.firm != logged.firm || logged.span == 0 {
			p.logWait(ctx, wait)
			logged = wait
		}
		await(ctx, wait.span, changed)
	}
}

// logWait logs why a request waits.
func (p *pacer) logWait(ctx context.Context, wait hold) {
	if wait.firm {
		p.log.InfoContext(ctx, "waiting as long as the API asks", "wait", wait.span)
		return
	}
	p.log.DebugContext(ctx, "waiting to keep the pace", "at_most", wait.span)
}

// await returns after span, when changed is closed or when ctx is done.
func await(ctx context.Context, span time.Duration, changed <-chan struct{}) {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
	}
}

// hold is why a request must not leave yet.
type hold struct {
	span time.Duration
	firm bool // the server asks for it; else an answer under way may end it
}

// try gives a ticket, or says how long to wait at most and what may end the wait
// earlier.
func (p *pacer) try(now time.Time) (*ticket, hold, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait, probe := p.decide(now)
	if wait.span > 0 {
		return nil, wait, p.changed
	}
	p.sent++
	p.inFlight++
	p.probing = p.probing || probe
	return &ticket{number: p.sent, probe: probe}, hold{}, nil
}

// decide returns a hold without span when a request may leave at once, and
// whether that request is to learn the window.
func (p *pacer) decide(now time.Time) (wait hold, probe bool) {
	if span := p.asked(now); span > 0 {
		return hold{span: span, firm: true}, false
	}
	switch span := p.window.ends.Sub(now); {
	case span > 0 && p.window.left > p.inFlight:
		return hold{}, false
	case span > 0:
		return hold{span: span}, false
	case p.unpaced:
		return p.keepFloor(now), false
	case p.probing:
		return hold{span: longest}, false
	}
	return hold{}, true
}

// asked returns how long the server asks to send nothing: until a Retry-After
// has passed, or the reset when the budget is used up.
func (p *pacer) asked(now time.Time) time.Duration {
	span := p.blocked.Sub(now)
	if p.window.left <= 0 {
		span = max(span, p.window.ends.Sub(now))
	}
	return span
}

func (p *pacer) keepFloor(now time.Time) hold {
	reservation := p.floor.ReserveN(now, 1)
	span := reservation.DelayFrom(now)
	if span > 0 {
		reservation.CancelAt(now)
	}
	return hold{span: span}
}
