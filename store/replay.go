package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
)

// replay derives again, from the evidence, all that is derived: it takes every
// response through the same steps as Append did. What is written comes out the
// same, to the numbers of the rows.
type replay struct {
	store    *Store
	tx       *txn
	writers  map[int64]*RunWriter // by workspace
	heads    map[int64]*head      // by account, of all workspaces
	absences []foundAbsence       // that no response has come to yet
	shown    *shownRows
	redacted map[int64]bool // accounts of which what is derived is kept as it is
	numbers  *numbering     // nil when there are none
}

func newReplay(s *Store, tx *txn) *replay {
	return &replay{store: s, tx: tx, writers: map[int64]*RunWriter{}, heads: map[int64]*head{}}
}

// foundAbsence is a row of table absence; its end is derived.
type foundAbsence struct {
	ID      int64 `db:"id"`
	Account int64 `db:"account_id"`
	Run     int64 `db:"run_id"`
	Since   int64 `db:"since"`
}

// all takes every response. progress, unless nil, is called after each.
func (r *replay) all(ctx context.Context, progress func(done, total int64)) error {
	err := r.tx.SelectContext(ctx, &r.absences, `SELECT id, account_id, run_id, since FROM absence ORDER BY run_id, id`)
	if err != nil {
		return err
	}
	if r.redacted, r.numbers, err = keptNumbers(ctx, r.tx); err != nil {
		return err
	}
	var last int64
	if err := r.tx.GetContext(ctx, &last, `SELECT coalesce(max(id), 0) FROM response`); err != nil {
		return err
	}
	if r.shown, err = newShownRows(ctx, r.tx.Tx, 1, last); err != nil {
		return err
	}
	defer r.shown.close()
	// The driver starts a goroutine for each statement that may be broken off, and these
	// take microseconds: what may be broken off is the whole, between two responses.
	whole, ctx := ctx, context.WithoutCancel(ctx)
	err = r.tx.each(ctx, func(scan func(...any) error) error {
		if err := whole.Err(); err != nil {
			return context.Cause(whole)
		}
		var workspace, run int64
		p := page{tx: r.tx}
		if err := scan(&p.id, &workspace, &run, &p.source, &p.sent, &p.received); err != nil {
			return err
		}
		p.w = r.writer(workspace)
		if err := r.response(ctx, &p, run); err != nil {
			return err
		}
		if progress != nil {
			progress(p.id, last)
		}
		return nil
	}, `SELECT id, workspace_id, run_id, source, sent_at, received_at FROM response ORDER BY id`)
	if err != nil {
		return err
	}
	if err := r.findAbsent(ctx, math.MaxInt64, 0); err != nil {
		return err
	}
	return r.save(ctx)
}

// response takes one response.
func (r *replay) response(ctx context.Context, p *page, run int64) error {
	if err := r.findAbsent(ctx, run, p.received); err != nil {
		return err
	}
	shown, err := r.shown.of(p.id)
	if err != nil {
		return err
	}
	for i := range shown {
		if r.redacted[shown[i].account] {
			continue
		}
		if err := r.snapshot(ctx, p, &shown[i]); err != nil {
			return err
		}
	}
	if len(r.heads) > maxHeads {
		return r.save(ctx)
	}
	return nil
}

// findAbsent takes the absences that were found before a response of the run: by
// runs before, or by the same run, which an import does list by list.
func (r *replay) findAbsent(ctx context.Context, run, received int64) error {
	for len(r.absences) > 0 && (r.absences[0].Run < run || r.absences[0].Run == run && r.absences[0].Since < received) {
		found := r.absences[0]
		r.absences = r.absences[1:]
		if r.redacted[found.Account] {
			continue
		}
		w, err := r.load(ctx, found.Account)
		if err != nil {
			return err
		}
		h := r.heads[found.Account]
		if h == nil {
			return damagedRow("absence", errors.New("of an account that was never seen"))
		}
		h.AbsenceID = sql.NullInt64{Int64: found.ID, Valid: true}
		w.heads.change(h)
	}
	return nil
}

// writer is that of the workspace.
func (r *replay) writer(workspace int64) *RunWriter {
	w := r.writers[workspace]
	if w == nil {
		w = &RunWriter{store: r.store, heads: newHeads(workspace), numbers: r.numbers}
		r.writers[workspace] = w
	}
	return w
}

// load gets the head of the account at hand, if it has one.
func (r *replay) load(ctx context.Context, account int64) (*RunWriter, error) {
	var row struct {
		Workspace int64  `db:"workspace_id"`
		Hash      string `db:"hash"`
	}
	if err := r.tx.GetContext(ctx, &row, `SELECT workspace_id, hash FROM account WHERE id = ?`, account); err != nil {
		return nil, err
	}
	w := r.writer(row.Workspace)
	if r.heads[account] != nil {
		return w, nil
	}
	if err := w.heads.load(ctx, r.tx, List, []string{row.Hash}); err != nil {
		return nil, err
	}
	h := w.heads.known[row.Hash]
	if h != nil {
		r.heads[account] = h
	}
	return w, w.heads.complete(ctx, r.tx, h)
}

// save writes all heads, and starts afresh.
func (r *replay) save(ctx context.Context) error {
	for _, w := range r.writers {
		if err := w.heads.save(ctx, r.tx); err != nil {
			return err
		}
		w.heads.forget()
	}
	clear(r.heads)
	return nil
}
