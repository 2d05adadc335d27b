package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

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
	err := w.store.update(ctx, func(tx *txn) (err error) {
		rows := startRows(ctx, tx, len(responses))
		defer func() { err = errors.Join(err, rows.end()) }()
		requests := 0
		for _, r := range responses {
			p := &page{w: w, tx: tx, rows: rows, received: w.clock.place(r)}
			if err := p.write(ctx, r); err != nil {
				return err
			}
			if err := rows.write(ctx, p); err != nil {
				return err
			}
			w.clock.advance(p, r)
			sum.Add(p.done)
			requests = max(requests, r.Requests)
		}
		tx.logRun(w.id)
		if err := w.heads.save(ctx, tx); err != nil {
			return err
		}
		if last := len(responses) - 1; last >= 0 && responses[last].Complete != nil && sum.Failed == 0 {
			concluded, err := w.conclude(ctx, tx, responses[last].Complete)
			if err != nil {
				return err
			}
			sum.Add(concluded)
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
	a.Unlisted += more.Unlisted
}

// page is one response on its way into the store.
type page struct {
	w        *RunWriter
	tx       *txn
	rows     *rowWriter
	heads    []*head // of the accounts shown, and then of those absent; nil: not known before
	id       int64   // of the response
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
	digests := make([][]byte, len(r.Accounts))
	for i := range r.Accounts {
		digests[i] = r.Accounts[i].Sum()
	}
	p.rows.take()
	err := p.begin(ctx, r)
	if p.rows.give(); err != nil {
		return err
	}
	news := p.readNews(r.Accounts, digests)
	for _, i := range p.order() {
		if i < len(r.Accounts) {
			err = p.observe(ctx, p.head(i, r.Accounts[i].ID), r.Accounts[i], digests[i], news[i])
		} else {
			id := r.Absent[i-len(r.Accounts)]
			err = p.absent(ctx, p.head(i, id), id)
		}
		if err != nil {
			return err
		}
	}
	p.sortRows()
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

// begin reads where the accounts of the response stand, and makes its row.
func (p *page) begin(ctx context.Context, r Response) error {
	ids := make([]string, 0, len(r.Accounts)+len(r.Absent))
	for i := range r.Accounts {
		ids = append(ids, r.Accounts[i].ID)
	}
	ids = append(ids, r.Absent...)
	if err := p.w.heads.load(ctx, p.tx, p.source, ids); err != nil {
		return err
	}
	p.heads = make([]*head, len(ids))
	for i, id := range ids {
		p.heads[i] = p.w.heads.known[id]
		if p.heads[i] == nil && i < len(r.Accounts) && !IsAccountID(id) {
			return fmt.Errorf("store: append: %q is not an account id", id)
		}
	}
	return p.insertResponse(ctx, r)
}

// insertResponse makes the row of the response. The bounds of its account ids
// are known before: new accounts get the ids that follow the highest one.
func (p *page) insertResponse(ctx context.Context, r Response) error {
	lowest, top, fresh := int64(math.MaxInt64), int64(0), int64(0)
	for i, h := range p.heads {
		if h != nil {
			lowest, top = min(lowest, h.AccountID), max(top, h.AccountID)
		} else if i < len(r.Accounts) {
			fresh++
		}
	}
	if top == 0 || fresh > 0 {
		var highest int64
		if err := p.tx.GetContext(ctx, &highest, `SELECT coalesce(max(id), 0) FROM account`); err != nil {
			return err
		}
		lowest = min(lowest, highest+1)
		if fresh > 0 {
			top = highest + fresh
		}
	}
	p.line = ledger.Response{
		Source: string(r.Source), Sent: p.sent, Received: p.received, HeldMS: p.received - ceilMS(r.Received),
		Server: numberOrNil(nullMS(r.ServerTime)), AccountMin: lowest, AccountMax: top,
	}
	return p.tx.insert(ctx, &p.id, `
		INSERT INTO response (
			workspace_id, run_id, source, sent_at, received_at, held_ms, server_at, account_min, account_max
		) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.w.heads.workspaceID, p.w.id, r.Source, p.sent, p.received, p.line.HeldMS, nullMS(r.ServerTime), lowest, top)
}

// order is the order in which the accounts shown, and then those absent, are taken:
// that of their rows, by which they are derived again; new ones come last.
func (p *page) order() []int {
	order := make([]int, len(p.heads))
	for i := range order {
		order[i] = i
	}
	row := func(i int) int64 {
		if h := p.heads[i]; h != nil {
			return h.AccountID
		}
		return math.MaxInt64
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(row(a), row(b)) })
	return order
}

// head is where an account stands; nil: it was never seen. One that is new may be
// named twice.
func (p *page) head(i int, id string) *head {
	if h := p.heads[i]; h != nil {
		return h
	}
	return p.w.heads.known[id]
}
