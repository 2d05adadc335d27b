package notify

import "time"

const (
	firstBackoff = time.Minute
	maxBackoff   = time.Hour
)

// backoff is how long to wait after so many failed attempts, at least one: a minute,
// doubled each time, up to an hour. jitter, from 0 to 1, spreads it by a tenth, so that
// what failed together is not tried together.
func backoff(attempts int, jitter float64) time.Duration {
	wait := maxBackoff
	if shift := attempts - 1; shift < 6 { // 2^6 minutes are more than an hour
		wait = firstBackoff << max(shift, 0)
	}
	spread := time.Duration(jitter * float64(wait) / 10)
	if wait == maxBackoff {
		return wait - spread
	}
	return wait + spread
}
