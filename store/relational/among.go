package relational

import (
	"context"
	"fmt"
)

// among adds to a query that it asks about some accounts only, whose numbers are a JSON
// list; nil is all. The query has a WHERE clause and nothing behind it, and its parameters
// are ?1, ?2 and so on. The column has the number of the account.
func among(accounts any, query, column string, args ...any) (string, []any) {
	if accounts == nil {
		return query, args
	}
	return fmt.Sprintf("%s AND %s IN (SELECT value FROM numbers(?%d))", query, column, len(args)+1), append(args, accounts)
}

// accountIDs, usernames and healths are those of accounts as they are now, by number. Each
// reads one index or table from its beginning to its end: to join the three would take
// three times as long.
func accountIDs(ctx context.Context, tx Tx, ws int64, accounts any) (map[int64]string, error) {
	return textsByAccount(ctx, tx, ws, accounts, `SELECT id, hash FROM account WHERE ws = ?1`, "id")
}

func usernames(ctx context.Context, tx Tx, ws int64, accounts any) (map[int64]string, error) {
	return textsByAccount(ctx, tx, ws, accounts, `SELECT account, username FROM version WHERE ws = ?1 AND until IS NULL`, "account")
}

func healths(ctx context.Context, tx Tx, ws int64, accounts any) (map[int64]string, error) {
	return textsByAccount(ctx, tx, ws, accounts, `SELECT account, health FROM state WHERE ws = ?1`, "account")
}

func textsByAccount(ctx context.Context, tx Tx, ws int64, accounts any, query, column string) (map[int64]string, error) {
	texts := map[int64]string{}
	query, args := among(accounts, query, column, ws)
	return texts, Each(ctx, tx, query, args, func(scan func(...any) error) error {
		var account int64
		var text string
		err := scan(&account, &text)
		texts[account] = text
		return err
	})
}
