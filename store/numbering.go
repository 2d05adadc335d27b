package store

import "context"

// numbering gives derived rows the numbers that they had, where rows are kept among
// them that are not derived again: each row gets the first number that is free.
type numbering struct {
	last map[string]int64          // that was given, by table
	kept map[string]map[int64]bool // numbers of rows that are there
}

// numberedTables are the derived tables whose rows have numbers of their own.
var numberedTables = []string{"version", "change", "status_step", "squid", "assignment"}

// keptNumbers answers which accounts were redacted, and the numbers of what is
// there before anything is derived again; nil when there is no such account.
func keptNumbers(ctx context.Context, tx *txn) (redacted map[int64]bool, n *numbering, err error) {
	var accounts []int64
	if err := tx.SelectContext(ctx, &accounts, redactedAccounts); err != nil || len(accounts) == 0 {
		return nil, nil, err
	}
	redacted = map[int64]bool{}
	for _, account := range accounts {
		redacted[account] = true
	}
	n = &numbering{last: map[string]int64{}, kept: map[string]map[int64]bool{}}
	for _, table := range numberedTables {
		var ids []int64
		if err := tx.SelectContext(ctx, &ids, `SELECT id FROM `+table); err != nil {
			return nil, nil, err
		}
		n.kept[table] = map[int64]bool{}
		for _, id := range ids {
			n.kept[table][id] = true
		}
	}
	return redacted, n, nil
}

// peek is the next number; nil leaves it to SQLite: the one that follows.
func (n *numbering) peek(table string) any {
	if n == nil {
		return nil
	}
	id := n.last[table] + 1
	for n.kept[table][id] {
		id++
	}
	return id
}

// next is peek, and takes the number.
func (n *numbering) next(table string) any {
	id := n.peek(table)
	if n != nil {
		n.last[table] = id.(int64)
	}
	return id
}
