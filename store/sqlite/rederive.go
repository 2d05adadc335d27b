package sqlite

import (
	"context"
	"fmt"

	"github.com/lobstrail/lobstrail/store/fold"
)

// derivedTables are all that is derived, but for the ends of absences.
var derivedTables = []string{"version", "change", "status_step", "squid_name", "assignment", "state", "said", "body", "counter"}

// rulesVersion is that of the rules by which the store was derived; 0: there are none
// yet.
func (s *Store) rulesVersion(ctx context.Context) (version int, err error) {
	err = s.writer.GetContext(ctx, &version, `SELECT coalesce((SELECT value FROM setting WHERE name = 'rules'), 0)`)
	return version, s.failure(err)
}

// Rederive makes everything that is derived (versions, changes, status steps,
// assignments) again from the evidence, by the rules the store was opened with. It is
// one transaction: readers see the old state until it is done. progress, unless nil, is
// called after each response.
//
// The evidence is read by another connection than the one that writes.
func (s *Store) Rederive(ctx context.Context, progress func(done, total int64)) error {
	defer s.forget()
	return s.update(ctx, func(tx *txn) error {
		err := s.apart(ctx, func(from *txn) error { return s.rederiveAll(ctx, from, tx, progress) }, "temp_store(1)")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO setting (name, value) VALUES ('rules', ?)`, s.rules.Version)
		return err
	})
}

func (s *Store) rederiveAll(ctx context.Context, from, to *txn, progress func(done, total int64)) error {
	var total, done int64
	if err := from.GetContext(ctx, &total, `SELECT count(*) FROM response`); err != nil {
		return err
	}
	var all []struct {
		ID   int64  `db:"id"`
		Name string `db:"name"`
	}
	if err := from.SelectContext(ctx, &all, `SELECT id, name FROM workspace ORDER BY id`); err != nil {
		return err
	}
	for _, one := range all {
		w, err := loadWorkspace(ctx, to, one.ID, one.Name, s.rules)
		if err != nil {
			return err
		}
		err = w.rederive(ctx, from, to, func() error {
			if done++; progress != nil {
				progress(done, total)
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rederive derives one workspace again. What is derived of accounts that were redacted
// stays as it is: it does not follow from evidence any more.
func (w *workspace) rederive(ctx context.Context, from, to *txn, step func() error) error {
	if _, err := to.ExecContext(ctx, `INSERT OR REPLACE INTO setting (name, value) VALUES ('erasing', 1)`); err != nil {
		return err
	}
	for _, table := range derivedTables {
		_, err := to.ExecContext(ctx, `
			DELETE FROM `+table+` WHERE ws = ?1 AND account NOT IN (SELECT id FROM account WHERE ws = ?1 AND salt = x'')`, w.id)
		if err != nil {
			return err
		}
	}
	_, err := to.ExecContext(ctx, `
		UPDATE absence SET ended = NULL WHERE ws = ?1 AND account NOT IN (SELECT id FROM account WHERE ws = ?1 AND salt = x'')`, w.id)
	if err != nil {
		return err
	}
	rows, err := rowsOfWorkspace(ctx, from, w.id, w.name)
	if err != nil {
		return err
	}
	known, err := fold.Replay(rows.Evidence, w.known.Rules, func(stored fold.Response, d *fold.Delta) error {
		if len(d.Squids) > 0 {
			return damagedRow("squid", fmt.Errorf("%s is missing", d.Squids[0].ID))
		}
		// Other rules find news in other responses. Of accounts that were redacted it is not
		// known any more.
		if news := d.Response.News; news > stored.News || news < stored.News && d.Done.Withheld == 0 {
			if _, err := to.ExecContext(ctx, `UPDATE response SET news = ? WHERE ws = ? AND at = ?`, news, w.id, stored.At); err != nil {
				return err
			}
		}
		if err := w.insertHistory(ctx, to, d); err != nil {
			return err
		}
		if err := w.insertAssignments(ctx, to, d); err != nil {
			return err
		}
		return step()
	})
	if err != nil {
		return err
	}
	touched := map[*fold.Account]bool{}
	for _, a := range known.Accounts {
		if len(a.Salt) > 0 {
			touched[a] = true
		}
	}
	if err := w.save(ctx, to, 1, touched, nil); err != nil { // what an endpoint never said is of 0
		return err
	}
	if err := w.countAgain(ctx, to); err != nil {
		return err
	}
	_, err = to.ExecContext(ctx, `DELETE FROM setting WHERE name = 'erasing'`)
	return err
}

// countAgain fills table counter with the last row of usage of each counter.
func (w *workspace) countAgain(ctx context.Context, tx *txn) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO counter (ws, account, name, at, body, max)
		SELECT u.ws, u.account, u.name, max(u.at), u.body, u.max -- those of the row that has the maximum
		FROM usage u
		WHERE u.ws = ?
		GROUP BY u.account, u.name`, w.id)
	return err
}
