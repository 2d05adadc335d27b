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

// move takes note of the volatile values that moved, and answers them by pointer.
func (p *page) move(h *head, usages []usage) (news []ledger.Counters) {
	for _, u := range usages {
		if string(h.usageAt(u.pointer)) == string(u.body) || h.Usage[u.pointer] == nil && string(u.body) == "null" {
			continue
		}
		p.moved = append(p.moved, moved{h.AccountID, u})
		p.w.heads.move(h, u, p.id)
		news = append(news, ledger.Counters{Pointer: u.pointer, Body: u.body, Max: u.max})
	}
	slices.SortFunc(news, func(a, b ledger.Counters) int { return strings.Compare(a.Pointer, b.Pointer) })
	return news
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

// insertSnapshots writes the rows of all accounts taken, in key order.
func (p *page) insertSnapshots(ctx context.Context) error {
	slices.SortFunc(p.taken, func(a, b taken) int { return cmp.Compare(a.account, b.account) })
	return insertRows(ctx, p.tx, `INSERT INTO snapshot (response_id, account_id, document_id) VALUES `, p.taken,
		func(values []any, t taken) []any { return append(values, p.id, t.account, t.document) })
}

// insertUsage writes the volatile values that moved, in key order.
func (p *page) insertUsage(ctx context.Context) error {
	slices.SortFunc(p.moved, func(a, b moved) int {
		return cmp.Or(cmp.Compare(a.account, b.account), strings.Compare(a.pointer, b.pointer))
	})
	return insertRows(ctx, p.tx, `INSERT INTO usage (response_id, account_id, pointer, body, max) VALUES `, p.moved,
		func(values []any, m moved) []any {
			return append(values, p.id, m.account, m.pointer, string(m.body), textOrNull(m.max))
		})
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
