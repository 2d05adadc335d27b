package store

import (
	"context"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// A transaction of a prune ends when so many responses, or snapshots, were thinned
// out. A variable, so that tests of faults need no long history.
var maxThinnedResponses = int64(1000)

const maxThinned = 50_000

// thin is one transaction of a prune.
func (p *pruning) thin(ctx context.Context, tx *txn) error {
	var version int64
	if err := tx.GetContext(ctx, &version, dataVersion); err != nil {
		return err
	}
	if version != p.version {
		return &BusyError{} // what was marked is another state of the file
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES ('pruning', 1)`); err != nil {
		return err
	}
	if p.reader == nil {
		p.reader = newLogReader(tx)
	}
	p.reader.tx = tx
	line := ledger.Prune{Workspace: p.workspace, At: floorMS(p.store.now()), Keep: p.keep.ledger()}
	var thinnings []string
	err := p.backwards(ctx, tx, func(d decision) (bool, error) {
		gone, err := p.reader.thin(ctx, d)
		thinnings = append(thinnings, ledger.Thinning{Response: d.response, Gone: gone}.Line())
		line.Responses++
		line.Snapshots += int64(d.dropped)
		return line.Responses < maxThinnedResponses && line.Snapshots < maxThinned, err
	})
	if err != nil {
		return err
	}
	if line.Responses > 0 {
		tx.log(line.Line())
		tx.log(thinnings...)
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM setting WHERE name = 'pruning'`)
	return err
}

// thin replaces snapshots of a response by the hashes that stand for them. It
// answers which are gone now.
func (l *logReader) thin(ctx context.Context, d decision) ([]ledger.Leaves, error) {
	size, err := l.shownOf(ctx, d.response, len(d.accounts))
	if err != nil {
		return nil, err
	}
	_, page, err := l.page(ctx, d.response, size)
	if err != nil {
		return nil, err
	}
	drop := make(map[int64]bool, d.dropped)
	var accounts array
	for i, leaf := range page.There() {
		if d.drop[i] {
			drop[leaf] = true
			accounts = accounts.add(d.accounts[i])
		}
	}
	dropped := func(leaf int64) bool { return drop[leaf] }
	if err := l.deleteSnapshots(ctx, d, accounts); err != nil {
		return nil, err
	}
	return page.Gone(dropped), l.replaceThinned(ctx, d.response, page.Thin(dropped))
}

// shownOf is how many snapshots a response showed, of which so many are there.
func (l *logReader) shownOf(ctx context.Context, response int64, there int) (size int64, err error) {
	err = l.tx.GetContext(ctx, &size, `SELECT coalesce(sum(size), 0) + ? FROM thinned WHERE response_id = ?`, there, response)
	return size, err
}

func (l *logReader) deleteSnapshots(ctx context.Context, d decision, accounts array) error {
	if d.dropped == len(d.accounts) {
		_, err := l.tx.ExecContext(ctx, `DELETE FROM snapshot WHERE response_id = ?`, d.response)
		return err
	}
	_, err := l.tx.ExecContext(ctx, `
		DELETE FROM snapshot WHERE response_id = ? AND account_id IN (SELECT value FROM json_each(?))`,
		d.response, accounts.String())
	return err
}

func (l *logReader) replaceThinned(ctx context.Context, response int64, thinned []ledger.Thinned) error {
	if _, err := l.tx.ExecContext(ctx, `DELETE FROM thinned WHERE response_id = ?`, response); err != nil {
		return err
	}
	for _, t := range thinned {
		_, err := l.tx.ExecContext(ctx, `INSERT INTO thinned (response_id, first, size, hash) VALUES (?, ?, ?, ?)`,
			response, t.First, t.Size, t.Hash[:])
		if err != nil {
			return err
		}
	}
	return nil
}
