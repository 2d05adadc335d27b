package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
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

// insertSnapshots writes the rows of all accounts taken, in key order, and when
// they were seen: two statements, however many accounts there are.
func (p *page) insertSnapshots(ctx context.Context) error {
	slices.SortFunc(p.taken, func(a, b taken) int { return cmp.Compare(a.account, b.account) })
	_, err := p.tx.ExecContext(ctx, `
		INSERT INTO snapshot (response_id, account_id, document_id)
		SELECT ?, json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)`, p.id, p.takenJSON())
	if err != nil {
		return err
	}
	return p.markSeen(ctx)
}

// markSeen notes that the response is the last that showed the accounts taken.
func (p *page) markSeen(ctx context.Context) error {
	column := "list_response_id"
	if p.source == Detail {
		column = "detail_response_id"
	}
	_, err := p.tx.ExecContext(ctx, `
		INSERT INTO seen (account_id, `+column+`)
		SELECT json_extract(value, '$[0]'), ? FROM json_each(?) WHERE true
		ON CONFLICT (account_id) DO UPDATE SET `+column+` = excluded.`+column, p.id, p.takenJSON())
	return err
}

// takenJSON is a list of [account, document] pairs: one parameter for any
// number of rows.
func (p *page) takenJSON() string {
	rows := append(make([]byte, 0, 16*len(p.taken)+2), '[')
	for i, t := range p.taken {
		if i > 0 {
			rows = append(rows, ',')
		}
		rows = append(strconv.AppendInt(append(rows, '['), t.account, 10), ',')
		rows = append(strconv.AppendInt(rows, t.document, 10), ']')
	}
	return string(append(rows, ']'))
}
