package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
)

// insertIcon keeps the icon unless it is there already.
func (p *page) insertIcon(ctx context.Context, icon *string) error {
	if icon == nil {
		return nil
	}
	digest := sha256.Sum256([]byte(*icon))
	_, err := p.tx.ExecContext(ctx, `
		INSERT INTO icon (digest, body)
		SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM icon WHERE digest = ?1)`, digest[:], *icon)
	return err
}

// insertDocument keeps the document unless the endpoint's last one is the same.
func (p *page) insertDocument(ctx context.Context, step *step, body []byte) error {
	e := step.head.at(p.source)
	if body != nil && e.Document.Valid && string(step.lastBody) == string(body) {
		step.documentID = e.Document.Int64
		return nil
	}
	step.fresh = true
	err := p.tx.GetContext(ctx, &step.documentID, `
		INSERT INTO document (account_id, source, response_id, body) VALUES (?, ?, ?, ?) RETURNING id`,
		step.head.AccountID, p.source, p.id, textOrNull(body))
	e.Document = sql.NullInt64{Int64: step.documentID, Valid: true}
	return err
}

// insertUsage keeps the volatile values that moved. It answers the last of all
// of them, or nil when none moved.
func (p *page) insertUsage(ctx context.Context, step *step, usages []usage) ([]byte, error) {
	moved := false
	for _, u := range usages {
		before, known := step.counters[u.pointer]
		if string(before) == string(u.body) || !known && string(u.body) == "null" {
			continue
		}
		moved, step.counters[u.pointer] = true, u.body
		_, err := p.tx.ExecContext(ctx, `
			INSERT INTO usage (account_id, pointer, response_id, body, max) VALUES (?, ?, ?, ?, ?)`,
			step.head.AccountID, u.pointer, p.id, string(u.body), textOrNull(u.max))
		if err != nil {
			return nil, err
		}
	}
	if !moved {
		return nil, nil
	}
	return encodeCounters(step.counters)
}

// encodeCounters is json.Marshal without its escapes: what comes back must be
// the bytes that went in, or every snapshot would seem to move it.
func encodeCounters(counters map[string]json.RawMessage) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(counters)
	return bytes.TrimSpace(out.Bytes()), err
}

// relist ends the account's absence from lists, if it was absent.
func (p *page) relist(ctx context.Context, h *head) error {
	if !h.AbsenceID.Valid {
		return nil
	}
	_, err := p.tx.ExecContext(ctx, `UPDATE absence SET ended = ? WHERE id = ?`, p.received, h.AbsenceID)
	h.AbsenceID.Valid = false
	return err
}
