package archive

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// The sizes of things. What is in flight is two batches: one is read while the
// other is stored.
const (
	batchBytes    = 8 << 20
	batchAccounts = 8000
	pageAccounts  = 500 // in one response
	inFlight      = 2
)

// batch is what is stored in one transaction.
type batch struct {
	responses []store.Response
	failures  []store.Failure // of items
	accounts  int             // and failures: what it is worth
	bytes     []byte          // of the objects; never grows, for objects point into it
	progress  Progress
}

func (b *batch) reset() {
	clear(b.responses)
	b.responses, b.failures, b.accounts, b.bytes = b.responses[:0], b.failures[:0], 0, b.bytes[:0]
}

// batches collects what a reader finds, and hands it on when it is worth a
// transaction.
type batches struct {
	free     chan *batch
	ready    chan *batch
	now      *batch
	open     int // the responses of the batch from here on are of the answer being read
	progress Progress
}

func newBatches() *batches {
	b := &batches{free: make(chan *batch, inFlight), ready: make(chan *batch)}
	for range inFlight {
		b.free <- &batch{bytes: make([]byte, 0, batchBytes)}
	}
	return b
}

// renew waits for a batch that was stored.
func (b *batches) renew(ctx context.Context) error {
	select {
	case b.now = <-b.free:
		b.now.reset()
		b.open = 0
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// send hands the batch on, without the answer that is being read.
func (b *batches) send(ctx context.Context) error {
	b.now.progress = b.progress
	select {
	case b.ready <- b.now:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// makeRoom sees to it that an object of n bytes fits in. When the batch has to go,
// the first part of the answer that is being read goes with it; while its instant
// is not known, it stays.
func (b *batches) makeRoom(ctx context.Context, n int, told time.Time) error {
	if b.now.accounts < batchAccounts && len(b.now.bytes)+n+sha256.Size <= cap(b.now.bytes) {
		return nil
	}
	if told.IsZero() && b.open < len(b.now.responses) {
		if b.open == 0 {
			return errNoInstant
		}
		return b.moveOn(ctx)
	}
	b.end(told)
	if err := b.send(ctx); err != nil {
		return err
	}
	return b.renew(ctx)
}

// moveOn hands the batch on without the answer that is being read, which goes to
// the next one.
func (b *batches) moveOn(ctx context.Context) error {
	full, open := b.now, b.open
	if err := b.renew(ctx); err != nil { // not all are in flight: this one is here
		return err
	}
	taken := b.progress
	for _, page := range full.responses[open:] {
		for _, seen := range page.Accounts {
			b.add(seen)
		}
		for _, failure := range page.Failures {
			b.failed(failure)
		}
	}
	b.progress = taken
	clear(full.responses[open:])
	full.responses = full.responses[:open]
	moved := b.now
	b.now = full
	if err := b.send(ctx); err != nil {
		return err
	}
	b.now = moved
	return nil
}

// page is the response that takes the next object.
func (b *batches) page() *store.Response {
	last := len(b.now.responses) - 1
	if last < b.open || len(b.now.responses[last].Accounts) == pageAccounts {
		b.now.responses = append(b.now.responses, store.Response{Source: store.Import})
		last++
	}
	return &b.now.responses[last]
}

func (b *batches) add(seen store.Observed) {
	seen.Raw, seen.Digest = b.keep(seen.Raw), b.keep(seen.Digest)
	page := b.page()
	page.Accounts = append(page.Accounts, seen)
	b.now.accounts++
	b.progress.Accounts++
}

// keep copies what is only lent.
func (b *batches) keep(lent []byte) []byte {
	if lent == nil {
		return nil
	}
	from := len(b.now.bytes)
	b.now.bytes = append(b.now.bytes, lent...)
	return b.now.bytes[from:len(b.now.bytes):len(b.now.bytes)]
}

func (b *batches) failed(failure store.Failure) {
	page := b.page()
	page.Failures = append(page.Failures, failure)
	b.now.accounts++
}

func (b *batches) fail(failure store.Failure) {
	b.now.failures = append(b.now.failures, failure)
	b.now.accounts++
}

// end ends the answer that is being read: it was had at the instant; when that is
// zero, it is left out. One that shows nobody is stored too: it was there. end
// reports whether there was anything in it.
func (b *batches) end(at time.Time) bool {
	some := len(b.now.responses) > b.open
	if !some && !at.IsZero() {
		b.page()
		b.now.accounts++
	}
	pages := b.now.responses[b.open:]
	for i := range pages {
		pages[i].Sent, pages[i].Received = at, at
	}
	if at.IsZero() {
		clear(pages)
		b.now.responses = b.now.responses[:b.open]
	}
	b.open = len(b.now.responses)
	return some
}
