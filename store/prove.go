package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// ErrLater means that what is to be proven came after the checkpoint.
var ErrLater = errors.New("came after the checkpoint")

// ErrRedacted means that what is to be proven was redacted: but for its document, it
// can be proven still.
var ErrRedacted = errors.New("was redacted: what was observed of it is gone, and the secret that would prove it")

// ProofQuery asks for the proof of a snapshot.
type ProofQuery struct {
	Workspace, Account string    // account: its id
	At                 time.Time // the last snapshot taken at or before it is meant; zero: the last
	Size               int64     // of the log, as a checkpoint has it; 0: all of it
	WithoutDocument    bool      // the proof does not show the document
}

// Proof is a proof that lacks its checkpoint, and what that is to sign.
type Proof struct {
	ledger.Proof
	Tree  tlog.Tree
	Taken time.Time // when the snapshot was received
	// Next, unless it is zero, is when the next snapshot was received that can be
	// proven: those between it and the one that is proven were thinned out.
	Next time.Time
}

// Prove makes the proof of a snapshot. It returns ErrNotFound when there was none
// at or before the moment, ErrLater when it came after the log had that size, and
// ErrRedacted.
func (s *Store) Prove(ctx context.Context, q ProofQuery) (p Proof, err error) {
	err = s.apart(ctx, nil, func(tx *txn) error {
		if p.Tree, err = treeAt(ctx, tx, q.Size); err != nil {
			return err
		}
		snapshot, err := findSnapshot(ctx, tx, q)
		if err != nil {
			return err
		}
		p.Taken = time.UnixMilli(snapshot.Received).UTC()
		if p.Next, err = snapshot.next(ctx, tx, q); err != nil {
			return err
		}
		return p.fill(ctx, tx, snapshot, q)
	})
	return p, s.failure(err)
}

// treeAt is the tree of the log as it had so many entries; 0: as it is.
func treeAt(ctx context.Context, tx getter, size int64) (tree tlog.Tree, err error) {
	if size == 0 {
		return treeOf(ctx, tx)
	}
	hash, err := tlog.TreeHash(size, hashReader(ctx, tx))
	return tlog.Tree{N: size, Hash: hash}, err
}

// foundSnapshot is the row of a snapshot, with what is around it.
type foundSnapshot struct {
	Response  int64          `db:"response_id"`
	Account   int64          `db:"account_id"`
	Document  int64          `db:"document_id"`
	Workspace int64          `db:"workspace_id"`
	Received  int64          `db:"received_at"`
	Salt      []byte         `db:"salt"`
	Body      sql.NullString `db:"body"`
}

// findSnapshot finds the last one taken at or before the moment.
func findSnapshot(ctx context.Context, tx *txn, q ProofQuery) (found foundSnapshot, err error) {
	err = tx.GetContext(ctx, &found, `
		SELECT
			s.response_id AS response_id,
			s.account_id AS account_id,
			s.document_id AS document_id,
			r.workspace_id AS workspace_id,
			r.received_at AS received_at,
			a.salt AS salt,
			d.body AS body
		FROM account a
		JOIN workspace w ON w.id = a.workspace_id
		JOIN response r ON r.workspace_id = w.id
			AND r.received_at <= ? AND +a.id BETWEEN r.account_min AND r.account_max
		JOIN snapshot s ON s.response_id = r.id AND s.account_id = a.id
		JOIN document d ON d.id = s.document_id
		WHERE w.name = ? AND a.hash = ?
		ORDER BY r.received_at DESC, r.id DESC LIMIT 1`, q.until(), q.Workspace, q.Account)
	if err == nil && len(found.Salt) == 0 && !q.WithoutDocument {
		err = fmt.Errorf("account %s %w", q.Account, ErrRedacted)
	}
	return found, err
}

func (q ProofQuery) until() int64 {
	if q.At.IsZero() {
		return lastMS
	}
	return q.At.UnixMilli()
}

// next is when the account was next seen in a snapshot that is there, if between
// that one and the moment others may have been thinned out; else the zero time.
func (f foundSnapshot) next(ctx context.Context, tx *txn, q ProofQuery) (time.Time, error) {
	var thinned bool
	err := tx.GetContext(ctx, &thinned, `
		SELECT EXISTS (
			SELECT 1
			FROM thinned t
			JOIN response r ON r.id = t.response_id
			WHERE r.workspace_id = ? AND r.id > ? AND r.received_at <= ? AND ? BETWEEN r.account_min AND r.account_max
		)`, f.Workspace, f.Response, q.until(), f.Account)
	if err != nil || !thinned {
		return time.Time{}, err
	}
	var ms sql.NullInt64
	err = tx.GetContext(ctx, &ms, `
		SELECT min(r.received_at)
		FROM response r
		JOIN snapshot s ON s.response_id = r.id AND s.account_id = ?2
		WHERE r.workspace_id = ?1 AND r.received_at >= ?3 AND r.id > ?4 AND ?2 BETWEEN r.account_min AND r.account_max`,
		f.Workspace, f.Account, f.Received, f.Response)
	return instant(ms), err
}

// fill makes the proof of the snapshot.
func (p *Proof) fill(ctx context.Context, tx *txn, f foundSnapshot, q ProofQuery) (err error) {
	if p.EntryIndex, p.Entry, err = entryOf(ctx, tx, f.Response); err != nil {
		return err
	}
	if p.EntryIndex >= p.Tree.N {
		return fmt.Errorf("the snapshot of %s %w", p.Taken.Format(time.RFC3339Nano), ErrLater)
	}
	if err := p.show(ctx, tx, f); err != nil {
		return err
	}
	if body := rawOrNil(f.Body); body != nil && !q.WithoutDocument {
		p.Document, p.Blind = body, ledger.Salt(f.Salt).DocumentBlind(f.Document)
	}
	p.InLog, err = tlog.ProveRecord(p.Tree.N, p.EntryIndex, hashReader(ctx, tx))
	return err
}

// entryOf finds the entry of a response.
func entryOf(ctx context.Context, tx *txn, response int64) (index int64, text string, err error) {
	var row struct {
		ID   int64  `db:"id"`
		Text string `db:"text"`
	}
	err = tx.GetContext(ctx, &row, `
		SELECT id, text
		FROM entry
		WHERE instr(text, char(10) || 'response ' || ? || ' ') > 0
		ORDER BY id LIMIT 1`, response)
	if errors.Is(err, sql.ErrNoRows) {
		err = damagedRow("log", fmt.Errorf("no entry names response %d", response))
	}
	return row.ID - 1, row.Text, err
}

// show makes the part of the proof that is about the response.
func (p *Proof) show(ctx context.Context, tx *txn, f foundSnapshot) error {
	logged, err := loggedLine(p.Entry, f.Response)
	if err != nil {
		return err
	}
	reader := newLogReader(tx)
	line, page, err := reader.page(ctx, f.Response, logged.Shown)
	if err != nil {
		return err
	}
	if line.Line() != logged.Line() {
		return damagedRow("response", fmt.Errorf("%d is not what the log says", f.Response))
	}
	all, err := shownBy(ctx, tx, f.Response)
	if err != nil {
		return err
	}
	for i, s := range all {
		if s.account != f.Account {
			continue
		}
		document, err := reader.document(ctx, s.document)
		if err != nil {
			return err
		}
		p.Shown = document.observed(f.Response, &s)
		p.Response, p.Index = f.Response, page.There()[i]
		p.InResponse = page.Prove(p.Index)
	}
	return nil
}

// loggedLine is what an entry says of a response.
func loggedLine(entry string, response int64) (ledger.Response, error) {
	_, lines, err := ledger.ParseEntry(entry)
	if err != nil {
		return ledger.Response{}, damagedRow("log", err)
	}
	for _, line := range lines {
		if what, number := ledger.Subject(line); what == "response" && number == response {
			r, err := ledger.ParseResponse(line)
			if err != nil {
				err = damagedRow("log", err)
			}
			return r, err
		}
	}
	return ledger.Response{}, damagedRow("log", fmt.Errorf("no line of response %d", response))
}
