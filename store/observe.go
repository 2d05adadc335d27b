package store

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// observe takes one account of the response, whose head is h. seen is nil when its
// object is the one before.
func (p *page) observe(ctx context.Context, h *head, account Observed, digest []byte, seen *news) error {
	switch {
	case h != nil && p.repeats(h):
		p.done.Repeated++
		return nil
	case seen == nil:
		p.take(h, h.at(p.source).Document.Int64, ledger.Hash(h.at(p.source).leaf))
		p.done.Unchanged++
		return nil
	case seen.err != nil:
		p.fail(account.ID, seen.err)
		return nil
	}
	if err := p.w.heads.complete(ctx, p.tx, h); err != nil {
		return err
	}
	if h != nil {
		if seen.receipt == nil {
			seen.receipt = p.movedOnly(h, digest, seen)
		}
		if seen.receipt != nil {
			p.standing(h, digest, seen)
			return nil
		}
	}
	if seen.known {
		*seen = readNews(&account)
	}
	return p.examine(ctx, h, account.ID, digest, seen)
}

// repeats reports whether this run's list, this very response or, in an import,
// the very instant has shown the account before.
func (p *page) repeats(h *head) bool {
	switch seen := h.at(p.source).Seen.Int64; p.source {
	case List:
		return seen >= p.w.firstResponse
	case Import:
		return seen == p.id || p.received == p.w.clock.last && seen >= p.w.clock.lastResponse
	default:
		return seen == p.id
	}
}

// take notes that the response shows the account with the document.
func (p *page) take(h *head, document int64, leaf ledger.Hash) {
	p.taken = append(p.taken, taken{h.AccountID, document, leaf})
	p.w.heads.mark(h, p.source, p.id)
}

// examine is the way of an account that may have changed. h is nil at its first
// sight.
func (p *page) examine(ctx context.Context, h *head, id string, digest []byte, seen *news) (err error) {
	step := p.step(h)
	p.rows.take()
	err = step.prepare(ctx, seen.body, resetsIn(seen.usage))
	if p.rows.give(); err != nil {
		return err
	}
	if err := step.compare(); err != nil {
		p.fail(id, err)
		return nil
	}
	p.rows.take()
	defer p.rows.give()
	if h == nil {
		if h, err = p.newAccount(ctx, id); err != nil {
			return err
		}
		step.head = h
	}
	leaf, err := p.store(ctx, step, digest, seen)
	if err != nil {
		return err
	}
	e := h.at(p.source)
	e.body, e.template = bytes.Clone(seen.digest[:]), seen.template // a copy: the head outlives what it stands in
	if p.take(h, step.documentID, leaf); step.changed() {
		p.done.Changed++
	} else {
		p.done.Unchanged++
	}
	return nil
}

// movedOnly is the receipt of an account whose document is the one before, by its
// digest, and which is in the state before but for its counters; nil: it is not so.
// What resets_in tells moves the health, and goes the long way.
func (p *page) movedOnly(h *head, digest []byte, seen *news) *receipt {
	e := h.at(p.source)
	if !h.whole || !h.settled(p.source, e.Document.Int64, p.received) || p.source != Detail && h.AbsenceID.Valid {
		return nil
	}
	resets := !isNull(jsontext.Value(h.usageAt("/resets_in"))) || !isNull(jsontext.Value(resetsIn(seen.usage)))
	if resets || !bytes.Equal(e.body, seen.digest[:]) {
		return nil
	}
	r := p.receipt(h, digest, seen.usage)
	return &r
}

// standing takes an account of which only the counters moved.
func (p *page) standing(h *head, digest []byte, seen *news) {
	e := h.at(p.source)
	p.receive(h, digest, *seen.receipt)
	p.take(h, e.Document.Int64, seen.receipt.leaf)
	p.done.Unchanged++
	e.template = seen.template
}

// store writes the evidence of an account that was examined, and what follows
// from it. It answers the leaf of the snapshot.
func (p *page) store(ctx context.Context, step *step, digest []byte, seen *news) (leaf ledger.Hash, err error) {
	if err := p.insertIcon(ctx, seen.icon); err != nil {
		return leaf, err
	}
	if err := p.insertDocument(ctx, step, seen.body); err != nil {
		return leaf, err
	}
	r := p.receipt(step.head, digest, seen.usage)
	p.receive(step.head, digest, r)
	if p.source != Detail {
		if err := p.relist(ctx, step.head); err != nil {
			return leaf, err
		}
	}
	return r.leaf, step.derive(ctx)
}

// absent takes an account that the API answered 404 for.
func (p *page) absent(ctx context.Context, h *head, id string) error {
	if err := p.w.heads.complete(ctx, p.tx, h); err != nil {
		return err
	}
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
		p.take(h, h.Detail.Document.Int64, ledger.Hash(h.Detail.leaf))
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
	h.vanish()
	if err := step.derive(ctx); err != nil {
		return err
	}
	p.take(h, step.documentID, ledger.Hash(h.Detail.leaf))
	p.done.Gone++
	return nil
}

func (p *page) fail(id string, err error) {
	p.failures = append(p.failures, Failure{Account: id, Kind: FailDecode, HTTPStatus: 200, Message: err.Error()})
}

func (p *page) newAccount(ctx context.Context, id string) (*head, error) {
	h := &head{Hash: id, Salt: ledger.NewSalt()}
	err := p.tx.insert(ctx, &h.AccountID,
		`INSERT INTO account (workspace_id, hash, first_seen, salt) VALUES (?, ?, ?, ?)`,
		p.w.heads.workspaceID, id, p.received, []byte(h.Salt))
	if err != nil {
		return nil, err
	}
	return h, p.w.heads.add(ctx, p.tx, h)
}

func resetsIn(usages []usage) json.RawMessage {
	for _, u := range usages {
		if u.pointer == "/resets_in" {
			return u.body
		}
	}
	return nil
}
