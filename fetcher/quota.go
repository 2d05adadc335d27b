package fetcher

import (
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longest bounds every span that a header tells, so that no arithmetic on it can
// overflow. It is far beyond any wait that is obeyed.
const longest = 365 * 24 * time.Hour

// quota is what the headers of one answer say about the budget.
type quota struct {
	left  int           // requests left in the window
	reset int64         // when the window ends: Unix seconds by the server's clock
	in    time.Duration // from the answer to that instant
}

// parseQuota reads X-RateLimit-Remaining and -Reset. now is the server's clock
// when it answered. ok is false when one of them is missing, not understood, or
// about a window that is over; the reset is answered also without the rest.
func parseQuota(h http.Header, now time.Time) (q quota, ok bool) {
	reset, err := strconv.ParseInt(strings.TrimSpace(h.Get("X-RateLimit-Reset")), 10, 64)
	if err != nil {
		return quota{}, false
	}
	q.reset, q.in = reset, until(reset, now)
	left, err := strconv.ParseInt(strings.TrimSpace(h.Get("X-RateLimit-Remaining")), 10, 64)
	if err != nil {
		return q, false
	}
	q.left = int(min(max(left, 0), math.MaxInt32))
	return q, q.in > -time.Second
}

// until returns the span from now to the Unix time seconds, bounded both ways.
func until(seconds int64, now time.Time) time.Duration {
	limit := int64(longest / time.Second)
	if seconds > now.Unix()+limit {
		return longest
	}
	if seconds < now.Unix()-limit {
		return -longest
	}
	return bounded(time.Unix(seconds, 0).Sub(now))
}

func bounded(span time.Duration) time.Duration { return min(max(span, -longest), longest) }

// spanOfSeconds also takes a decimal point: against the RFC, some servers send it.
var spanOfSeconds = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

// parseRetryAfter reads Retry-After in both forms, seconds and HTTP date. now is
// the server's clock when it answered. It returns 0 for a missing header and for
// one that asks for no wait or makes no sense.
func parseRetryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if spanOfSeconds.MatchString(value) {
		seconds, _ := strconv.ParseFloat(value, 64) // beyond its range: +Inf
		if seconds >= longest.Seconds() {
			return longest
		}
		return time.Duration(math.Ceil(seconds)) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, bounded(date.Sub(now)))
	}
	return 0
}

// serverClock returns the Date header, zero when there is none.
func serverClock(h http.Header) time.Time {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}
