package store

import (
	"context"
	"database/sql"
	"encoding/json"
)

// Rederive makes everything that is derived (versions, changes, status steps,
// assignments) again from the evidence, by the rules the store was opened with.
// It is one transaction: readers see the old state until it is done. progress,
// unless nil, is called after each response.
func (s *Store) Rederive(ctx context.Context, progress func(done, total int64)) error {
	if s.heads != nil {
		s.heads.forget()
	}
	return s.update(ctx, func(tx *txn) error {
		if err := forget(ctx, tx); err != nil {
			return err
		}
		if err := s.replay(ctx, tx, progress); err != nil {
			return err
		}
		return s.sealRederived(ctx, tx)
	})
}

// rulesVersion is the version of the rules by which the store was derived. An
// empty store has the current one.
func (s *Store) rulesVersion(ctx context.Context) (version int, err error) {
	err = s.update(ctx, func(tx *txn) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO setting (name, value) VALUES ('rules', ?) ON CONFLICT DO NOTHING`, s.rules.Version)
		if err != nil {
			return err
		}
		return tx.GetContext(ctx, &version, `SELECT value FROM setting WHERE name = 'rules'`)
	})
	return version, err
}

// forget removes everything derived. The setting opens the triggers that
// otherwise keep it.
func forget(ctx context.Context, tx *txn) error {
	_, err := tx.Tx.ExecContext(ctx, `
		PRAGMA defer_foreign_keys = 1;
		INSERT INTO setting (name, value) VALUES ('deriving', 1);
		DELETE FROM seen;
		DELETE FROM head;
		DELETE FROM counter;
		DELETE FROM change;
		DELETE FROM status_step;
		DELETE FROM assignment;
		DELETE FROM squid_name;
		DELETE FROM squid;
		DELETE FROM version;`)
	return err
}

// replay takes every response through the same steps as Append did.
func (s *Store) replay(ctx context.Context, tx *txn, progress func(done, total int64)) error {
	var last int64
	if err := tx.GetContext(ctx, &last, `SELECT coalesce(max(id), 0) FROM response`); err != nil {
		return err
	}
	w := &RunWriter{store: s, heads: newHeads(0)}
	for id := int64(1); id <= last; id++ {
		if err := w.replayResponse(ctx, tx, id); err != nil {
			return err
		}
		if progress != nil {
			progress(id, last)
		}
	}
	return nil
}

// kept is one snapshot as it is stored.
type kept struct {
	Hash       string         `db:"hash"`
	AccountID  int64          `db:"account_id"`
	DocumentID int64          `db:"document_id"`
	Body       sql.NullString `db:"body"`
	ResetsIn   sql.NullString `db:"resets_in"`
}

func (w *RunWriter) replayResponse(ctx context.Context, tx *txn, id int64) error {
	p := page{w: w, tx: tx, id: id}
	var workspaceID int64
	row := tx.QueryRowxContext(ctx, `SELECT workspace_id, source, sent_at, received_at FROM response WHERE id = ?`, id)
	if err := row.Scan(&workspaceID, &p.source, &p.sent, &p.received); err != nil {
		return err
	}
	if workspaceID != w.heads.workspaceID {
		w.heads = newHeads(workspaceID)
	}
	var rows []kept
	err := tx.SelectContext(ctx, &rows, `
		SELECT
			a.hash AS hash,
			a.id AS account_id,
			d.id AS document_id,
			d.body AS body,
			(
				SELECT u.body FROM usage u
				WHERE u.account_id = a.id AND u.pointer = '/resets_in' AND u.response_id <= s.response_id
				ORDER BY u.response_id DESC LIMIT 1
			) AS resets_in
		FROM snapshot s
		JOIN account a ON a.id = s.account_id
		JOIN document d ON d.id = s.document_id
		WHERE s.response_id = ?
		ORDER BY s.account_id`, id)
	if err != nil {
		return err
	}
	hashes := make([]string, len(rows))
	for i := range rows {
		hashes[i] = rows[i].Hash
	}
	if err := w.heads.load(ctx, tx, p.source, hashes); err != nil {
		return err
	}
	for i := range rows {
		if err := p.replayOne(ctx, &rows[i]); err != nil {
			return err
		}
	}
	return w.heads.save(ctx, tx)
}

// replayOne derives one snapshot again.
func (p *page) replayOne(ctx context.Context, row *kept) error {
	h := p.head(row.Hash)
	if err := p.w.heads.complete(ctx, p.tx, h); err != nil {
		return err
	}
	var resets json.RawMessage
	if row.Body.Valid && hasMember([]byte(row.Body.String), "resets_in") {
		resets = rawOrNil(row.ResetsIn)
	}
	if h != nil && resets == nil && h.settled(p.source, row.DocumentID, p.received) {
		p.take(h, row.DocumentID)
		return nil
	}
	step := p.step(h)
	if err := step.prepare(ctx, rawOrNil(row.Body), resets); err != nil {
		return err
	}
	if err := step.compare(); err != nil {
		return err
	}
	if h == nil {
		h = &head{AccountID: row.AccountID, Hash: row.Hash}
		if err := p.w.heads.add(ctx, p.tx, h); err != nil {
			return err
		}
		step.head = h
	}
	step.documentID = row.DocumentID
	step.fresh = h.at(p.source).Document.Int64 != row.DocumentID
	h.at(p.source).Document = sql.NullInt64{Int64: row.DocumentID, Valid: true}
	h.List.Document.Valid = h.List.Document.Valid && !step.new.Gone
	if !step.new.Gone || !h.Gone { // a second 404 says nothing new
		if err := step.derive(ctx); err != nil {
			return err
		}
	}
	if row.ResetsIn.Valid { // of all usage, only this has a part in states
		p.w.heads.move(h, usage{pointer: "/resets_in", body: rawOrNil(row.ResetsIn)}, p.id)
	}
	p.take(h, row.DocumentID)
	return nil
}

// sealRederived puts back what stands in the heads but is not derived by steps.
func (s *Store) sealRederived(ctx context.Context, tx *txn) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE head SET
			absence_id = (SELECT id FROM absence WHERE account_id = head.account_id AND ended IS NULL)`)
	if err != nil {
		return err
	}
	// As migration 00006 made it.
	_, err = tx.ExecContext(ctx, `
		INSERT OR REPLACE INTO counter (account_id, pointer, response_id, body, max)
		SELECT account_id, pointer, max(response_id), body, max
		FROM usage
		GROUP BY account_id, pointer`)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE setting SET value = ? WHERE name = 'rules'`, s.rules.Version)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM setting WHERE name = 'deriving'`)
	return err
}
