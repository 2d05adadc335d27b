package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// receive takes note of what came with the snapshot beside its document: the
// digest of the object as received, where it is another than the endpoint's last,
// and the counters that moved. It answers the leaf of the snapshot.
func (p *page) receive(h *head, digest []byte, usages []usage) ledger.Hash {
	moved := p.move(h, usages)
	e := h.at(p.source)
	if len(moved) == 0 && bytes.Equal(e.Digest, digest) {
		return ledger.Hash(e.leaf)
	}
	p.w.heads.redigest(h, p.source, digest)
	p.news = append(p.news, received{h.AccountID, e.Digest})
	commitment := h.Salt.ReceivedBlind(p.id).Received(digest, moved)
	return ledger.Observed{Account: h.Hash, Document: e.commits, Received: &commitment}.Leaf()
}

// received is one row of table received.
type received struct {
	account int64
	digest  []byte
}

// insertReceived writes what came with the snapshots, in key order.
func (p *page) insertReceived(ctx context.Context) error {
	slices.SortFunc(p.news, func(a, b received) int { return cmp.Compare(a.account, b.account) })
	return insertRows(ctx, p.tx, `INSERT INTO received (response_id, account_id, digest) VALUES `, p.news,
		func(values []any, r received) []any { return append(values, p.id, r.account, r.digest) })
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
