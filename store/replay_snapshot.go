package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
)

// snapshot derives one snapshot again.
func (r *replay) snapshot(ctx context.Context, p *page, s *shown) error {
	h := r.heads[s.account]
	if h == nil {
		if _, err := r.load(ctx, s.account); err != nil {
			return err
		}
		h = r.heads[s.account]
	}
	if h == nil || !r.stands(h, p, s) {
		return r.step(ctx, p, h, s)
	}
	r.took(p, h, s)
	return nil
}

// stands reports whether nothing follows from the snapshot: the account is in the
// state that it shows, but for counters. A resets_in means another end of the lock
// when it comes again in other bytes, or after the other endpoint spoke; else the
// same bytes were not looked into.
func (r *replay) stands(h *head, p *page, s *shown) bool {
	if !h.settled(p.source, s.document, p.received) || p.source != Detail && h.AbsenceID.Valid {
		return false
	}
	same := !s.received && h.at(p.source).Digest != nil && !h.overtaken(p.source)
	return same || isNull(jsontext.Value(h.usageAt("/resets_in"))) && isNull(jsontext.Value(s.resetsIn()))
}

// took notes what the snapshot leaves behind in the head.
func (r *replay) took(p *page, h *head, s *shown) {
	if s.received {
		p.w.heads.redigest(h, p.source, s.digest)
		for _, moved := range s.moved {
			p.w.heads.move(h, usage{moved.Pointer, moved.Body, moved.Max}, p.id)
		}
	}
	p.w.heads.mark(h, p.source, p.id)
}

// step takes a snapshot from which something may follow. h is nil at the first
// sight of the account.
func (r *replay) step(ctx context.Context, p *page, h *head, s *shown) error {
	var row struct {
		Hash string         `db:"hash"`
		Salt []byte         `db:"salt"`
		Body sql.NullString `db:"body"`
	}
	err := p.tx.GetContext(ctx, &row, `
		SELECT a.hash AS hash, a.salt AS salt, d.body AS body
		FROM document d
		JOIN account a ON a.id = ?
		WHERE d.id = ?`, s.account, s.document)
	if err != nil {
		return err
	}
	step := p.step(h)
	if err := step.prepare(ctx, rawOrNil(row.Body), r.resetsIn(h, s, row.Body.String)); err != nil {
		return err
	}
	if err := step.compare(); err != nil {
		return err
	}
	if h == nil {
		h = &head{AccountID: s.account, Hash: row.Hash, Salt: row.Salt}
		if err := p.w.heads.add(ctx, p.tx, h); err != nil {
			return err
		}
		r.heads[s.account], step.head = h, h
	}
	if err := r.derive(ctx, p, step, s.document, row.Body); err != nil {
		return err
	}
	r.took(p, h, s)
	return nil
}

// derive writes what follows from the snapshot.
func (r *replay) derive(ctx context.Context, p *page, step *step, document int64, body sql.NullString) error {
	h := step.head
	step.documentID = document
	if step.fresh = h.at(p.source).Document.Int64 != document; step.fresh {
		h.show(p.source, document, rawOrNil(body))
	}
	switch {
	case !step.new.Gone && p.source != Detail:
		if err := p.relist(ctx, h); err != nil {
			return err
		}
	case step.new.Gone && h.Gone: // a second 404 says nothing new
		return nil
	case step.new.Gone:
		h.vanish()
	}
	return step.derive(ctx)
}

// resetsIn is what is known of /resets_in when the snapshot shows a document that
// has it; nil when it does not.
func (r *replay) resetsIn(h *head, s *shown, body string) json.RawMessage {
	if !hasMember([]byte(body), "resets_in") {
		return nil
	}
	if moved := s.resetsIn(); moved != nil || h == nil {
		return moved
	}
	return h.usageAt("/resets_in")
}

// resetsIn is the /resets_in that moved; nil when it did not.
func (s *shown) resetsIn() json.RawMessage {
	for _, moved := range s.moved {
		if moved.Pointer == "/resets_in" {
			return moved.Body
		}
	}
	return nil
}
