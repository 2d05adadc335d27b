package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/lobstrail/lobstrail/store/ledger"
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
	err := p.tx.GetContext(ctx, &step.documentID, `
		INSERT INTO document (account_id, source, response_id, body) VALUES (?, ?, ?, ?) RETURNING id`,
		step.head.AccountID, p.source, p.id, textOrNull(body))
	step.head.show(p.source, step.documentID, body)
	return err
}

// insertUsage keeps the volatile values that moved, and answers them by pointer.
func (p *page) insertUsage(ctx context.Context, h *head, usages []usage) (moved []ledger.Counters, err error) {
	for _, u := range usages {
		before, known := h.Usage[u.pointer]
		if string(before) == string(u.body) || !known && string(u.body) == "null" {
			continue
		}
		h.Usage[u.pointer] = u.body
		p.w.heads.change(h)
		_, err := p.tx.ExecContext(ctx, `
			INSERT INTO usage (account_id, pointer, response_id, body, max) VALUES (?, ?, ?, ?, ?)`,
			h.AccountID, u.pointer, p.id, string(u.body), textOrNull(u.max))
		if err != nil {
			return nil, err
		}
		moved = append(moved, ledger.Counters{Pointer: u.pointer, Body: u.body, Max: u.max})
	}
	slices.SortFunc(moved, func(a, b ledger.Counters) int { return cmp.Compare(a.Pointer, b.Pointer) })
	return moved, nil
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

// rowsAStatement is how many snapshots one statement writes: so many values cost
// the driver less than as many statements, or JSON.
const rowsAStatement = 100

var insertRows = `INSERT INTO snapshot (response_id, account_id, document_id) VALUES ` +
	strings.TrimSuffix(strings.Repeat("(?1, ?, ?), ", rowsAStatement), ", ")

// insertSnapshots writes the rows of all accounts taken, in key order.
func (p *page) insertSnapshots(ctx context.Context) error {
	slices.SortFunc(p.taken, func(a, b taken) int { return cmp.Compare(a.account, b.account) })
	rest := p.taken
	for len(rest) >= rowsAStatement {
		values := append(make([]any, 0, 1+2*rowsAStatement), p.id)
		for _, t := range rest[:rowsAStatement] {
			values = append(values, t.account, t.document)
		}
		if _, err := p.tx.ExecContext(ctx, insertRows, values...); err != nil {
			return err
		}
		rest = rest[rowsAStatement:]
	}
	for _, t := range rest {
		_, err := p.tx.ExecContext(ctx, `INSERT INTO snapshot (response_id, account_id, document_id) VALUES (?, ?, ?)`,
			p.id, t.account, t.document)
		if err != nil {
			return err
		}
	}
	return nil
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
