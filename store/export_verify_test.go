package store

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// RewriteLog makes the lines of responses again from the rows as they are, and all
// hashes with them: it is what verify cannot see.
func (s *Store) RewriteLog(ctx context.Context) error {
	return s.update(ctx, func(tx *txn) error {
		if _, err := tx.ExecContext(ctx, `DROP TRIGGER entry_is_fixed`); err != nil {
			return err
		}
		var texts []string
		if err := tx.SelectContext(ctx, &texts, `SELECT text FROM entry ORDER BY id`); err != nil {
			return err
		}
		reader := newLogReader(tx)
		for i, text := range texts {
			number, lines, err := ledger.ParseEntry(text)
			if err != nil {
				return err
			}
			for j, line := range lines {
				if was, err := ledger.ParseResponse(line); err == nil {
					now, _, err := reader.page(ctx, was.ID, was.Shown)
					if err != nil {
						return err
					}
					lines[j] = now.Line()
				}
			}
			text = ledger.FormatEntry(number, lines)
			hashes, err := tlog.StoredHashes(int64(i), []byte(text), hashReader(ctx, tx))
			if err != nil {
				return err
			}
			var whole []byte
			for _, hash := range hashes {
				whole = append(whole, hash[:]...)
			}
			if _, err := tx.ExecContext(ctx, `UPDATE entry SET text = ?, hashes = ? WHERE id = ?`, text, whole, number); err != nil {
				return err
			}
		}
		_, err := tx.Tx.ExecContext(ctx, `
			CREATE TRIGGER entry_is_fixed BEFORE UPDATE ON entry BEGIN SELECT raise(ABORT, 'entries are append-only'); END`)
		return err
	})
}
