package relational

import (
	"context"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// copyLeft is what a redaction left of an account.
type copyLeft struct {
	rows     [][][]any // of leftTables
	squids   []int64   // that it used
	failures []failureRow
}

// readLeft reads what is left of an account.
func readLeft(ctx context.Context, tx Tx, ws, account int64) (left copyLeft, err error) {
	left.rows = make([][][]any, len(leftTables))
	for i, t := range leftTables {
		err := t.each(ctx, tx, ws, func(values []any) error {
			left.rows[i] = append(left.rows[i], values)
			if t.table == "assignment" {
				squid, _ := values[1].(int64)
				left.squids = append(left.squids, squid)
			}
			return nil
		}, `AND account = ?2`, account)
		if err != nil {
			return left, err
		}
	}
	return left, tx.SelectContext(ctx, &left.failures, `
		SELECT f.run AS run, f.n AS n, f.account AS account, f.kind AS kind, f.http_status AS http_status, f.message AS message, f.at AS at, f.salt AS salt
		FROM redacted x
		JOIN failure f ON f.ws = x.ws AND f.run = x.part AND f.n = x.at
		WHERE x.ws = ? AND x.account = ? AND x.what = 'failure' ORDER BY f.run, f.n`, ws, account)
}

// redact puts what the redaction left in place of all that is here of the account. That
// must be what the log says, to the last row.
func (t *copyTransaction) redact(ctx context.Context, line string) error {
	parsed, err := ledger.ParseRedaction(line)
	if err != nil {
		return t.damaged("%v", err)
	}
	left := t.b.left[t.left]
	t.left++
	if err := t.flush(ctx); err != nil {
		return err
	}
	var had int64
	err = t.tx.GetContext(ctx, &had, `SELECT count(*) FROM account WHERE ws = ? AND id = ? AND length(salt) > 0`, t.w.id, parsed.Row)
	if err != nil {
		return err
	}
	t.redacted += had
	if err := t.to.db.AllowErasing(ctx, t.tx, true); err != nil {
		return err
	}
	if err := t.replace(ctx, parsed.Row, left); err != nil {
		return err
	}
	if had > 0 {
		if err := t.eraseShared(ctx); err != nil {
			return err
		}
	}
	if err := t.to.db.AllowErasing(ctx, t.tx, false); err != nil {
		return err
	}
	is, err := leftOf(ctx, t.tx, t.w.id, parsed.Row)
	if err == nil && is != parsed.Left {
		err = t.damaged("what is left of account %d, which was redacted, is not what the log says", parsed.Row)
	}
	return err
}

// replace replaces all that is here of an account.
func (t *copyTransaction) replace(ctx context.Context, account int64, left copyLeft) error {
	for _, table := range []string{"fact", "usage", "body", "counter"} {
		if err := t.tx.Exec(ctx, `DELETE FROM `+table+` WHERE ws = ? AND account = ?`, t.w.id, account); err != nil {
			return err
		}
	}
	if err := t.tx.Exec(ctx, `UPDATE account SET salt = substr(salt, 1, 0) WHERE ws = ? AND id = ? AND length(salt) > 0`, t.w.id, account); err != nil {
		return err
	}
	if err := t.nameSquids(ctx, left.squids); err != nil {
		return err
	}
	for i, table := range leftTables {
		if err := t.tx.Exec(ctx, `DELETE FROM `+table.table+` WHERE ws = ? AND account = ?`, t.w.id, account); err != nil {
			return err
		}
		if err := table.insert(ctx, t.tx, t.w.id, left.rows[i]); err != nil {
			return err
		}
	}
	for _, f := range left.failures {
		err := t.tx.Exec(ctx, `
			UPDATE failure SET message = ?, salt = substr(salt, 1, 0)
			WHERE ws = ? AND run = ? AND n = ? AND length(salt) > 0`, f.Message, t.w.id, f.Run, f.N)
		if err != nil {
			return err
		}
	}
	return nil
}

// eraseShared erases what no other account has, and the working state: what that says of
// the account is not known here. It is copied again in the end.
func (t *copyTransaction) eraseShared(ctx context.Context) error {
	r := &redaction{WS: t.w.id, done: &store.Redacted{}}
	if err := r.eraseShared(ctx, t.tx); err != nil {
		return err
	}
	return deleteAlerts(ctx, t.tx, t.w.id)
}

// emptySalts empties the salts of accounts, and of a failure of a run, whose redaction is
// still to come.
func (t *copyTransaction) emptySalts(ctx context.Context) error {
	var accounts []int64
	for _, a := range t.delta.Accounts {
		if len(a.Salt) == 0 {
			accounts = append(accounts, a.Number)
		}
	}
	if len(accounts)+len(t.emptied) == 0 {
		return nil
	}
	if err := t.to.db.AllowErasing(ctx, t.tx, true); err != nil {
		return err
	}
	err := t.tx.Exec(ctx, `UPDATE account SET salt = substr(salt, 1, 0) WHERE ws = ? AND id IN (SELECT value FROM numbers(?))`, t.w.id, jsonList(accounts))
	for _, f := range t.emptied {
		if err == nil {
			err = t.tx.ExecOne(ctx, `UPDATE failure SET salt = substr(salt, 1, 0) WHERE ws = ? AND run = ? AND n = ?`, t.w.id, f.Run, f.N)
		}
	}
	if err != nil {
		return err
	}
	return t.to.db.AllowErasing(ctx, t.tx, false)
}
