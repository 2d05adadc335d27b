package report

import (
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// parseInstant is [store.ParseInstant] of a field; nil is no instant.
func parseInstant(n *node) (time.Time, bool) {
	if n == nil {
		return time.Time{}, false
	}
	return store.ParseInstant(n.raw)
}

// lockReading is what a lock_time says at one instant: a live lock, no lock
// (missing, null or past), or something that is no time at all.
type lockReading struct {
	live    bool
	until   time.Time // of a live lock
	garbage *node     // a value that is no instant; nil otherwise
	raw     *node     // as received
}

// readLock reads the lock_time of a document at the instant of its response.
// The lock ends at the very second it names.
func readLock(n *node, at time.Time) lockReading {
	if n.isNull() {
		return lockReading{raw: n}
	}
	until, ok := parseInstant(n)
	if !ok {
		return lockReading{garbage: n, raw: n}
	}
	return lockReading{live: until.After(at), until: until, raw: n}
}
