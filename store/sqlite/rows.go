package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"github.com/jmoiron/sqlx"
	"github.com/lobstrail/lobstrail/store"
)

// rowsOf streams the rows of a query, each mapped by its method. The iteration
// ends after the first error.
func rowsOf[Row, T any](ctx context.Context, s *Store, query string, args []any,
	mapped func(Row) (T, error),
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := s.read.QueryxContext(ctx, query, args...)
		if err != nil {
			yield(none, s.failure(err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var row Row
			err := rows.StructScan(&row)
			value := none
			if err == nil {
				value, err = mapped(row)
			}
			if !yield(value, s.failure(err)) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, s.failure(err))
		}
	}
}

// readFirst reads all values in one read transaction, before it yields the first one:
// for answers that must be sorted, and so that whoever takes them may take its time.
func readFirst[T any](ctx context.Context, s *Store, read func(tx *sqlx.Tx) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var all []T
		err := s.view(ctx, func(tx *sqlx.Tx) (err error) {
			all, err = read(tx)
			return err
		})
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	}
}

// eachOf runs a query and calls fn with the scan of each row. It is for long
// answers, whose rows sqlx takes longer to map than SQLite to find.
func eachOf(ctx context.Context, tx rowsQuerier, query string, args []any, fn func(scan func(...any) error) error) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rowsQuerier is a transaction, whose statements may stay prepared.
type rowsQuerier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// damagedRow says that a row cannot be what was written.
func damagedRow(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", store.ErrDamaged, what, err)
}
