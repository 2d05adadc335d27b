package relational

import (
	"context"
	"fmt"

	"github.com/lobstrail/lobstrail/store/fold"
)

// derivedTables are all that is derived, but for the ends of absences.
var derivedTables = []string{"version", "change", "status_step", "squid_name", "assignment", "state", "said", "body", "counter"}

// Rederive makes everything that is derived (versions, changes, status steps,
// assignments) again from the evidence, by the rules the store was opened with. It is
// one transaction: readers see the old state until it is done. progress, unless nil, is
// called after each response.
//
// The evidence is read by another connection than the one that writes.
func (s *Store) Rederive(ctx context.Context, progress func(done, total int64)) error {
	if err := s.db.CanWrite(); err != nil {
		return err
	}
	names, err := s.Workspaces(ctx)
	if err != nil {
		return err
	}
	return s.rederive(ctx, names, progress)
}

func (s *Store) rederive(ctx context.Context, names []string, progress func(done, total int64)) error {
	defer s.forget()
	return s.db.Write(ctx, names, func(to Tx) error {
		return s.db.ReadApart(ctx, func(from Tx) error {
			var total, done int64
			if err := from.GetContext(ctx, &total, `SELECT count(*) FROM response`); err != nil {
				return err
			}
			step := func() error {
				if done++; progress != nil {
					progress(done, total)
				}
				return ctx.Err()
			}
			for _, name := range names {
				if err := s.rederiveWorkspace(ctx, from, to, name, step); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (s *Store) rederiveWorkspace(ctx context.Context, from, to Tx, name string, step func() error) error {
	ws, err := WorkspaceID(ctx, to, name)
	if err != nil {
		return err
	}
	w, err := loadWorkspace(ctx, to, ws, name, s.rules)
	if err != nil {
		return err
	}
	if err := s.db.AllowErasing(ctx, to, true); err != nil {
		return err
	}
	if err := w.rederive(ctx, from, to, step); err != nil {
		return err
	}
	if err := s.db.AllowErasing(ctx, to, false); err != nil {
		return err
	}
	return s.db.SetRules(ctx, to, ws, s.rules.Version)
}

// rederive derives one workspace again. What is derived of accounts that were redacted
// stays as it is: it does not follow from evidence any more.
func (w *workspace) rederive(ctx context.Context, from, to Tx, step func() error) error {
	for _, table := range derivedTables {
		err := to.Exec(ctx, `
			DELETE FROM `+table+` WHERE ws = ?1 AND account NOT IN (SELECT id FROM account WHERE ws = ?1 AND length(salt) = 0)`, w.id)
		if err != nil {
			return err
		}
	}
	err := to.Exec(ctx, `
		UPDATE absence SET ended = NULL WHERE ws = ?1 AND account NOT IN (SELECT id FROM account WHERE ws = ?1 AND length(salt) = 0)`, w.id)
	if err != nil {
		return err
	}
	rows, err := RowsOf(ctx, from, w.id, w.name)
	if err != nil {
		return err
	}
	known, err := fold.Replay(rows.Evidence, w.known.Rules, func(stored fold.Response, d *fold.Delta) error {
		if len(d.Squids) > 0 {
			return Damaged("squid", fmt.Errorf("%s is missing", d.Squids[0].ID))
		}
		// Other rules find news in other responses. Of accounts that were redacted it is not
		// known any more.
		if news := d.Response.News; news > stored.News || news < stored.News && d.Done.Withheld == 0 {
			if err := to.Exec(ctx, `UPDATE response SET news = ? WHERE ws = ? AND at = ?`, news, w.id, stored.At); err != nil {
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
	return w.countAgain(ctx, to)
}

// countAgain fills table counter with the last row of usage of each counter.
func (w *workspace) countAgain(ctx context.Context, tx Tx) error {
	return tx.Exec(ctx, `
		INSERT INTO counter (ws, account, name, at, body, max)
		SELECT u.ws, u.account, u.name, u.at, u.body, u.max
		FROM (SELECT ws, account, name, max(at) AS at FROM usage WHERE ws = ? GROUP BY ws, account, name) last
		ORDERED JOIN usage u ON u.ws = last.ws AND u.account = last.account AND u.name = last.name AND u.at = last.at`, w.id)
}
