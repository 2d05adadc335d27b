package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// logbook is what a transaction adds to the log: see package ledger.
type logbook struct {
	lines []string
	runs  []int64 // that the transaction moved; their lines come first
}

// log notes evidence that the transaction adds.
func (t *txn) log(lines ...string) { t.book.lines = append(t.book.lines, lines...) }

// logRun notes that the transaction moved the run.
func (t *txn) logRun(id int64) {
	if !slices.Contains(t.book.runs, id) {
		t.book.runs = append(t.book.runs, id)
	}
}

// logging is off only in the benchmark of what the log costs.
var logging = true

// seal appends the entry of the transaction to the log. A transaction without
// evidence has none.
func (t *txn) seal(ctx context.Context) error {
	if len(t.book.lines)+len(t.book.runs) == 0 || !logging {
		return nil
	}
	lines := make([]string, 0, len(t.book.lines)+len(t.book.runs))
	for _, id := range t.book.runs {
		var run loggedRun
		if err := t.GetContext(ctx, &run, loggedRuns+` WHERE r.id = ?`, id); err != nil {
			return err
		}
		lines = append(lines, run.line())
	}
	return t.appendEntry(ctx, append(lines, t.book.lines...))
}

func (t *txn) appendEntry(ctx context.Context, lines []string) error {
	t.book = logbook{}
	last, err := lastEntry(ctx, t)
	if err != nil {
		return err
	}
	text := ledger.FormatEntry(last+1, lines)
	stored, err := tlog.StoredHashes(last, []byte(text), hashReader(ctx, t))
	if err != nil {
		return err
	}
	hashes := make([]byte, 0, len(stored)*tlog.HashSize)
	for _, hash := range stored {
		hashes = append(hashes, hash[:]...)
	}
	_, err = t.ExecContext(ctx, `INSERT INTO entry (id, text, hashes) VALUES (?, ?, ?)`, last+1, text, hashes)
	return err
}

// getter is a transaction that is read from.
type getter interface {
	GetContext(ctx context.Context, dest any, query string, args ...any) error
}

// hashReader reads hashes of the tree over all entries.
func hashReader(ctx context.Context, tx getter) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			entry, offset := ledger.Place(index)
			var hash []byte
			err := tx.GetContext(ctx, &hash,
				`SELECT substr(hashes, ?, 32) FROM entry WHERE id = ?`, offset+1, entry)
			if errors.Is(err, sql.ErrNoRows) {
				return nil, damagedRow("log", fmt.Errorf("entry %d is missing: %w", entry, err))
			}
			if err != nil {
				return nil, err
			}
			if copy(hashes[i][:], hash) != tlog.HashSize {
				return nil, damagedRow("log", errShortHashes(entry))
			}
		}
		return hashes, nil
	})
}

// Tree is the number of entries in the log, and the hash of the tree over them
// (RFC 6962, section 2.1).
func (s *Store) Tree(ctx context.Context) (tree tlog.Tree, err error) {
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		tree, err = treeOf(ctx, tx)
		return err
	})
	return tree, err
}

func treeOf(ctx context.Context, tx getter) (tree tlog.Tree, err error) {
	if tree.N, err = lastEntry(ctx, tx); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.TreeHash(tree.N, hashReader(ctx, tx))
	return tree, err
}

// lastEntry is the number of the last entry, 0 for none. It returns ErrDamaged for a
// number that no log reaches.
func lastEntry(ctx context.Context, tx getter) (last int64, err error) {
	err = tx.GetContext(ctx, &last, `SELECT coalesce(max(id), 0) FROM entry`)
	if err == nil && (last < 0 || last > ledger.MaxEntries) {
		err = damagedRow("entry", fmt.Errorf("no log has an entry of number %d", last))
	}
	return last, err
}

// loggedRun is a row of table run, as its line has it.
type loggedRun struct {
	ID        int64         `db:"id"`
	Workspace string        `db:"workspace"`
	Scope     string        `db:"scope"`
	State     string        `db:"state"`
	Started   int64         `db:"started_at"`
	Finished  sql.NullInt64 `db:"finished_at"`
	Requested int64         `db:"requested"`
	Changed   int64         `db:"changed"`
	Unchanged int64         `db:"unchanged"`
	Gone      int64         `db:"gone"`
	Failed    int64         `db:"failed"`
	Requests  int64         `db:"requests"`
	Warnings  string        `db:"warnings"`
	HeldMS    int64         `db:"held_ms"`
	SkewMS    sql.NullInt64 `db:"skew_ms"`
	PID       int64         `db:"pid"`
	Rules     int64         `db:"rules_version"`
}

const loggedRuns = `
	SELECT
		r.id AS id,
		w.name AS workspace,
		r.scope AS scope,
		r.state AS state,
		r.started_at AS started_at,
		r.finished_at AS finished_at,
		r.requested AS requested,
		r.changed AS changed,
		r.unchanged AS unchanged,
		r.gone AS gone,
		r.failed AS failed,
		r.requests AS requests,
		r.warnings AS warnings,
		r.held_ms AS held_ms,
		r.skew_ms AS skew_ms,
		r.pid AS pid,
		r.rules_version AS rules_version
	FROM run r
	JOIN workspace w ON w.id = r.workspace_id`

func (r loggedRun) line() string {
	return ledger.Run{
		ID: r.ID, Workspace: r.Workspace, Scope: r.Scope, State: r.State, Started: r.Started, Finished: numberOrNil(r.Finished),
		Requested: r.Requested, Changed: r.Changed, Unchanged: r.Unchanged, Gone: r.Gone, Failed: r.Failed,
		Requests: r.Requests, HeldMS: r.HeldMS, SkewMS: numberOrNil(r.SkewMS), PID: r.PID, Rules: r.Rules, Warnings: r.Warnings,
	}.Line()
}

func numberOrNil(n sql.NullInt64) *int64 {
	if !n.Valid {
		return nil
	}
	return &n.Int64
}

func errShortHashes(entry int64) error { return fmt.Errorf("entry %d has too few hashes", entry) }
