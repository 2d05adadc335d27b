package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
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

// fieldEnd separates the fields of a packed row. No text that was stored has this
// byte: it is in no UTF-8.
const fieldEnd = "\xff"

// packed is the SQL of one text made of columns, of which NULL is as good as "". It
// is for long answers: the driver takes as long over each column of a row as SQLite
// over finding the row.
func packed(columns ...string) string {
	return "concat(" + strings.Join(columns, ", x'ff', ") + ")"
}

// fields takes a packed row apart, column by column.
type fields struct {
	row, rest string
	over      bool // the last field has been taken
	wrong     bool
}

func unpack(row string) fields { return fields{row: row, rest: row} }

// text is the next field.
func (f *fields) text() string {
	field, rest, more := strings.Cut(f.rest, fieldEnd)
	f.wrong = f.wrong || f.over
	f.rest, f.over = rest, !more
	return field
}

// number is the next field, an integer; not valid when it is empty.
func (f *fields) number() sql.NullInt64 {
	field := f.text()
	if field == "" {
		return sql.NullInt64{}
	}
	n, err := strconv.ParseInt(field, 10, 64)
	f.wrong = f.wrong || err != nil
	return sql.NullInt64{Int64: n, Valid: true}
}

// instant is the next field, Unix milliseconds; empty is the zero time.
func (f *fields) instant() time.Time { return instant(f.number()) }

// err returns ErrDamaged when the row had other fields than were taken.
func (f *fields) err() error {
	if f.over && !f.wrong {
		return nil
	}
	return fmt.Errorf("%w: a row is not what was stored: %q", ErrDamaged, f.row)
}

// damagedRow says that a row cannot be what was written.
func damagedRow(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrDamaged, what, err)
}
