package store

import (
	"context"
	"strconv"
)

// insertIcon keeps the icon unless it is there already.
func (p *page) insertIcon(ctx context.Context, icon *icon) error {
	if icon == nil || p.w.heads.icons[icon.digest] {
		return nil
	}
	_, err := p.tx.ExecContext(ctx, `
		INSERT INTO icon (digest, body)
		SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM icon WHERE digest = ?1)`, icon.digest[:], icon.text)
	p.w.heads.icons[icon.digest] = true
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
	err := p.tx.insert(ctx, &step.documentID, `
		INSERT INTO document (account_id, source, response_id, body) VALUES (?, ?, ?, ?)`,
		step.head.AccountID, p.source, p.id, textOrNull(body))
	step.head.show(p.source, step.documentID, body)
	return err
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

// array is numbers as JSON, but for the last bracket: one parameter for any
// number of them.
type array []byte

func (a array) add(n int64) array {
	if a == nil {
		return strconv.AppendInt([]byte{'['}, n, 10)
	}
	return strconv.AppendInt(append(a, ','), n, 10)
}

// String is the array.
func (a array) String() string {
	if a == nil {
		return "[]"
	}
	return string(a) + "]"
}
