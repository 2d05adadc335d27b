package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
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
	paged       bool                       // a page was asked for: see loadAll
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
	hs.known, hs.touched, hs.paged = map[string]*head{}, nil, false
	hs.squids, hs.icons = map[string]string{}, map[[sha256.Size]byte]bool{}
}

// add takes up the head of an account that has just been made.
func (hs *heads) add(ctx context.Context, tx *txn, h *head) error {
	h.Usage, h.whole = map[string]*counter{}, true
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

// move notes where a volatile value stands since the response.
func (hs *heads) move(h *head, u usage, response int64) {
	hs.touch(h)
	c := h.Usage[u.pointer]
	if c == nil {
		c = &counter{}
		h.Usage[u.pointer] = c
	}
	if c.usage, c.response = u, response; !c.moved {
		h.moved = append(h.moved, c)
	}
	c.moved = true
}

// redigest notes that an object with another digest is the state that the endpoint
// has told of.
func (hs *heads) redigest(h *head, source Source, digest []byte) {
	hs.touch(h)
	e := h.at(source)
	e.Digest, e.digested = bytes.Clone(digest), true // the head outlives what it stands in
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
		listed.take(h.AccountID, &h.List)
		detailed.take(h.AccountID, &h.Detail)
	}
	if err := saveHeads(ctx, tx, hs.touched); err != nil {
		return err
	}
	if err := saveCounters(ctx, tx, hs.touched); err != nil {
		return err
	}
	for _, h := range hs.touched {
		h.touched, h.changed, h.List.digested, h.Detail.digested = false, false, false, false
	}
	hs.touched = hs.touched[:0]
	return errors.Join(listed.save(ctx, tx, "list_response_id"), detailed.save(ctx, tx, "detail_response_id"))
}
