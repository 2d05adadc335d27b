package relational

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// appendEntry appends an entry to the log of the workspace.
func (w *workspace) appendEntry(ctx context.Context, tx Tx, lines ...string) error {
	if len(lines) == 0 {
		return nil
	}
	if err := w.openLog(ctx, tx); err != nil {
		return err
	}
	text := ledger.FormatEntry(w.name, w.log.Size+1, lines)
	stored, err := w.log.Hashes(text)
	if err != nil {
		return err
	}
	w.log.Add(stored)
	return tx.Exec(ctx, `INSERT INTO entry (ws, id, text, hashes) VALUES (?, ?, ?, ?)`,
		w.id, w.log.Size, withoutHeader(text), hashBytes(stored))
}

// withoutHeader is the text of an entry as it is stored.
func withoutHeader(text string) string { return text[strings.IndexByte(text, '\n'):] }

// hashBytes are hashes, one after the other.
func hashBytes(hashes []ledger.Hash) []byte {
	all := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, hash := range hashes {
		all = append(all, hash[:]...)
	}
	return all
}

// openLog reads what the next entry of the log rests on.
func (w *workspace) openLog(ctx context.Context, tx Tx) error {
	if w.log != nil {
		return nil
	}
	last, err := lastEntry(ctx, tx, w.id)
	if err != nil {
		return err
	}
	log, err := ledger.ReadFrontier(last, HashReader(ctx, tx, w.id))
	w.log = &log
	return err
}

// HashReader reads hashes of the tree over all entries of a workspace.
func HashReader(ctx context.Context, tx Tx, ws int64) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			entry, offset := ledger.Place(index)
			var hash []byte
			err := tx.GetContext(ctx, &hash, `SELECT substr(hashes, ?, 32) FROM entry WHERE ws = ? AND id = ?`, offset+1, ws, entry)
			if errors.Is(err, sql.ErrNoRows) {
				return nil, Damaged("log", fmt.Errorf("entry %d is missing: %w", entry, err))
			}
			if err != nil {
				return nil, err
			}
			if copy(hashes[i][:], hash) != tlog.HashSize {
				return nil, Damaged("log", fmt.Errorf("entry %d has too few hashes", entry))
			}
		}
		return hashes, nil
	})
}

// Tree is the number of entries in the log of the workspace, and the hash of the
// tree over them (RFC 6962, section 2.1). A workspace without history has an empty
// tree.
func (s *Store) Tree(ctx context.Context, workspace string) (tree tlog.Tree, err error) {
	err = s.db.Read(ctx, func(tx Tx) error {
		ws, err := WorkspaceID(ctx, tx, workspace)
		if err != nil {
			return err
		}
		tree, err = treeOf(ctx, tx, ws)
		return err
	})
	return tree, err
}

// WorkspaceID is the number of a workspace; 0 when it has no history.
func WorkspaceID(ctx context.Context, tx Tx, name string) (id int64, err error) {
	err = tx.GetContext(ctx, &id, `SELECT coalesce((SELECT id FROM workspace WHERE name = ?), 0)`, name)
	return id, err
}

func treeOf(ctx context.Context, tx Tx, ws int64) (tree tlog.Tree, err error) {
	if tree.N, err = lastEntry(ctx, tx, ws); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.TreeHash(tree.N, HashReader(ctx, tx, ws))
	return tree, err
}

// lastEntry is the number of the last entry, 0 for none. It returns ErrDamaged for a
// number that no log reaches.
func lastEntry(ctx context.Context, tx Tx, ws int64) (last int64, err error) {
	err = tx.GetContext(ctx, &last, `SELECT coalesce(max(id), 0) FROM entry WHERE ws = ?`, ws)
	if err == nil && (last < 0 || last > ledger.MaxEntries) {
		err = Damaged("entry", fmt.Errorf("no log has an entry of number %d", last))
	}
	return last, err
}

// Extends returns nil when the log of the workspace begins with the entries that the
// tree is over, as it was when the tree was signed, and ErrRewritten when it does
// not. It goes by the hashes that are stored, and does not look at what they are of.
func (s *Store) Extends(ctx context.Context, workspace string, signed tlog.Tree) error {
	return s.db.Read(ctx, func(tx Tx) error {
		ws, err := WorkspaceID(ctx, tx, workspace)
		if err != nil {
			return err
		}
		return extends(ctx, tx, ws, signed)
	})
}

func extends(ctx context.Context, tx Tx, ws int64, signed tlog.Tree) error {
	size, err := lastEntry(ctx, tx, ws)
	if err != nil {
		return err
	}
	if size < signed.N {
		return fmt.Errorf("%w: the log has %d entries, the checkpoint %d", store.ErrRewritten, size, signed.N)
	}
	hash, err := tlog.TreeHash(signed.N, HashReader(ctx, tx, ws))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: entries are missing", store.ErrRewritten)
	case err != nil:
		return err
	case hash != signed.Hash:
		return fmt.Errorf("%w: its first %d entries are others", store.ErrRewritten, signed.N)
	}
	return nil
}

// runRow is a row of table run.
type runRow struct {
	ID        int64          `db:"id"`
	Scope     string         `db:"scope"`
	State     store.RunState `db:"state"`
	Started   int64          `db:"started_at"`
	Finished  sql.NullInt64  `db:"finished_at"`
	First     sql.NullInt64  `db:"first_at"`
	Last      sql.NullInt64  `db:"last_at"`
	Requested int64          `db:"requested"`
	Changed   int64          `db:"changed"`
	Unchanged int64          `db:"unchanged"`
	Gone      int64          `db:"gone"`
	Failed    int64          `db:"failed"`
	Requests  int64          `db:"requests"`
	Warnings  string         `db:"warnings"`
	HeldMS    int64          `db:"held_ms"`
	SkewMS    sql.NullInt64  `db:"skew_ms"`
	PID       int64          `db:"pid"`
	Rules     int64          `db:"rules"`
}

const runColumns = `
	id, scope, state, started_at, finished_at, first_at, last_at, requested, changed, unchanged, gone, failed, requests, warnings, held_ms, skew_ms, pid,
	rules`

// logRun is the line about a run as it stands.
func (w *workspace) logRun(ctx context.Context, tx Tx, id int64) (string, error) {
	var r runRow
	err := tx.GetContext(ctx, &r, `SELECT`+runColumns+` FROM run WHERE ws = ? AND id = ?`, w.id, id)
	return r.line(), err
}

// line is the line about the run. While it runs, no entry has what it counts.
func (r *runRow) line() string {
	if r.State == store.Running {
		return ledger.Run{
			ID: r.ID, Scope: r.Scope, State: string(r.State), Started: r.Started, Finished: pointerTo(r.Finished), Requested: r.Requested,
			PID: r.PID, Rules: r.Rules, Warnings: r.Warnings,
		}.Line()
	}
	return ledger.Run{
		ID: r.ID, Scope: r.Scope, State: string(r.State), Started: r.Started, Finished: pointerTo(r.Finished),
		First: pointerTo(r.First), Last: pointerTo(r.Last),
		Requested: r.Requested, Changed: r.Changed, Unchanged: r.Unchanged, Gone: r.Gone, Failed: r.Failed,
		Requests: r.Requests, HeldMS: r.HeldMS, SkewMS: pointerTo(r.SkewMS), PID: r.PID, Rules: r.Rules, Warnings: r.Warnings,
	}.Line()
}

// Trees are the trees of all logs, by workspace.
func Trees(ctx context.Context, tx Tx) (map[string]tlog.Tree, error) {
	var all []struct {
		ID   int64  `db:"id"`
		Name string `db:"name"`
	}
	err := tx.SelectContext(ctx, &all, `SELECT id, name FROM workspace ORDER BY id`)
	trees := make(map[string]tlog.Tree, len(all))
	for _, w := range all {
		if err == nil {
			trees[w.Name], err = treeOf(ctx, tx, w.ID)
		}
	}
	return trees, err
}
