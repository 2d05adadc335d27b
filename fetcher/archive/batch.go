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
	batchAccounts = 4000
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
	// ends says that a complete list ends with the batch, and conclusion what is
	// concluded from it; nil: nothing.
	ends       bool
	conclusion store.Conclusion
}

func (b *batch) reset() {
	clear(b.responses)
	b.ends, b.conclusion = false, nil
	b.responses, b.failures, b.accounts, b.bytes = b.responses[:0], b.failures[:0], 0, b.bytes[:0]
}

// batches collects what a reader finds, and hands it on when it is worth a
// transaction.
type batches struct {
	free     chan *batch
	ready    chan *batch
	now      *batch
	open     int // where the pages of the answer begin that is being read
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

// fits reports whether the batch has room for an object of n bytes.
func (b *batches) fits(n int) bool {
	return b.now.accounts < batchAccounts && len(b.now.bytes)+n+sha256.Size <= cap(b.now.bytes)
}

// pages are the pages of the answer that is being read, as far as they are in the
// batch.
func (b *batches) pages() []store.Response { return b.now.responses[b.open:] }

// close takes pages in the place of those of the answer that is being read: they
// were had at the instant, and nothing more belongs to them.
func (b *batches) close(pages []store.Response, at time.Time) {
	kept := b.now.responses[:b.open]
	if len(pages) == 0 {
		clear(b.pages())
	}
	for _, page := range pages {
		page.Sent, page.Received = at, at
		kept = append(kept, page)
	}
	b.now.responses, b.open = kept, len(kept)
}

// moveOn hands the batch on without the answer that is being read, which goes to
// the next one.
func (b *batches) moveOn(ctx context.Context) error {
	full, open := b.now, b.open
	if open == 0 {
		return errNoInstant
	}
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
