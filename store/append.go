package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// Append stores what the response shows, whole or not at all, together with the
// progress of its run. When it returns without an error, that survives the
// death of the process and of the machine.
//
// An account whose object has the same bytes as before costs one small row. One
// that cannot be understood becomes a failure of the run; one that this run has
// already seen in a list is left out and counted as Repeated.
func (w *RunWriter) Append(ctx context.Context, r Response) (Appended, error) {
	return w.AppendAll(ctx, []Response{r})
}

// AppendAll is [RunWriter.Append] of several responses, one after the other, in
// one transaction: all of them are stored or none. It answers the sum.
func (w *RunWriter) AppendAll(ctx context.Context, responses []Response) (Appended, error) {
	if err := ctx.Err(); err != nil {
		return Appended{}, context.Cause(ctx)
	}
	// A page takes milliseconds and is worth having: from here on it is not
	// broken off.
	ctx = context.WithoutCancel(ctx)
	before := w.clock
	var sum Appended
	err := w.store.update(ctx, func(tx *txn) error {
		requests := 0
		for _, r := range responses {
			p := page{w: w, tx: tx, received: max(ceilMS(r.Received), w.clock.last)}
			if err := p.write(ctx, r); err != nil {
				return err
			}
			w.clock.advance(&p, r)
			sum.Add(p.done)
			requests = max(requests, r.Requests)
		}
		tx.logRun(w.id)
		if err := w.heads.save(ctx, tx); err != nil {
			return err
		}
		return w.count(ctx, tx, sum, requests)
	})
	if err != nil {
		w.clock = before
		w.heads.forget()
		return Appended{}, err
	}
	return sum, nil
}

// Add counts what became of another response too.
func (a *Appended) Add(more Appended) {
	a.Changed += more.Changed
	a.Unchanged += more.Unchanged
	a.Gone += more.Gone
	a.StillGone += more.StillGone
	a.Failed += more.Failed
	a.Repeated += more.Repeated
	a.Withheld += more.Withheld
}

// page is one response on its way into the store.
type page struct {
	w        *RunWriter
	tx       *txn
	id       int64 // of the response
	source   Source
	sent     int64 // Unix milliseconds, rounded down
	received int64 // Unix milliseconds, rounded up, never before the last response of the workspace
	line     ledger.Response
	taken    []taken
	moved    []moved
	news     []received
	failures []Failure
	done     Appended
}

// taken is one row of table snapshot, and its leaf in the log.
type taken struct {
	account, document int64
	leaf              ledger.Hash
}

// moved is one row of table usage.
type moved struct {
	account int64
	usage
}

func (p *page) write(ctx context.Context, r Response) error {
	if len(r.Absent) > 0 && r.Source != Detail {
		return fmt.Errorf("store: append: only a detail call is answered with 404, not a %s", r.Source)
	}
	p.source, p.sent = r.Source, min(floorMS(r.Sent), p.received)
	p.failures = slices.Clone(r.Failures)
	r = p.withhold(r)
	digests, err := p.load(ctx, r)
	if err != nil {
		return err
	}
	if err := p.insertResponse(ctx, r); err != nil {
		return err
	}
	news := p.readNews(r.Accounts, digests)
	for _, i := range p.order(r) {
		if i < len(r.Accounts) {
			err = p.observe(ctx, r.Accounts[i], digests[i], news[i])
		} else {
			err = p.absent(ctx, r.Absent[i-len(r.Accounts)])
		}
		if err != nil {
			return err
		}
	}
	if err := errors.Join(p.insertSnapshots(ctx), p.insertUsage(ctx), p.insertReceived(ctx)); err != nil {
		return err
	}
	p.log()
	p.done.Failed = len(p.failures)
	return p.w.insertFailures(ctx, p.tx, p.failures)
}

// withhold leaves out what was redacted.
func (p *page) withhold(r Response) Response {
	if len(p.w.withheld) == 0 {
		return r
	}
	shown := len(r.Accounts) + len(r.Absent)
	r.Accounts = slices.DeleteFunc(slices.Clone(r.Accounts), func(o Observed) bool { return p.w.withheld[o.ID] })
	r.Absent = slices.DeleteFunc(slices.Clone(r.Absent), func(id string) bool { return p.w.withheld[id] })
	p.done.Withheld = shown - len(r.Accounts) - len(r.Absent)
	return r
}

// load reads where the accounts of the response stand, and hashes them
// meanwhile.
func (p *page) load(ctx context.Context, r Response) (digests [][]byte, err error) {
	ids := make([]string, 0, len(r.Accounts)+len(r.Absent))
	for _, account := range r.Accounts {
		if p.head(account.ID) == nil && !IsAccountID(account.ID) {
			return nil, fmt.Errorf("store: append: %q is not an account id", account.ID)
		}
		ids = append(ids, account.ID)
	}
	digests = make([][]byte, len(r.Accounts))
	var next atomic.Int64
	hash := func() {
		for i := next.Add(1) - 1; i < int64(len(digests)); i = next.Add(1) - 1 {
			digests[i] = r.Accounts[i].digest()
		}
	}
	var hashing sync.WaitGroup
	hashing.Go(hash)
	err = p.w.heads.load(ctx, p.tx, p.source, append(ids, r.Absent...))
	hash() // what is left
	hashing.Wait()
	return digests, err
}

// digest is that of the object as received; nil when a secret was taken out of it.
func (o *Observed) digest() []byte {
	switch {
	case o.Withheld:
		return nil
	case o.Digest != nil:
		return o.Digest
	}
	digest := sha256.Sum256(o.Raw)
	return digest[:]
}

// news is an account object that was not the same as before, taken apart.
type news struct {
	separated
	digest  [sha256.Size]byte // of the document
	outline *outline          // nil when not known
	known   bool              // by its outline: body and icon are left out
	err     error             // why it cannot be understood
}

// readNews takes those objects apart that do not stand as they did, on all cores;
// the others stay nil.
func (p *page) readNews(accounts []Observed, digests [][]byte) []*news {
	all := make([]*news, len(accounts))
	var next atomic.Int64
	read := func() {
		for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
			h := p.head(accounts[i].ID)
			if h != nil && h.stands(p.source, digests[i], p.received) {
				continue
			}
			if all[i] = p.knownNews(h, &accounts[i]); all[i] == nil {
				all[i] = readNews(&accounts[i])
			}
		}
	}
	var readers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) - 1 {
		readers.Go(read)
	}
	read()
	readers.Wait()
	return all
}

func readNews(account *Observed) *news {
	apart, err := separate(account.Raw)
	seen := &news{separated: apart, digest: sha256.Sum256(apart.body), err: err}
	if account.Outline != nil && err == nil {
		seen.outline = newOutline(account.Raw, [sha256.Size]byte(account.Outline), apart)
	}
	return seen
}

// knownNews reads an object with the outline of the one before; nil: it has not.
func (p *page) knownNews(h *head, account *Observed) *news {
	if h == nil || account.Outline == nil {
		return nil
	}
	o := h.at(p.source).outline
	if o == nil || string(o.digest[:]) != string(account.Outline) {
		return nil
	}
	return &news{separated: separated{usage: o.usageOf(account.Raw)}, digest: o.document, outline: o, known: true}
}

// insertResponse makes the row of the response. The bounds of its account ids
// are known before: new accounts get the ids that follow the highest one.
func (p *page) insertResponse(ctx context.Context, r Response) error {
	var highest int64
	if err := p.tx.GetContext(ctx, &highest, `SELECT coalesce(max(id), 0) FROM account`); err != nil {
		return err
	}
	lowest, top, fresh := highest+1, int64(0), int64(0)
	span := func(id string) {
		if h := p.head(id); h != nil {
			lowest, top = min(lowest, h.AccountID), max(top, h.AccountID)
		} else {
			fresh++
		}
	}
	for _, account := range r.Accounts {
		span(account.ID)
	}
	if fresh > 0 {
		top = highest + fresh
	}
	for _, id := range r.Absent {
		span(id)
	}
	p.line = ledger.Response{
		Source: string(r.Source), Sent: p.sent, Received: p.received, HeldMS: p.received - ceilMS(r.Received),
		Server: numberOrNil(nullMS(r.ServerTime)), AccountMin: lowest, AccountMax: top,
	}
	return p.tx.GetContext(ctx, &p.id, `
		INSERT INTO response (
			workspace_id, run_id, source, sent_at, received_at, held_ms, server_at, account_min, account_max
		) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		p.w.heads.workspaceID, p.w.id, r.Source, p.sent, p.received, p.line.HeldMS, nullMS(r.ServerTime), lowest, top)
}

// order is the order in which the accounts shown, and then those absent, are taken:
// that of their rows, by which they are derived again; new ones come last.
func (p *page) order(r Response) []int {
	order, rows := make([]int, len(r.Accounts)+len(r.Absent)), make([]int64, len(r.Accounts)+len(r.Absent))
	for i := range order {
		id := ""
		if order[i] = i; i < len(r.Accounts) {
			id = r.Accounts[i].ID
		} else {
			id = r.Absent[i-len(r.Accounts)]
		}
		if rows[i] = math.MaxInt64; p.head(id) != nil {
			rows[i] = p.head(id).AccountID
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rows[a], rows[b]) })
	return order
}

// head is where an account stands; nil: it was never seen.
func (p *page) head(id string) *head { return p.w.heads.known[id] }
