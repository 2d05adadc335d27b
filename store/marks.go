package store

import (
	"context"
	"maps"
	"slices"
)

// marks are the accounts that a response was the last to show, by the response.
type marks map[int64][]stretch

// stretch is account numbers that follow one another. Those of a page do, mostly: a
// list has accounts in the order in which they were first seen.
type stretch struct{ from, to int64 }

// take takes up the mark of an account, whose number is higher than those before.
func (m *marks) take(account int64, e *endpoint) {
	if !e.marked {
		return
	}
	e.marked = false
	if *m == nil {
		*m = marks{}
	}
	shown := (*m)[e.Seen.Int64]
	if last := len(shown) - 1; last >= 0 && shown[last].to == account-1 {
		shown[last].to = account
		return
	}
	(*m)[e.Seen.Int64] = append(shown, stretch{account, account})
}

// fewStretches are so many that a statement for each is cheaper than one that looks
// for each account.
const fewStretches = 20

func (m marks) save(ctx context.Context, tx *txn, column string) error {
	for _, response := range slices.Sorted(maps.Keys(m)) {
		if err := saveMarks(ctx, tx, column, response, m[response]); err != nil {
			return err
		}
	}
	return nil
}

func saveMarks(ctx context.Context, tx *txn, column string, response int64, shown []stretch) error {
	if len(shown) > fewStretches {
		var accounts array
		for _, s := range shown {
			for account := s.from; account <= s.to; account++ {
				accounts = accounts.add(account)
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE seen SET `+column+` = ? FROM json_each(?) shown WHERE account_id = shown.value`,
			response, accounts.String())
		return err
	}
	for _, s := range shown {
		_, err := tx.ExecContext(ctx, `UPDATE seen SET `+column+` = ? WHERE account_id BETWEEN ? AND ?`, response, s.from, s.to)
		if err != nil {
			return err
		}
	}
	return nil
}
