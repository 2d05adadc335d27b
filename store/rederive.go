package store

import "context"

// Rederive makes everything that is derived (versions, changes, status steps,
// assignments) again from the evidence, by the rules the store was opened with.
// It is one transaction: readers see the old state until it is done. progress,
// unless nil, is called after each response.
func (s *Store) Rederive(ctx context.Context, progress func(done, total int64)) error {
	s.forgetHeads()
	return s.update(ctx, func(tx *txn) error {
		if err := forget(ctx, tx); err != nil {
			return err
		}
		if err := newReplay(s, tx).all(ctx, progress); err != nil {
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

// redactedAccounts are those of which what is derived is not derived again: the
// evidence is gone.
const redactedAccounts = `SELECT account_id FROM main.redacted WHERE what = 'account'`

// forget removes everything derived. The setting opens the triggers that
// otherwise keep it.
func forget(ctx context.Context, tx *txn) error {
	const others = ` WHERE account_id NOT IN (` + redactedAccounts + `);`
	_, err := tx.Tx.ExecContext(ctx, `
		PRAGMA defer_foreign_keys = 1;
		INSERT INTO setting (name, value) VALUES ('deriving', 1);
		DELETE FROM squid_name WHERE NOT `+namedByRedacted("squid_name", redactedAccounts)+`;
		DELETE FROM seen`+others+`
		DELETE FROM head`+others+`
		DELETE FROM counter;
		DELETE FROM change`+others+`
		DELETE FROM status_step`+others+`
		DELETE FROM assignment_name`+others+`
		DELETE FROM assignment`+others+`
		DELETE FROM squid WHERE id NOT IN (SELECT squid_id FROM assignment);
		DELETE FROM version`+others+`
		UPDATE absence SET ended = NULL`+others)
	return err
}

// sealRederived says that everything is derived, by the rules of the store.
func (s *Store) sealRederived(ctx context.Context, tx *txn) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM setting WHERE name = 'deriving'`)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE setting SET value = ? WHERE name = 'rules'`, s.rules.Version)
	return err
}
