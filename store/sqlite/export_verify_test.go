package sqlite

import (
	"context"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/fold"
	"github.com/lobstrail/lobstrail/store/ledger"
	"github.com/lobstrail/lobstrail/store/relational"
)

// RewriteLog makes the lines of responses again from the rows as they are, and all hashes
// with them, as somebody would who has this source: it is what verify cannot see.
func (s *Store) RewriteLog(ctx context.Context, workspace string) error {
	return s.db.Write(ctx, nil, func(tx relational.Tx) error {
		ws, err := relational.WorkspaceID(ctx, tx, workspace)
		if err != nil {
			return err
		}
		rows, err := relational.RowsOf(ctx, tx, ws, workspace)
		if err != nil {
			return err
		}
		lines := map[int64]string{}
		_, err = fold.Replay(rows.Evidence, s.rules, func(_ fold.Response, d *fold.Delta) error {
			lines[d.Response.At] = d.Response.Line()
			return nil
		})
		if err != nil {
			return err
		}
		var texts []string
		if err := tx.SelectContext(ctx, &texts, `SELECT text FROM entry WHERE ws = ? ORDER BY id`, ws); err != nil {
			return err
		}
		if err := tx.Exec(ctx, `INSERT INTO setting (name, value) VALUES ('erasing', 1)`); err != nil {
			return err
		}
		for i, text := range texts {
			number := int64(i + 1)
			entry, err := ledger.EntryLines(text)
			if err != nil {
				return err
			}
			for j, line := range entry {
				if what, at := ledger.Subject(line); what == "response" {
					entry[j] = lines[at]
				}
			}
			text = ledger.FormatEntry(workspace, number, entry)
			hashes, err := tlog.StoredHashes(number-1, []byte(text), relational.HashReader(ctx, tx, ws))
			if err != nil {
				return err
			}
			var whole []byte
			for _, hash := range hashes {
				whole = append(whole, hash[:]...)
			}
			if err := tx.Exec(ctx, `UPDATE entry SET text = ?, hashes = ? WHERE ws = ? AND id = ?`, text[strings.IndexByte(text, '\n'):], whole, ws, number); err != nil {
				return err
			}
		}
		err = tx.Exec(ctx, `DELETE FROM setting WHERE name = 'erasing'`)
		return err
	})
}

// RootOf is the hash of the tree over the first n entries of the log of a workspace.
func (s *Store) RootOf(ctx context.Context, workspace string, n int64) (hash tlog.Hash, err error) {
	err = s.db.ReadApart(ctx, func(tx relational.Tx) error {
		ws, err := relational.WorkspaceID(ctx, tx, workspace)
		if err == nil {
			hash, err = tlog.TreeHash(n, relational.HashReader(ctx, tx, ws))
		}
		return err
	})
	return hash, err
}
