package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Append stores what the response shows, whole or not at all, together with the
// progress of its run. When it returns without an error, that survives the
// death of the process and of the machine.
//
// An account whose object has the same bytes as before costs one small row. One
// that cannot be understood becomes a failure of the run; one that this run has
// already seen in a list is left out and counted as Repeated.
func (w *RunWriter) Append(ctx context.Context, r Response) (Appended, error) {
	p := page{w: w, received: max(ceilMS(r.Received), w.lastReceived)}
	err := w.store.update(ctx, func(tx *txn) error {
		p.tx = tx
		return p.write(ctx, r)
	})
	if err != nil {
		return Appended{}, err
	}
	w.lastReceived = p.received
	w.held = max(w.held, time.Duration(w.began-ceilMS(r.Received))*time.Millisecond)
	return p.done, nil
}

// page is one response on its way into the store.
type page struct {
	w        *RunWriter
	tx       *txn
	id       int64 // of the response
	source   Source
	sent     int64 // Unix milliseconds, rounded down
	received int64 // Unix milliseconds, rounded up, never before the last response of the workspace
	heads    map[string]*head
	taken    []taken
	failures []Failure
	done     Appended
}

// taken is one row of table snapshot.
type taken struct{ account, document int64 }

func (p *page) write(ctx context.Context, r Response) error {
	p.source, p.sent = r.Source, min(floorMS(r.Sent), p.received)
	p.failures = slices.Clone(r.Failures)
	if err := p.load(ctx, r); err != nil {
		return err
	}
	if err := p.insertResponse(ctx, r); err != nil {
		return err
	}
	for _, account := range r.Accounts {
		if err := p.observe(ctx, account); err != nil {
			return err
		}
	}
	for _, id := range r.Absent {
		if err := p.absent(ctx, id); err != nil {
			return err
		}
	}
	if err := p.insertSnapshots(ctx); err != nil {
		return err
	}
	if err := p.w.insertFailures(ctx, p.tx, p.failures); err != nil {
		return err
	}
	p.done.Failed = len(p.failures)
	return p.w.count(ctx, p.tx, p.done, r.Requests)
}

// load reads where the accounts of the response stand.
func (p *page) load(ctx context.Context, r Response) (err error) {
	ids := make([]string, 0, len(r.Accounts)+len(r.Absent))
	for _, account := range r.Accounts {
		if !IsAccountID(account.ID) {
			return fmt.Errorf("store: append: %q is not an account id", account.ID)
		}
		ids = append(ids, account.ID)
	}
	p.heads, err = loadHeads(ctx, p.tx, p.w.workspaceID, append(ids, r.Absent...))
	return err
}

// insertResponse makes the row of the response. The bounds of its account ids
// are known before: new accounts get the ids that follow the highest one.
func (p *page) insertResponse(ctx context.Context, r Response) error {
	var highest int64
	if err := p.tx.GetContext(ctx, &highest, `SELECT coalesce(max(id), 0) FROM account`); err != nil {
		return err
	}
	lowest, fresh := highest+1, int64(0)
	for _, account := range r.Accounts {
		if p.heads[account.ID] == nil {
			fresh++
		}
	}
	top := int64(0)
	for _, h := range p.heads {
		lowest, top = min(lowest, h.AccountID), max(top, h.AccountID)
	}
	if fresh > 0 {
		top = highest + fresh
	}
	return p.tx.GetContext(ctx, &p.id, `
		INSERT INTO response (
			workspace_id, run_id, source, sent_at, received_at, held_ms, server_at, account_min, account_max
		) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		p.w.workspaceID, p.w.id, r.Source, p.sent, p.received, p.received-ceilMS(r.Received), nullMS(r.ServerTime),
		lowest, top)
}

// observe takes one account of the response.
func (p *page) observe(ctx context.Context, account Observed) error {
	h := p.heads[account.ID]
	if h != nil && p.repeats(h) {
		p.done.Repeated++
		return nil
	}
	var digest []byte
	if !account.Withheld {
		sum := sha256.Sum256(account.Raw)
		digest = sum[:]
	}
	if h != nil && digest != nil && h.stands(p.source, digest, p.received) {
		p.take(h, h.at(p.source).Document.Int64)
		p.done.Unchanged++
		return nil
	}
	return p.examine(ctx, h, account, digest)
}

// repeats reports whether this run's list, or this very response, has shown the
// account before.
func (p *page) repeats(h *head) bool {
	return p.source == List && h.List.Seen.Int64 >= p.w.firstResponse || h.at(p.source).Seen.Int64 == p.id
}

// take notes that the response shows the account with the document.
func (p *page) take(h *head, document int64) {
	p.taken = append(p.taken, taken{h.AccountID, document})
	e := h.at(p.source)
	e.Seen.Int64, e.Seen.Valid = p.id, true
}

// examine is the way of an account whose bytes are not those of before.
func (p *page) examine(ctx context.Context, h *head, account Observed, digest []byte) error {
	apart, err := separate(account.Raw)
	if err != nil {
		p.fail(account.ID, err)
		return nil
	}
	step := p.step(h)
	if err := step.prepare(ctx, apart.body, resetsIn(apart.usage)); err != nil {
		return err
	}
	if err := step.compare(); err != nil {
		p.fail(account.ID, err)
		return nil
	}
	if h == nil {
		if h, err = p.newAccount(ctx, account.ID); err != nil {
			return err
		}
		step.head = h
	}
	if err := p.store(ctx, step, apart, digest); err != nil {
		return err
	}
	if p.take(h, step.documentID); step.changed() {
		p.done.Changed++
	} else {
		p.done.Unchanged++
	}
	return nil
}

// store writes the evidence of an account that was examined, and what follows
// from it.
func (p *page) store(ctx context.Context, step *step, apart separated, digest []byte) error {
	if err := p.insertIcon(ctx, apart.icon); err != nil {
		return err
	}
	if err := p.insertDocument(ctx, step, apart.body); err != nil {
		return err
	}
	counters, err := p.insertUsage(ctx, step, apart.usage)
	if err != nil {
		return err
	}
	step.head.at(p.source).Digest = digest
	if p.source != Detail {
		if err := p.relist(ctx, step.head); err != nil {
			return err
		}
	}
	return step.derive(ctx, counters)
}

// absent takes an account that the API answered 404 for.
func (p *page) absent(ctx context.Context, id string) error {
	h := p.heads[id]
	switch {
	case h == nil:
		p.failures = append(p.failures, Failure{
			Account: id, Kind: FailNotFound, HTTPStatus: 404,
			Message: "the API knows no such account, and neither does the store",
		})
		return nil
	case h.at(p.source).Seen.Int64 == p.id: // named twice in one response
		return nil
	case h.Gone:
		p.take(h, h.Detail.Document.Int64)
		p.done.StillGone++
		return nil
	}
	step := p.step(h)
	if err := step.prepare(ctx, nil, nil); err != nil {
		return err
	}
	if err := step.compare(); err != nil {
		return err
	}
	if err := p.insertDocument(ctx, step, nil); err != nil {
		return err
	}
	h.List.Document.Valid, h.List.Digest, h.Detail.Digest = false, nil, nil
	if err := step.derive(ctx, nil); err != nil {
		return err
	}
	p.take(h, step.documentID)
	p.done.Gone++
	return nil
}

func (p *page) fail(id string, err error) {
	p.failures = append(p.failures, Failure{Account: id, Kind: FailDecode, HTTPStatus: 200, Message: err.Error()})
}

func (p *page) newAccount(ctx context.Context, id string) (*head, error) {
	h := &head{Hash: id}
	err := p.tx.GetContext(ctx, &h.AccountID,
		`INSERT INTO account (workspace_id, hash, first_seen) VALUES (?, ?, ?) RETURNING id`, p.w.workspaceID, id, p.received)
	p.heads[id] = h
	return h, err
}

func resetsIn(usages []usage) json.RawMessage {
	for _, u := range usages {
		if u.pointer == "/resets_in" {
			return u.body
		}
	}
	return nil
}
