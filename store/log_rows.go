package store

import (
	"bytes"
	"context"
	"database/sql"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// receipt is what came with a snapshot beside its document.
type receipt struct {
	moved []ledger.Counters // by pointer
	leaf  ledger.Hash       // of the snapshot
	same  bool              // nothing moved, and the bytes are those of the endpoint's last object
}

// receipt finds what came with a snapshot of the account. It changes nothing.
func (p *page) receipt(h *head, digest []byte, usages []usage) receipt {
	e, r := h.at(p.source), receipt{moved: h.movements(usages)}
	if r.same = len(r.moved) == 0 && bytes.Equal(e.Digest, digest); r.same {
		r.leaf = ledger.Hash(e.leaf)
		return r
	}
	commitment := h.Salt.ReceivedBlind(p.id).Received(digest, r.moved)
	r.leaf = ledger.Observed{Account: h.Hash, Document: e.commits, Received: &commitment}.Leaf()
	return r
}

// receive takes note of what came with the snapshot.
func (p *page) receive(h *head, digest []byte, r receipt) {
	for _, m := range r.moved {
		u := usage{m.Pointer, m.Body, m.Max}
		p.moved = append(p.moved, moved{h.AccountID, u})
		p.w.heads.move(h, u, p.id)
	}
	if r.same {
		return
	}
	p.w.heads.redigest(h, p.source, digest)
	p.news = append(p.news, received{h.AccountID, h.at(p.source).Digest})
}

// received is one row of table received.
type received struct {
	account int64
	digest  []byte
}

// log notes the response, with the root of the tree over its snapshots.
func (p *page) log() {
	if !logging {
		return
	}
	leaves := make([]ledger.Hash, len(p.taken))
	for i := range p.taken {
		leaves[i] = p.taken[i].leaf
	}
	p.line.ID, p.line.Shown, p.line.Root = p.id, int64(len(leaves)), ledger.Root(leaves)
	p.tx.log(p.line.Line())
}

// logFailure is a row of table failure, as its line has it.
type loggedFailure struct {
	ID         int64          `db:"id"`
	Run        int64          `db:"run_id"`
	Account    sql.NullString `db:"account"`
	Kind       string         `db:"kind"`
	HTTPStatus sql.NullInt64  `db:"http_status"`
	Message    string         `db:"message"`
	At         int64          `db:"at"`
	Salt       []byte         `db:"salt"`
	Erased     []byte         `db:"erased"` // the commitment to the message, when it is all that is left
}

const failureColumns = `id, run_id, account, kind, http_status, message, at, salt,
	(SELECT hash FROM redacted x WHERE x.what = 'failure' AND x.id = failure.id) AS erased`

func (f loggedFailure) line() string {
	line := ledger.Failure{
		ID: f.ID, Run: f.Run, Kind: f.Kind, HTTPStatus: numberOrNil(f.HTTPStatus), At: f.At,
		Message: ledger.Salt(f.Salt).Message(f.Message),
	}
	if f.Erased != nil {
		copy(line.Message[:], f.Erased)
	}
	if f.Account.Valid {
		line.Account = &f.Account.String
	}
	return line.Line()
}

// logAbsences notes the absences of a run for which the condition, of one
// parameter, holds.
func (t *txn) logAbsences(ctx context.Context, run int64, condition string, parameter int64) error {
	var rows []struct {
		ID      int64  `db:"id"`
		Account string `db:"account"`
		Since   int64  `db:"since"`
	}
	err := t.SelectContext(ctx, &rows, `
		SELECT x.id AS id, a.hash AS account, x.since AS since
		FROM absence x
		JOIN account a ON a.id = x.account_id
		WHERE `+condition+`
		ORDER BY x.id`, parameter)
	for _, row := range rows {
		t.log(ledger.Absence{ID: row.ID, Run: run, Account: row.Account, Since: row.Since}.Line())
	}
	if len(rows) > 0 {
		t.logRun(run)
	}
	return err
}
