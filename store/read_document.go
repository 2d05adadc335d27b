package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/jmoiron/sqlx"
)

// Document reads the account object as the API last gave it at the moment, with
// the volatile values of that moment. The icon is left out unless asked for.
// It returns ErrNotFound for an account not known then, and nil for one that was
// gone.
func (s *Store) Document(ctx context.Context, q AccountQuery, withIcon bool) (document json.RawMessage, err error) {
	at := int64(1<<63 - 1)
	if !q.At.IsZero() {
		at = q.At.UnixMilli()
	}
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		var last struct {
			Account  int64          `db:"account_id"`
			Response int64          `db:"response_id"`
			Body     sql.NullString `db:"body"`
		}
		err := tx.GetContext(ctx, &last, `
			SELECT s.account_id AS account_id, s.response_id AS response_id, d.body AS body
			FROM account a
			JOIN workspace w ON w.id = a.workspace_id
			JOIN response r ON r.workspace_id = w.id
				AND r.received_at <= ? AND +a.id BETWEEN r.account_min AND r.account_max
			JOIN snapshot s ON s.response_id = r.id AND s.account_id = a.id
			JOIN document d ON d.id = s.document_id
			WHERE w.name = ? AND a.hash = ?
			ORDER BY r.received_at DESC, r.id DESC LIMIT 1`, at, q.Workspace, q.Account)
		if err != nil || !last.Body.Valid {
			return err
		}
		values, err := countersAt(ctx, tx, last.Account, last.Response)
		if err != nil {
			return err
		}
		icon := func(digest string) (text string, err error) {
			err = tx.GetContext(ctx, &text, `SELECT body FROM icon WHERE lower(hex(digest)) = ?`, digest)
			return text, err
		}
		if !withIcon {
			icon = nil
		}
		document, err = restore([]byte(last.Body.String), values, icon)
		return err
	})
	return document, err
}

// countersAt reads the last volatile values up to a response, by pointer.
func countersAt(ctx context.Context, tx *sqlx.Tx, account, response int64) (map[string]json.RawMessage, error) {
	var rows []struct {
		Pointer string `db:"pointer"`
		Body    string `db:"body"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT u.pointer AS pointer, u.body AS body
		FROM usage u
		WHERE u.account_id = ?1 AND u.response_id = (
			SELECT max(response_id) FROM usage
			WHERE account_id = ?1 AND pointer = u.pointer AND response_id <= ?2
		)
		ORDER BY u.pointer`, account, response)
	values := make(map[string]json.RawMessage, len(rows))
	for _, row := range rows {
		values[row.Pointer] = json.RawMessage(row.Body)
	}
	return values, err
}
