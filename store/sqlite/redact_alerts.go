package sqlite

import (
	"context"

	"github.com/lobstrail/lobstrail/store"
)

// eraseAlerts erases what the working state says of the account: its alerts and silences,
// what messages say of it, and texts of people and sinks that have one of its usernames in
// them. A message about other accounts too is kept, for they are still to be told of, unless
// it names the account elsewhere; any other one is erased, and no longer delivered. The alerts of squids have ids of
// accounts, and stay. A body is searched for whole values: a short username is part of
// many words, and of ids.
func (r *redaction) eraseAlerts(ctx context.Context, tx *txn) error {
	within := func(text string) string {
		return `EXISTS (SELECT 1 FROM json_each(?3) n WHERE instr(lower(` + text + `), n.value) > 0)`
	}
	value := func(object string) string {
		return `EXISTS (SELECT 1 FROM json_tree(` + object + `) t JOIN json_each(?3) n ON n.value = lower(t.atom) WHERE t.type = 'text')`
	}
	messages := `SELECT n FROM message WHERE ws = ?1 AND (?2 IN (SELECT value FROM json_each(accounts)) OR ` + value("body") + `)`
	for _, statement := range []string{
		`UPDATE message SET accounts = (SELECT json_group_array(value) FROM json_each(accounts) WHERE value <> ?2),
				body = json_set(body, '$.items', json((SELECT json_group_array(json(value)) FROM json_each(body, '$.items')
					WHERE json_extract(value, '$.account') IS NOT ?2)))
			WHERE ws = ?1 AND json_array_length(accounts) > 1 AND ?2 IN (SELECT value FROM json_each(accounts)) AND json_array_length(body, '$.items') > 1`,
		`DELETE FROM alert WHERE ws = ?1 AND account = ?2`,
		`UPDATE alert SET detail = '{}' WHERE ws = ?1 AND ` + value("detail"),
		`DELETE FROM silence WHERE ws = ?1 AND account = ?2`,
		`UPDATE silence SET reason = 'redacted' WHERE ws = ?1 AND ` + within("reason"),
		`UPDATE delivery SET error = 'redacted' WHERE ws = ?1 AND error <> '' AND (message IN (` + messages + `) OR ` + within("error") + `)`,
		`UPDATE delivery SET state = '` + string(store.Dropped) + `', next_at = NULL, ended_at = ?4, error = 'redacted', pause = 0, asked = 0
			WHERE ws = ?1 AND next_at IS NOT NULL AND message IN (` + messages + `)`,
		`UPDATE message SET accounts = '[]', body = '{}' WHERE ws = ?1 AND n IN (` + messages + `)`,
	} {
		if _, err := tx.ExecContext(ctx, statement, r.WS, r.Hash, r.names, r.line.At); err != nil {
			return err
		}
	}
	return nil
}
