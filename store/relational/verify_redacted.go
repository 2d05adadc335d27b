package relational

import (
	"context"
	"fmt"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// checkRedactions compares what is left of the accounts that were redacted with what
// the log says of them.
func (v *verifier) checkRedactions(ctx context.Context, tx Tx, ws int64, name string, logged []ledger.Redaction) error {
	named := map[int64]bool{}
	for _, line := range logged {
		row := v.rowIn(name, fmt.Sprintf("account %d", line.Row))
		if named[line.Row] {
			v.find("redacted", row, "two entries say that the account was redacted")
		}
		named[line.Row] = true
		left, err := leftOf(ctx, tx, ws, line.Row)
		if err != nil {
			return err
		}
		if left != line.Left {
			v.find("redacted", row, "what is left of the account is not what the log says")
		}
	}
	var redacted []int64
	err := tx.SelectContext(ctx, &redacted, `
		SELECT id FROM account WHERE ws = ?1 AND length(salt) = 0 UNION SELECT account FROM redacted WHERE ws = ?1 ORDER BY 1`, ws)
	for _, account := range redacted {
		if !named[account] {
			v.find("redacted", v.rowIn(name, fmt.Sprintf("account %d", account)), "no entry says that the account was redacted")
		}
	}
	return err
}
