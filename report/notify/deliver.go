package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

// Options say how Deliver works. The zero value is right for most.
type Options struct {
	Workspace string           // whose messages are sent; "" for all
	Now       func() time.Time // nil: time.Now
	Within    time.Duration    // how long it takes at most; 0: 30 s
	Jitter    func() float64   // from 0 to 1, spreads retries; nil: random
	// Retry tries all that waits, without its back-off. Only a sink that has itself asked
	// for time is left alone.
	Retry bool
	// Broken are sinks that are configured and cannot be made, such as one whose secret is
	// missing, by name. Their messages wait.
	Broken map[string]error
}

const defaultWithin = 30 * time.Second

// holdAttempts is how many times a sink that does not work is tried with one message
// before the next messages are tried too: a message that breaks the sink must not hold
// all others back for ever.
const holdAttempts = 5

// Result is what Deliver did for one sink.
type Result struct {
	Sink      string
	Delivered int
	Failed    int       // attempts
	Waiting   int       // deliveries that are still to be made
	Dropped   int       // the sink is no longer configured, or the message is damaged
	NextAt    time.Time // when the next delivery that waits may be tried; zero: none waits
	Error     string    // of the last failed attempt, now or before, of what still waits
}

// Deliver sends the deliveries that are due, and stores the outcome of each at once. Sinks
// work at the same time, and each gets its messages in their order. The caller holds the
// lock of the writer, so that nobody else delivers meanwhile.
//
// A delivery is made at least once: what was sent and could not be stored is sent again,
// with the same id. One that fails waits, longer each time, until the sink takes it. The
// sink gets nothing else until then, unless it has rejected that one message, or has failed
// with it five times. A delivery to a sink that is neither among sinks nor broken is
// dropped; with no sinks at all nothing is, for then the configuration is more likely
// missing than empty.
//
// The results are by sink, without those that had nothing to do. An error is one of the
// store, or the cause of ctx; what a sink answered is in the results.
func Deliver(ctx context.Context, w store.AlertWriter, sinks []Sink, o Options) ([]Result, error) {
	d := deliverer{w: w, now: o.Now, jitter: o.Jitter, retry: o.Retry, sinks: map[string]Sink{}, broken: o.Broken, queues: map[string]*queue{}}
	if d.now == nil {
		d.now = time.Now
	}
	if d.jitter == nil {
		d.jitter = rand.Float64
	}
	for _, sink := range sinks {
		d.sinks[sink.Name()] = sink
	}
	if err := d.read(ctx, o.Workspace); err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, cmp.Or(o.Within, defaultWithin))
	defer cancel()
	var wait sync.WaitGroup
	for _, q := range d.queues {
		wait.Go(func() { q.err = d.work(ctx, bounded, q) })
	}
	wait.Wait()
	return d.results(ctx)
}

// deliverer is one call of Deliver.
type deliverer struct {
	now    func() time.Time
	jitter func() float64
	retry  bool
	sinks  map[string]Sink
	broken map[string]error
	queues map[string]*queue // by sink

	saving sync.Mutex
	w      store.AlertWriter
}

// queue has the deliveries to one sink.
type queue struct {
	result Result
	due    []store.Delivery // the oldest first, no more than may be sent in this minute
	recent int              // that were delivered in the last minute
	resume time.Time        // nothing may be sent before; zero: at once
	err    error            // of the store
}

// read fills the queues with what waits. A sink is one for all workspaces: it is left alone,
// and its minute is full, whichever workspace is the reason.
func (d *deliverer) read(ctx context.Context, workspace string) error {
	now := d.now()
	for delivery, err := range d.w.Deliveries(ctx, store.DeliveryQuery{Since: now.Add(-time.Minute)}) {
		if err != nil {
			return err
		}
		q := d.queues[delivery.Sink]
		if q == nil {
			q = &queue{result: Result{Sink: delivery.Sink}}
			d.queues[delivery.Sink] = q
		}
		switch {
		case delivery.State == store.Delivered && !delivery.EndedAt.After(now): // else by a clock that was wrong
			q.recent++
		case delivery.State != store.Waiting:
		case workspace == "" || delivery.Workspace == workspace:
			d.enqueue(q, delivery, now)
		case !d.isDue(delivery, now):
			q.pause(delivery)
		}
	}
	return nil
}

func (d *deliverer) enqueue(q *queue, delivery store.Delivery, now time.Time) {
	q.result.Waiting++
	due := d.isDue(delivery, now) || d.removed(q.result.Sink)
	if !due {
		q.pause(delivery)
	}
	if !due || d.full(q) {
		q.wait(delivery)
		return
	}
	q.due = append(q.due, delivery)
}

// full reports whether no more can be done for a sink in this minute: nothing for one that
// does not work, and everything for one that is removed.
func (d *deliverer) full(q *queue) bool {
	if d.removed(q.result.Sink) {
		return false
	}
	sink := d.sinks[q.result.Sink]
	return sink == nil || q.recent+len(q.due) >= sink.PerMinute()
}

// removed reports whether a sink is no longer configured.
func (d *deliverer) removed(sink string) bool {
	return d.sinks[sink] == nil && d.broken[sink] == nil && len(d.sinks)+len(d.broken) > 0
}

// isDue reports whether a delivery may be tried. A time that is further away than any wait
// is one of a clock that was wrong.
func (d *deliverer) isDue(delivery store.Delivery, now time.Time) bool {
	longest := maxBackoff
	switch {
	case delivery.Asked:
		longest = maxRetryAfter
	case d.retry:
		return true
	}
	return !delivery.NextAt.After(now) || delivery.NextAt.Sub(now) > longest
}

// pause has the queue wait if its sink is to be left alone because of a delivery.
func (q *queue) pause(delivery store.Delivery) {
	if delivery.Pause && delivery.NextAt.After(q.resume) {
		q.resume = delivery.NextAt
	}
}

// wait notes what stays in the queue.
func (q *queue) wait(delivery store.Delivery) {
	if q.result.NextAt.IsZero() || delivery.NextAt.Before(q.result.NextAt) {
		q.result.NextAt = delivery.NextAt
	}
	if delivery.Error != "" {
		q.result.Error = delivery.Error
	}
}

// work goes through a queue until it is empty, or the sink is to be left alone.
func (d *deliverer) work(ctx, bounded context.Context, q *queue) error {
	for i, delivery := range q.due {
		switch {
		case d.removed(q.result.Sink):
			drop(&delivery, d.now(), "the sink is no longer configured")
		case !q.resume.IsZero() || bounded.Err() != nil:
			q.waitFor(q.due[i:])
			return nil
		default:
			if err := d.attempt(bounded, d.sinks[delivery.Sink], &delivery); ctx.Err() != nil && err != nil {
				q.waitFor(q.due[i:]) // interrupted: it says nothing about the sink
				return nil
			}
		}
		if err := d.save(ctx, delivery); err != nil {
			return err
		}
		q.count(delivery)
	}
	return nil
}

func (q *queue) waitFor(deliveries []store.Delivery) {
	for _, delivery := range deliveries {
		q.wait(delivery)
	}
}

// count notes how a delivery ended.
func (q *queue) count(delivery store.Delivery) {
	switch delivery.State {
	case store.Delivered:
		q.result.Delivered++
		q.result.Waiting--
	case store.Dropped:
		q.result.Dropped++
		q.result.Waiting--
	case store.Waiting:
		q.result.Failed++
		q.wait(delivery)
		q.pause(delivery)
	}
}

// attempt sends a delivery once, and notes in it how that ended.
func (d *deliverer) attempt(ctx context.Context, sink Sink, delivery *store.Delivery) error {
	var body alert.Body
	if err := json.Unmarshal(delivery.Body, &body); err != nil {
		drop(delivery, d.now(), "the message is damaged")
		return nil
	}
	body.ID = delivery.ID
	ctx, cancel := context.WithTimeout(ctx, sink.Timeout())
	defer cancel()
	err := sink.Send(ctx, body)
	delivery.Attempts++
	if err == nil {
		delivery.State, delivery.EndedAt, delivery.NextAt = store.Delivered, d.now(), time.Time{}
		delivery.Error, delivery.Pause, delivery.Asked = "", false, false
		return nil
	}
	wait := backoff(delivery.Attempts, d.jitter())
	retry, asked := errors.AsType[*RetryError](err)
	_, rejected := errors.AsType[*RejectedError](err)
	if asked {
		wait = min(max(retry.After, wait), maxRetryAfter)
	}
	delivery.NextAt, delivery.Error = d.now().Add(wait), shown(err.Error(), maxError)
	delivery.Asked = asked
	delivery.Pause = asked || !rejected && delivery.Attempts < holdAttempts
	return err
}

// maxError is how many characters of an error are stored.
const maxError = 300

func drop(delivery *store.Delivery, now time.Time, why string) {
	delivery.State, delivery.EndedAt, delivery.NextAt = store.Dropped, now, time.Time{}
	delivery.Error, delivery.Pause, delivery.Asked = why, false, false
}

// save stores an outcome, also when the caller has been interrupted meanwhile: what was
// delivered is not to be sent again.
func (d *deliverer) save(ctx context.Context, delivery store.Delivery) error {
	d.saving.Lock()
	defer d.saving.Unlock()
	return d.w.SaveDelivery(context.WithoutCancel(ctx), delivery)
}

func (d *deliverer) results(ctx context.Context) (results []Result, err error) {
	for _, q := range d.queues {
		if q.result.Waiting > 0 && q.resume.After(q.result.NextAt) {
			q.result.NextAt = q.resume
		}
		if broken := d.broken[q.result.Sink]; broken != nil && q.result.Waiting > 0 {
			q.result.Error = shown(broken.Error(), maxError)
		}
		if q.result != (Result{Sink: q.result.Sink}) {
			results = append(results, q.result)
		}
		err = errors.Join(err, q.err)
	}
	slices.SortFunc(results, func(a, b Result) int { return strings.Compare(a.Sink, b.Sink) })
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return results, err
}
