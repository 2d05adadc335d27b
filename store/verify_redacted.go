package store

import (
	"context"
	"fmt"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// redaction checks what is left of an account that was redacted.
func (c *logCheck) redaction(ctx context.Context, l lineOf) error {
	line, err := ledger.ParseRedaction(l.text)
	if err != nil || c.redacted[l.subject] {
		c.find("entry", l.entry, "is not the line of a redaction, or the account was redacted before: %.80q", l.text)
		return nil
	}
	c.redacted[l.subject] = true
	var found ledger.Redaction
	err = c.tx.each(ctx, func(scan func(...any) error) error {
		return scan(&found.Account, &found.Documents, &found.Received, &found.Failures, &found.Icons)
	}, `
		SELECT
			a.hash,
			sum(x.what = 'document'),
			sum(x.what = 'received'),
			sum(x.what = 'failure'),
			sum(x.what = 'icon')
		FROM account a
		JOIN redacted x ON x.account_id = a.id
		WHERE a.id = ?
		GROUP BY a.id`, l.subject)
	if err != nil {
		return err
	}
	if found.Left, err = leftOf(ctx, c.tx, l.subject); err != nil {
		return err
	}
	if found.Row, found.At = line.Row, line.At; found != line {
		c.find("redacted", fmt.Sprintf("account %d", l.subject),
			"what is left of the account does not match entry %d: the entry says %q, the rows %q", l.entry, l.text, found.Line())
	}
	return nil
}

// endRedacted looks for what was erased without an entry.
func (c *logCheck) endRedacted(ctx context.Context) error {
	if c.options.Since.N > 0 {
		return nil
	}
	var accounts []int64
	if err := c.tx.SelectContext(ctx, &accounts, `SELECT DISTINCT account_id FROM redacted ORDER BY account_id`); err != nil {
		return err
	}
	for _, account := range accounts {
		if !c.redacted[account] {
			c.find("redacted", fmt.Sprintf("account %d", account), "no entry says that the account was redacted")
		}
	}
	return nil
}
