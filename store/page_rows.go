package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// rowWriter writes the rows of pages, in their order, while the next pages are
// compared with what is known: nothing looks for these rows before the transaction
// ends.
//
// The connection does one thing at a time. That rows are written between any two
// statements of others does no harm; but without turns they would hold those up.
type rowWriter struct {
	turns
	pages   chan *page
	writing errgroup.Group
}

// startRows makes the writer for so many pages. With one there is nothing to do
// beside.
func startRows(ctx context.Context, tx *txn, pages int) *rowWriter {
	if pages == 1 {
		return &rowWriter{}
	}
	rows := &rowWriter{turns: make(turns, 1), pages: make(chan *page, pages)}
	inTurn := &txn{Tx: tx.Tx, writer: tx.writer, turns: rows.turns}
	rows.writing.Go(func() (err error) {
		for p := range rows.pages {
			if err == nil {
				err = p.insertRows(ctx, inTurn)
			}
		}
		return err
	})
	return rows
}

// write writes the rows of the page, or sees to it.
func (r *rowWriter) write(ctx context.Context, p *page) error {
	if r.pages == nil {
		return p.insertRows(ctx, p.tx)
	}
	r.pages <- p
	return nil
}

// end waits until all rows are written.
func (r *rowWriter) end() error {
	if r.pages == nil {
		return nil
	}
	close(r.pages)
	return r.writing.Wait()
}

// turns are had in the order in which they are asked for. One is full while somebody
// has the turn; nil has no turns.
type turns chan struct{}

func (t turns) take() {
	if t != nil {
		t <- struct{}{}
	}
}

func (t turns) give() {
	if t != nil {
		<-t
	}
}

// sortRows puts the rows in key order.
func (p *page) sortRows() {
	slices.SortFunc(p.taken, func(a, b taken) int { return cmp.Compare(a.account, b.account) })
	slices.SortFunc(p.moved, func(a, b moved) int {
		return cmp.Or(cmp.Compare(a.account, b.account), strings.Compare(a.pointer, b.pointer))
	})
	slices.SortFunc(p.news, func(a, b received) int { return cmp.Compare(a.account, b.account) })
}

// insertRows writes the snapshots, and what came with them.
func (p *page) insertRows(ctx context.Context, tx *txn) error {
	err := writeRows(ctx, tx, `INSERT OR FAIL INTO snapshot (response_id, account_id, document_id) VALUES`,
		[]any{p.id}, p.taken, func(values []any, t taken) []any { return append(values, t.account, t.document) })
	if err != nil {
		return err
	}
	err = writeRows(ctx, tx, `INSERT OR FAIL INTO usage (response_id, account_id, pointer, body, max) VALUES`,
		[]any{p.id}, p.moved, func(values []any, m moved) []any {
			return append(values, m.account, m.pointer, string(m.body), textOrNull(m.max))
		})
	if err != nil {
		return err
	}
	return writeRows(ctx, tx, `INSERT OR FAIL INTO received (response_id, account_id, digest) VALUES`,
		[]any{p.id}, p.news, func(values []any, r received) []any { return append(values, r.account, r.digest) })
}
