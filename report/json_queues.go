package report

import (
	"cmp"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// QueueJSON is what waits to be delivered to one sink.
type QueueJSON struct {
	Sink     string  `json:"sink"`
	Messages int     `json:"messages"` // that were not delivered yet
	Failing  int     `json:"failing"`  // of those, how many were tried in vain
	Attempts int     `json:"attempts"` // of the oldest message
	Oldest   Time    `json:"oldest_at"`
	Age      Seconds `json:"age_seconds"` // of the oldest message
	NextAt   Time    `json:"next_at"`     // when one is tried next
	Error    Text    `json:"error"`       // of the last attempt of the oldest message that failed
}

// NewQueuesJSON sorts deliveries that wait, the oldest message first, by sink. A sink that
// failed comes before those that did not; never nil.
func NewQueuesJSON(waiting []store.Delivery, at time.Time) []QueueJSON {
	place, queues := map[string]int{}, []QueueJSON{}
	for _, failing := range []bool{true, false} {
		for _, d := range waiting {
			if _, known := place[d.Sink]; !known && failing == (d.Attempts > 0) {
				place[d.Sink] = len(queues)
				queues = append(queues, QueueJSON{Sink: d.Sink})
			}
		}
	}
	for _, d := range waiting {
		q := &queues[place[d.Sink]]
		if q.Messages++; q.Messages == 1 {
			q.Attempts, q.Oldest, q.Age = d.Attempts, Time{d.At}, Seconds(max(at.Sub(d.At), 0))
		}
		if d.Attempts > 0 {
			q.Failing++
		}
		q.Error = cmp.Or(q.Error, Text(d.Error))
		if q.NextAt.IsZero() || d.NextAt.Before(q.NextAt.Time) {
			q.NextAt = Time{d.NextAt}
		}
	}
	return queues
}
