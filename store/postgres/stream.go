package postgres

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// fetched is how many rows a cursor reads at once.
const fetched = 1000

// Stream reads rows by a cursor, some at a time: several may be open in one transaction,
// where a connection has room for one answer.
func (t *txn) Stream(ctx context.Context, query string, args ...any) iter.Seq2[func(to ...any) error, error] {
	return func(yield func(func(to ...any) error, error) bool) {
		if err := t.flush(ctx); err != nil {
			yield(nil, err)
			return
		}
		t.cursors++
		t.heard = true
		cursor := fmt.Sprintf("c%d", t.cursors)
		if _, err := t.conn.ExecContext(ctx, "DECLARE "+cursor+" NO SCROLL CURSOR FOR "+spell(query).text, args...); err != nil {
			yield(nil, t.note(err))
			return
		}
		defer func() {
			if t.broken == nil {
				t.conn.ExecContext(ctx, "CLOSE "+cursor) // the end of the transaction does it, too
			}
		}()
		for more := true; more; {
			rows, err := t.fetch(ctx, cursor)
			if err != nil {
				yield(nil, t.note(err))
				return
			}
			for rows.next() {
				if !yield(rows.scan, nil) {
					return
				}
			}
			more = len(rows.values) == fetched
		}
	}
}

func (t *txn) fetch(ctx context.Context, cursor string) (rows *rowBatch, err error) {
	err = t.raw(func(conn *pgx.Conn) error {
		rows = &rowBatch{conn: conn, at: -1}
		answer := conn.PgConn().ExecParams(ctx, fmt.Sprintf("FETCH %d FROM %s", fetched, cursor), nil, nil, nil, nil)
		for answer.NextRow() {
			rows.columns = answer.FieldDescriptions()
			rows.add(answer.Values())
		}
		rows.columns = slices.Clone(rows.columns)
		_, err := answer.Close()
		return err
	})
	return rows, err
}

// rowBatch are rows as the server sent them.
type rowBatch struct {
	conn    *pgx.Conn
	columns []pgconn.FieldDescription
	values  [][][]byte
	at      int
}

// add keeps a row, whose bytes are the connection's.
func (r *rowBatch) add(values [][]byte) {
	size := 0
	for _, value := range values {
		size += len(value)
	}
	kept, own := make([][]byte, len(values)), make([]byte, 0, size)
	for i, value := range values {
		if value != nil {
			if r.columns[i].DataTypeOID == pgtype.TextOID && bytes.IndexByte(value, 1) >= 0 {
				value = []byte(withNUL.Replace(string(value)))
			}
			own = append(own, value...)
			kept[i] = own[len(own)-len(value):]
		}
	}
	r.values = append(r.values, kept)
}

func (r *rowBatch) next() bool {
	r.at++
	return r.at < len(r.values)
}

// scan reads the values of the row, as the rows of package sql do.
func (r *rowBatch) scan(to ...any) error {
	if len(to) != len(r.columns) {
		return fmt.Errorf("%d columns are read into %d values", len(r.columns), len(to))
	}
	for i, c := range r.columns {
		target := to[i]
		truth, isTruth := target.(*bool)
		var n int64
		if isTruth { // which is stored as 0 or 1
			target = &n
		}
		if err := r.conn.TypeMap().Scan(c.DataTypeOID, c.Format, r.values[r.at][i], target); err != nil {
			return fmt.Errorf("sql: Scan error on column %s: %w", c.Name, err)
		}
		if isTruth {
			if n != 0 && n != 1 {
				return fmt.Errorf("sql: Scan error on column %s: %d is neither 0 nor 1", c.Name, n)
			}
			*truth = n == 1
		}
	}
	return nil
}
