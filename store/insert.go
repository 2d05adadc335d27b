package store

import (
	"context"
	"strings"
)

// rowsAStatement is how many rows one statement writes: so many values cost the
// driver less than as many statements, or JSON.
const rowsAStatement = 100

// insertRows runs an INSERT, which ends with VALUES, for all rows. values appends
// what one of them binds, the same number for each.
func insertRows[Row any](ctx context.Context, tx *txn, insert string, rows []Row, values func([]any, Row) []any) error {
	var bound []any
	for len(rows) > 0 {
		n := rowsAStatement
		if len(rows) < n {
			n = 1
		}
		bound = bound[:0]
		for _, row := range rows[:n] {
			bound = values(bound, row)
		}
		if _, err := tx.ExecContext(ctx, valuesOf(insert, n, len(bound)/n), bound...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// valuesOf is the statement for n rows of so many columns.
func valuesOf(insert string, n, columns int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + "), "
	return insert + strings.TrimSuffix(strings.Repeat(row, n), ", ")
}
