package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// maxHeads bounds how many heads a writer keeps at hand between responses, at
// about a kilobyte each. An import comes by each account again and again.
const maxHeads = 1 << 14

// heads are those that a writer has at hand. What is changed in them is written
// by save, within the transaction.
type heads struct {
	workspaceID int64
	known       map[string]*head           // by the id of the account
	touched     []*head                    // changed or marked
	squids      map[string]string          // the names by which squids are known, by id
	icons       map[[sha256.Size]byte]bool // that are kept
}

func newHeads(workspaceID int64) *heads {
	hs := &heads{workspaceID: workspaceID}
	hs.forget()
	return hs
}

// forget makes the next load read anew: after something else wrote heads, or a
// transaction was rolled back.
func (hs *heads) forget() {
	hs.known, hs.touched = map[string]*head{}, nil
	hs.squids, hs.icons = map[string]string{}, map[[sha256.Size]byte]bool{}
}

// add takes up the head of an account that has just been made.
func (hs *heads) add(ctx context.Context, tx *txn, h *head) error {
	h.Usage, h.whole = map[string]json.RawMessage{}, true
	hs.known[h.Hash] = h
	hs.change(h)
	_, err := tx.ExecContext(ctx, `INSERT INTO seen (account_id) VALUES (?)`, h.AccountID)
	return err
}

// change notes that the head is another than the table has.
func (hs *heads) change(h *head) {
	hs.touch(h)
	h.changed = true
}

// mark notes that a response has shown the account.
func (hs *heads) mark(h *head, source Source, response int64) {
	hs.touch(h)
	e := h.at(source)
	e.marked, e.Seen = true, sql.NullInt64{Int64: response, Valid: true}
}

func (hs *heads) touch(h *head) {
	if !h.touched {
		hs.touched = append(hs.touched, h)
	}
	h.touched = true
}

// save writes what has changed, in the order of the tables.
func (hs *heads) save(ctx context.Context, tx *txn) error {
	slices.SortFunc(hs.touched, func(a, b *head) int { return cmp.Compare(a.AccountID, b.AccountID) })
	var listed, detailed marks
	for _, h := range hs.touched {
		if h.changed {
			if err := saveHead(ctx, tx, h); err != nil {
				return err
			}
		}
		listed.take(h.AccountID, &h.List)
		detailed.take(h.AccountID, &h.Detail)
		h.touched, h.changed = false, false
	}
	hs.touched = hs.touched[:0]
	return errors.Join(
		listed.save(ctx, tx, `UPDATE seen SET list_response_id = ? FROM json_each(?) shown WHERE account_id = shown.value`),
		detailed.save(ctx, tx, `UPDATE seen SET detail_response_id = ? FROM json_each(?) shown WHERE account_id = shown.value`))
}

// marks are the accounts that a response was the last to show, as JSON, by the
// response.
type marks map[int64]array

func (m *marks) take(account int64, e *endpoint) {
	if !e.marked {
		return
	}
	e.marked = false
	if *m == nil {
		*m = marks{}
	}
	(*m)[e.Seen.Int64] = (*m)[e.Seen.Int64].add(account)
}

func (m marks) save(ctx context.Context, tx *txn, query string) error {
	for _, response := range slices.Sorted(maps.Keys(m)) {
		if _, err := tx.ExecContext(ctx, query, response, m[response].String()); err != nil {
			return err
		}
	}
	return nil
}

// saveHead writes the head.
func saveHead(ctx context.Context, tx *txn, h *head) error {
	usage, err := encodeCounters(h.Usage)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO head (
			account_id, version_id, status_step_id, health, health_after, health_before, gone, locked_until, absence_id,
			list_digest, list_document_id, list_version_id,
			detail_digest, detail_document_id, detail_version_id, usage, list_leaf, detail_leaf
		) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
		ON CONFLICT (account_id) DO UPDATE SET
			version_id = excluded.version_id,
			status_step_id = excluded.status_step_id,
			health = excluded.health,
			health_after = excluded.health_after,
			health_before = excluded.health_before,
			gone = excluded.gone,
			locked_until = excluded.locked_until,
			absence_id = excluded.absence_id,
			list_digest = excluded.list_digest,
			list_document_id = excluded.list_document_id,
			list_version_id = excluded.list_version_id,
			detail_digest = excluded.detail_digest,
			detail_document_id = excluded.detail_document_id,
			detail_version_id = excluded.detail_version_id,
			usage = excluded.usage,
			list_leaf = excluded.list_leaf,
			detail_leaf = excluded.detail_leaf`,
		h.AccountID, h.VersionID, h.StepID, h.Health, h.SinceAfter, h.SinceBefore, h.Gone, h.LockedUntil, h.AbsenceID,
		h.List.Digest, h.List.Document, h.List.Version,
		h.Detail.Digest, h.Detail.Document, h.Detail.Version,
		string(usage), h.List.leaf, h.Detail.leaf)
	return err
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
