package relational

import (
	"database/sql"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// clock is what a run finds out about the clocks. All are milliseconds.
type clock struct {
	held   int64 // the longest by which the clock lay before the newest response there was at the beginning
	raised int64 // the longest by which an instant was raised
	skew   sql.NullInt64
}

// advance takes note of a response that was kept as of at.
func (c *clock) advance(began, at int64, r store.Response) {
	told, sent := ceilMS(r.Received), floorMS(r.Sent)
	if r.Source != store.Import { // there the order of answers raises, and no clock
		c.held = max(c.held, began-told)
	}
	// A 404 is stored at the end of its job: it being late says nothing about the clock.
	if r.Source != store.Import && len(r.Absent) == 0 {
		c.raised = max(c.raised, at-told)
	}
	if r.ServerTime.IsZero() {
		return
	}
	// The answer was made halfway, as far as anybody knows, and its Date is cut to
	// the second. While it may have been made when the Date says, the clocks may agree.
	skew := (sent+told)/2 - r.ServerTime.UnixMilli() - 500
	if max(skew, -skew) <= (told-sent)/2+500 {
		skew = 0
	}
	if !c.skew.Valid || max(skew, -skew) > max(c.skew.Int64, -c.skew.Int64) {
		c.skew = sql.NullInt64{Int64: skew, Valid: true}
	}
}

// floorMS and ceilMS round to Unix milliseconds.
func floorMS(t time.Time) int64 { return t.UnixMilli() }

func ceilMS(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}

// instant is the zero time for NULL.
func instant(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}
