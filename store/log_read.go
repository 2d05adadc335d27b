package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// logReader makes lines and leaves of the log out of the rows that they are about.
type logReader struct {
	tx        *txn
	documents map[int64]*loggedDocument
}

// maxDocuments bounds how many documents are kept at hand, at about 200 bytes each.
const maxDocuments = 1 << 16

func newLogReader(tx *txn) *logReader {
	return &logReader{tx: tx, documents: map[int64]*loggedDocument{}}
}

// loggedDocument is what the log says of a document.
type loggedDocument struct {
	id, account, workspace int64 // row numbers
	firstSeen              int64 // of the account
	response               int64 // that first showed it
	salt                   ledger.Salt
	shown                  ledger.Observed
	leaf                   ledger.Hash // of a snapshot that shows it and nothing new
	redacted               bool        // its commitment is all that is left
	right                  bool        // a response that shows it is what the log says
}

// loggedResponse is a row of table response.
type loggedResponse struct {
	ID         int64         `db:"id"`
	Workspace  int64         `db:"workspace_id"`
	Run        int64         `db:"run_id"`
	Source     string        `db:"source"`
	Sent       int64         `db:"sent_at"`
	Received   int64         `db:"received_at"`
	HeldMS     int64         `db:"held_ms"`
	Server     sql.NullInt64 `db:"server_at"`
	AccountMin sql.NullInt64 `db:"account_min"`
	AccountMax sql.NullInt64 `db:"account_max"`
}

const loggedResponses = `
	SELECT
		id,
		workspace_id,
		run_id,
		source,
		sent_at,
		received_at,
		held_ms,
		server_at,
		account_min,
		account_max
	FROM response`

// line is that of the response, but for Shown and Root.
func (r loggedResponse) line() ledger.Response {
	return ledger.Response{
		ID: r.ID, Source: r.Source, Sent: r.Sent, Received: r.Received, HeldMS: r.HeldMS, Server: numberOrNil(r.Server),
		AccountMin: r.AccountMin.Int64, AccountMax: r.AccountMax.Int64,
	}
}

// response reads a response, but for Shown and Root, and the leaves of the
// snapshots that are there.
func (l *logReader) response(ctx context.Context, id int64) (line ledger.Response, leaves []ledger.Hash, err error) {
	var row loggedResponse
	if err = l.tx.GetContext(ctx, &row, loggedResponses+` WHERE id = ?`, id); err != nil {
		return line, nil, err
	}
	all, err := shownBy(ctx, l.tx, id)
	if err != nil {
		return line, nil, err
	}
	leaves, err = l.leaves(ctx, id, all)
	return row.line(), leaves, err
}

// leaves are those of the snapshots of a response.
func (l *logReader) leaves(ctx context.Context, response int64, all []shown) (leaves []ledger.Hash, err error) {
	leaves = make([]ledger.Hash, len(all))
	for i := range all {
		if leaves[i], err = l.leaf(ctx, response, &all[i]); err != nil {
			return nil, err
		}
	}
	return leaves, nil
}

// page is the tree over the snapshots of a response that showed so many.
func (l *logReader) page(ctx context.Context, id, size int64) (line ledger.Response, page *ledger.Page, err error) {
	line, leaves, err := l.response(ctx, id)
	if err != nil {
		return line, nil, err
	}
	var thinned []ledger.Thinned
	err = l.tx.each(ctx, func(scan func(...any) error) error {
		var t ledger.Thinned
		var hash []byte
		err := scan(&t.First, &t.Size, &hash)
		copy(t.Hash[:], hash)
		thinned = append(thinned, t)
		return err
	}, `SELECT first, size, hash FROM thinned WHERE response_id = ? ORDER BY first`, id)
	if err != nil {
		return line, nil, err
	}
	if page, err = ledger.NewPage(size, leaves, thinned); err != nil {
		return line, nil, damagedRow(fmt.Sprintf("response %d", id), err)
	}
	line.Shown, line.Root = size, page.Root()
	return line, page, nil
}

// leaf is that of a snapshot.
func (l *logReader) leaf(ctx context.Context, response int64, s *shown) (ledger.Hash, error) {
	d, err := l.document(ctx, s.document)
	switch {
	case err != nil:
		return ledger.Hash{}, err
	case d.account != s.account:
		return ledger.Hash{}, damagedRow("snapshot", fmt.Errorf("document %d is of another account", s.document))
	}
	return d.leafOf(response, s), nil
}

// leafOf is the leaf of a snapshot that shows the document.
func (d *loggedDocument) leafOf(response int64, s *shown) ledger.Hash {
	if !s.received {
		return d.leaf
	}
	return d.observed(response, s).Leaf()
}

// observed is what the leaf of a snapshot that shows the document is made of.
func (d *loggedDocument) observed(response int64, s *shown) ledger.Observed {
	shown := d.shown
	switch {
	case s.erased != ledger.Hash{}:
		shown.Received = &s.erased
	case s.received:
		shown.Received = new(d.salt.ReceivedBlind(response).Received(s.digest, s.moved))
	}
	return shown
}

// document reads what the log says of a document, once.
func (l *logReader) document(ctx context.Context, id int64) (*loggedDocument, error) {
	if d := l.documents[id]; d != nil {
		return d, nil
	}
	var row struct {
		Account   int64          `db:"account_id"`
		Workspace int64          `db:"workspace_id"`
		FirstSeen int64          `db:"first_seen"`
		Response  int64          `db:"response_id"`
		Hash      string         `db:"hash"`
		Salt      []byte         `db:"salt"`
		Body      sql.NullString `db:"body"`
		Erased    []byte         `db:"erased"`
	}
	err := l.tx.GetContext(ctx, &row, `
		SELECT
			d.account_id AS account_id,
			a.workspace_id AS workspace_id,
			a.first_seen AS first_seen,
			d.response_id AS response_id,
			a.hash AS hash,
			a.salt AS salt,
			d.body AS body,
			x.hash AS erased
		FROM document d
		JOIN account a ON a.id = d.account_id
		LEFT JOIN redacted x ON x.account_id = d.account_id AND x.what = 'document' AND x.id = d.id
		WHERE d.id = ?`, id)
	if err != nil {
		return nil, err
	}
	h := head{Hash: row.Hash, Salt: row.Salt}
	d := &loggedDocument{
		id: id, account: row.Account, workspace: row.Workspace, firstSeen: row.FirstSeen, response: row.Response, salt: row.Salt,
		shown: ledger.Observed{Account: row.Hash, Document: h.commitment(id, rawOrNil(row.Body))},
	}
	if row.Erased != nil {
		d.redacted, d.shown.Document = true, new(ledger.Hash)
		copy(d.shown.Document[:], row.Erased)
	}
	d.leaf = d.shown.Leaf()
	if len(l.documents) >= maxDocuments {
		clear(l.documents)
	}
	l.documents[id] = d
	return d, nil
}
