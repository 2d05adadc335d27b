// Package retain decides which responses a keep policy keeps. It is pure: responses in,
// reasons out.
package retain

import (
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Response is what the decision needs to know of a response.
type Response struct {
	At    int64 // when it was received, in Unix milliseconds
	Slot  int   // its page, by any number
	Shown int64 // snapshots
	News  bool  // it showed something new, or what is known now rests on it
	// Window says that it is the last response of its page before one with news about
	// an account that it showed.
	Window bool
}

// Reasons says why each response is kept; "" means that it may be dropped. The
// responses must be in the order of their instants.
func Reasons(responses []Response, keep store.Keep) []store.KeepReason {
	reasons := make([]store.KeepReason, len(responses))
	if len(responses) == 0 {
		return reasons
	}
	newest, slots := responses[len(responses)-1].At, map[int]*slot{}
	for i := len(responses) - 1; i >= 0; i-- {
		r := &responses[i]
		s, seen := slots[r.Slot]
		if !seen {
			s = newSlot(keep)
			slots[r.Slot] = s
		}
		chosen := s.choose(r.At) // a response that is kept for another reason stands for its periods too
		switch {
		case r.News:
			reasons[i] = store.KeepNews
		case r.Window:
			reasons[i] = store.KeepWindow
		case !seen:
			reasons[i] = store.KeepNewest
		case keep.Within > 0 && r.At >= newest-keep.Within.Milliseconds():
			reasons[i] = store.KeepWithin
		default:
			reasons[i] = chosen
		}
	}
	return reasons
}

// slot is a page on the way backwards.
type slot struct {
	buckets [4]bucket // hours, days, weeks, months
}

// bucket is a kind of periods of each of which one response is kept.
type bucket struct {
	last int64 // the period at hand
	left int   // how many more
}

var bucketReasons = [4]store.KeepReason{store.KeepHourly, store.KeepDaily, store.KeepWeekly, store.KeepMonthly}

func newSlot(keep store.Keep) *slot {
	s := &slot{}
	for i, count := range [4]int{keep.Hourly, keep.Daily, keep.Weekly, keep.Monthly} {
		s.buckets[i].left = count
	}
	return s
}

// choose says for which period the response is the newest one, and kept; "" for none.
func (s *slot) choose(at int64) (reason store.KeepReason) {
	for i, now := range periods(at) {
		b := &s.buckets[i]
		if b.left == 0 || b.last == now {
			continue
		}
		if b.last = now; b.left > 0 {
			b.left--
		}
		if reason == "" {
			reason = bucketReasons[i]
		}
	}
	return reason
}

// periods are the numbers of the hour, the day, the ISO week and the month, in UTC.
func periods(ms int64) [4]int64 {
	at := time.UnixMilli(ms).UTC()
	day := int64(at.Year())*1000 + int64(at.YearDay())
	year, week := at.ISOWeek()
	return [4]int64{day*100 + int64(at.Hour()), day, int64(year)*100 + int64(week), int64(at.Year())*100 + int64(at.Month())}
}
