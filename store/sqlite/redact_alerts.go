package sqlite

import (
	"context"

	"github.com/lobstrail/lobstrail/store"
)

// eraseAlerts erases what the working state says of the account: its alerts and silences,
// the bodies of messages that name it, which are no longer delivered, and texts that have
// its id or one of its usernames in them.
func (r *redaction) eraseAlerts(ctx context.Context, tx *txn) error {
	named := func(text string) string {
		return `(instr(` + text + `, ?2) > 0 OR EXISTS (SELECT 1 FROM json_each(?3) n WHERE instr(lower(` + text + `), n.value) > 0))`
	}
	messages := `SELECT n FROM message WHERE ws = ?1 AND (` + named("accounts") + ` OR ` + named("body") + `)`
	for _, statement := range []string{
		`DELETE FROM alert WHERE ws = ?1 AND account = ?2`,
		`UPDATE alert SET detail = '{}' WHERE ws = ?1 AND ` + named("detail"),
		`DELETE FROM silence WHERE ws = ?1 AND account = ?2`,
		`UPDATE silence SET reason = 'redacted' WHERE ws = ?1 AND ` + named("reason"),
		`UPDATE delivery SET error = 'redacted' WHERE ws = ?1 AND error <> '' AND (message IN (` + messages + `) OR ` + named("error") + `)`,
		`UPDATE delivery SET state = '` + string(store.Dropped) + `', next_at = NULL, ended_at = ?4, error = 'redacted', pause = 0
			WHERE ws = ?1 AND next_at IS NOT NULL AND message IN (` + messages + `)`,
		`UPDATE message SET accounts = '[]', body = '{}' WHERE ws = ?1 AND n IN (` + messages + `)`,
	} {
		if _, err := tx.ExecContext(ctx, statement, r.WS, r.Hash, r.names, r.line.At); err != nil {
			return err
		}
	}
	return nil
}
