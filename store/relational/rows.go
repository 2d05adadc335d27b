package relational

import (
	"context"
	"fmt"
	"iter"

	"github.com/lobstrail/lobstrail/store"
)

// rowsOf streams the rows of a query, each mapped by its method. The iteration
// ends after the first error.
func rowsOf[Row, T any](ctx context.Context, s *Store, query string, args []any,
	mapped func(Row) (T, error),
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		stopped := false
		err := s.db.Read(ctx, func(tx Tx) error {
			rows, err := tx.QueryxContext(ctx, query, args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var row Row
				if err := rows.StructScan(&row); err != nil {
					return err
				}
				value, err := mapped(row)
				if err != nil {
					return err
				}
				if stopped = !yield(value, nil); stopped {
					return nil
				}
			}
			return rows.Err()
		})
		if err != nil && !stopped {
			yield(none, err)
		}
	}
}

// readFirst reads all values in one read transaction, before it yields the first one:
// for answers that must be sorted, and so that whoever takes them may take its time.
func readFirst[T any](ctx context.Context, s *Store, read func(tx Tx) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var all []T
		err := s.db.Read(ctx, func(tx Tx) (err error) {
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

// Damaged says that a row cannot be what was written.
func Damaged(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", store.ErrDamaged, what, err)
}
