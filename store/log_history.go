package store

import (
	"context"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// logHistory makes the log of a store that was written before there was one: an
// entry for each response, and one for the end of each run.
func (s *Store) logHistory(ctx context.Context) error {
	return s.update(ctx, func(tx *txn) error {
		var missing bool
		err := tx.GetContext(ctx, &missing,
			`SELECT EXISTS (SELECT 1 FROM run) AND NOT EXISTS (SELECT 1 FROM entry)`)
		if err != nil || !missing {
			return err
		}
		var runs []int64
		if err := tx.SelectContext(ctx, &runs, `SELECT id FROM run ORDER BY id`); err != nil {
			return err
		}
		reader := newLogReader(tx)
		for _, run := range runs {
			if err := reader.logRun(ctx, run); err != nil {
				return err
			}
		}
		return nil
	})
}

// logRun makes the entries of a run.
func (l *logReader) logRun(ctx context.Context, run int64) error {
	var responses []int64
	err := l.tx.SelectContext(ctx, &responses, `SELECT id FROM response WHERE run_id = ? ORDER BY id`, run)
	if err != nil {
		return err
	}
	for _, id := range responses {
		line, leaves, err := l.response(ctx, id)
		if err != nil {
			return err
		}
		line.Shown, line.Root = int64(len(leaves)), ledger.Root(leaves)
		l.tx.logRun(run)
		l.tx.log(line.Line())
		if err := l.tx.seal(ctx); err != nil {
			return err
		}
	}
	l.tx.logRun(run)
	var failures []loggedFailure
	err = l.tx.SelectContext(ctx, &failures, `SELECT `+failureColumns+` FROM failure WHERE run_id = ? ORDER BY id`, run)
	if err != nil {
		return err
	}
	for _, f := range failures {
		l.tx.log(f.line())
	}
	if err := l.tx.logAbsences(ctx, run, `x.run_id = ?`, run); err != nil {
		return err
	}
	return l.tx.seal(ctx)
}
