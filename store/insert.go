package store

import (
	"context"
	"strconv"
	"strings"
)

// rowsAStatement is how many rows one statement writes, and then the next one of what
// is left: so many values cost the driver less than as many statements, or JSON.
var rowsAStatement = [...]int{100, 10, 1}

// writeRows runs a statement for all rows: they follow its VALUES. Each begins with
// the shared values, which are bound once; values appends the others, the same number
// of them for each row.
//
// An INSERT should be one OR FAIL into a table without foreign keys. What one that
// fails leaves behind goes with the transaction; if it had to be taken back alone,
// SQLite would keep a copy of each page that the statement changes.
func writeRows[Row any](
	ctx context.Context, tx *txn, statement string, shared []any, rows []Row, values func([]any, Row) []any,
) error {
	var bound []any
	for _, n := range rowsAStatement {
		for ; len(rows) >= n; rows = rows[n:] {
			bound = append(bound[:0], shared...)
			for _, row := range rows[:n] {
				bound = values(bound, row)
			}
			if _, err := tx.ExecContext(ctx, tx.writer.withRows(statement, len(shared), n, len(bound)), bound...); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowsKey tells the texts of one statement apart.
type rowsKey struct {
	statement string
	rows      int
}

// withRows is the statement for n rows of the shared values and of their part of
// those bound.
func (w *writer) withRows(statement string, shared, n, bound int) string {
	w.known.Lock()
	defer w.known.Unlock()
	key := rowsKey{statement, n}
	if text, known := w.rows[key]; known {
		return text
	}
	row := ""
	for i := range shared {
		row += "?" + strconv.Itoa(i+1) + ", "
	}
	row = "(" + row + strings.TrimSuffix(strings.Repeat("?, ", (bound-shared)/n), ", ") + "), "
	before, after, _ := strings.Cut(statement, "VALUES")
	text := before + "VALUES " + strings.TrimSuffix(strings.Repeat(row, n), ", ") + after
	w.rows[key] = text
	return text
}
