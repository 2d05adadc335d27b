package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/lobstrail/lobstrail/store"
)

// txn is a transaction whose statements stay prepared for the next one: with a page
// of a hundred accounts their parsing would cost more than their work.
type txn struct {
	*sqlx.Tx
	conn *connection
}

// connection is the one connection of a writer, or of a long read.
type connection struct {
	*sqlx.Conn
	prepared map[string]*sqlx.Stmt
}

func newConnection(ctx context.Context, db *sqlx.DB) (*connection, error) {
	conn, err := db.Connx(ctx)
	return &connection{Conn: conn, prepared: map[string]*sqlx.Stmt{}}, err
}

func (c *connection) Close() error {
	var errs []error
	for _, statement := range c.prepared {
		errs = append(errs, statement.Close())
	}
	return errors.Join(append(errs, c.Conn.Close())...)
}

// statement prepares the query, which is one statement. It belongs to the
// connection, and so runs within the transaction that is open there.
func (t *txn) statement(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if statement := t.conn.prepared[query]; statement != nil {
		return statement, nil
	}
	statement, err := t.conn.PreparexContext(ctx, query)
	if err == nil {
		t.conn.prepared[query] = statement
	}
	return statement, err
}

func (t *txn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := t.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(ctx, args...)
}

// execOne runs a statement that must change one row. It returns ErrDamaged when it
// changes another number of them: the store is then not what was written.
func (t *txn) execOne(ctx context.Context, query string, args ...any) error {
	done, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fmt.Errorf("%w: %d rows instead of one: %s %v", store.ErrDamaged, n, strings.TrimSpace(query), args))
	}
	return nil
}

func (t *txn) GetContext(ctx context.Context, dest any, query string, args ...any) error {
	statement, err := t.statement(ctx, query)
	if err != nil {
		return err
	}
	return statement.GetContext(ctx, dest, args...)
}

func (t *txn) SelectContext(ctx context.Context, dest any, query string, args ...any) error {
	statement, err := t.statement(ctx, query)
	if err != nil {
		return err
	}
	return statement.SelectContext(ctx, dest, args...)
}

// QueryContext returns rows that are read one by one. The same query must not be
// asked again before they are closed.
func (t *txn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := t.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.Stmt.QueryContext(ctx, args...)
}

// each runs the query and calls fn with the scan of each row.
func (t *txn) each(ctx context.Context, fn func(scan func(...any) error) error, query string, args ...any) error {
	return eachOf(ctx, t, query, args, fn)
}

// rowsAStatement is how many rows one statement inserts, and then the next one of
// what is left: so many values cost the driver less than as many statements.
var rowsAStatement = [...]int{100, 10, 1}

// insertRows runs an INSERT for all rows, which ends with VALUES. values appends the
// values of a row.
func insertRows[Row any](ctx context.Context, tx *txn, statement string, rows []Row, values func([]any, Row) []any) error {
	var bound []any
	for _, n := range rowsAStatement {
		for ; len(rows) >= n; rows = rows[n:] {
			bound = bound[:0]
			for _, row := range rows[:n] {
				bound = values(bound, row)
			}
			row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(bound)/n), ", ") + "), "
			query := statement + " " + strings.TrimSuffix(strings.Repeat(row, n), ", ")
			if _, err := tx.ExecContext(ctx, query, bound...); err != nil {
				return err
			}
		}
	}
	return nil
}

// update runs fn in one write transaction. fn must use only tx: there is one
// connection that writes. It returns ErrReadOnly for a store that was opened for
// reading.
func (s *Store) update(ctx context.Context, fn func(tx *txn) error) error {
	if s.writer == nil {
		return store.ErrReadOnly
	}
	tx, err := s.writer.BeginTxx(ctx, nil)
	if err != nil {
		return s.failure(err)
	}
	defer tx.Rollback() // no effect after Commit
	if err := fn(&txn{Tx: tx, conn: s.writer}); err != nil {
		return s.failure(err)
	}
	if err := s.inPlace(); err != nil {
		return err
	}
	return s.failure(tx.Commit())
}

// view runs fn in one read transaction, so that all its queries see the same moment
// of the store.
func (s *Store) view(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	tx, err := s.read.BeginTxx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.failure(err)
	}
	defer tx.Rollback() // nothing to commit
	return s.failure(fn(tx))
}

// viewMany is view for functions that ask the same of one account after the other:
// their statements stay prepared.
func (s *Store) viewMany(ctx context.Context, fn func(tx *txn) error) error {
	conn, err := newConnection(ctx, s.read)
	if err != nil {
		return s.failure(err)
	}
	defer conn.Close() // which keeps it for the next one
	tx, err := conn.BeginTxx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.failure(err)
	}
	defer tx.Rollback() // nothing to commit
	return s.failure(fn(&txn{Tx: tx, conn: conn}))
}

// apart runs fn in a read transaction on a connection of its own, whose statements
// stay prepared and whose memory is small: it reads nearly all once, in order.
func (s *Store) apart(ctx context.Context, fn func(*txn) error, pragmas ...string) error {
	mode := "ro"
	if s.shared != nil {
		mode = immutable
	}
	address, err := dsn(s.path, mode, "cache_size(-2048)")
	if err != nil {
		return err
	}
	db, err := sqlx.ConnectContext(ctx, "sqlite", address)
	if err != nil {
		return err
	}
	defer db.Close() // nothing was written
	db.SetMaxOpenConns(1)
	conn, err := newConnection(ctx, db)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, pragma := range pragmas { // not in the address: the driver sorts those
		if _, err := conn.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	tx, err := conn.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing to commit
	return fn(&txn{Tx: tx, conn: conn})
}
