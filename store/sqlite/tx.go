package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"github.com/jmoiron/sqlx"
	"github.com/lobstrail/lobstrail/store/relational"
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
	statement, err := t.conn.PreparexContext(ctx, spell(query))
	if err == nil {
		t.conn.prepared[query] = statement
	}
	return statement, err
}

// Exec runs a statement that changes rows.
func (t *txn) Exec(ctx context.Context, query string, args ...any) error {
	_, err := t.ExecCount(ctx, query, args...)
	return err
}

// ExecOne runs a statement that must change one row.
func (t *txn) ExecOne(ctx context.Context, query string, args ...any) error {
	n, err := t.ExecCount(ctx, query, args...)
	if err == nil && n != 1 {
		err = relational.NotOne(n, query, args)
	}
	return err
}

// ExecCount runs a statement and returns how many rows it changed.
func (t *txn) ExecCount(ctx context.Context, query string, args ...any) (int64, error) {
	statement, err := t.statement(ctx, query)
	if err != nil {
		return 0, err
	}
	done, err := statement.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// GetContext reads one row.
func (t *txn) GetContext(ctx context.Context, dest any, query string, args ...any) error {
	statement, err := t.statement(ctx, query)
	if err != nil {
		return err
	}
	return statement.GetContext(ctx, dest, args...)
}

// SelectContext reads all rows.
func (t *txn) SelectContext(ctx context.Context, dest any, query string, args ...any) error {
	statement, err := t.statement(ctx, query)
	if err != nil {
		return err
	}
	return statement.SelectContext(ctx, dest, args...)
}

// QueryxContext returns rows that are read one by one. The same query must not be
// asked again before they are closed.
func (t *txn) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	statement, err := t.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.QueryxContext(ctx, args...)
}

// Stream runs a query and reads its rows one by one.
func (t *txn) Stream(ctx context.Context, query string, args ...any) iter.Seq2[func(to ...any) error, error] {
	return func(yield func(func(to ...any) error, error) bool) {
		rows, err := t.QueryxContext(ctx, query, args...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			if !yield(rows.Scan, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// InsertAtOnce is how many of n rows one INSERT takes: so many values cost the driver less
// than as many statements, and there are few statements to prepare.
func (t *txn) InsertAtOnce(n int) int {
	for _, rows := range []int{100, 10} {
		if n >= rows {
			return rows
		}
	}
	return 1
}

// Interpret gives an error its meaning.
func (t *txn) Interpret(err error) error { return interpret(err) }

// Write runs fn in one write transaction, which is of all workspaces: there is one
// connection that writes, and fn must use only tx. It returns ErrReadOnly for a store that
// was opened for reading.
func (s *database) Write(ctx context.Context, _ []string, fn func(tx relational.Tx) error) error {
	if err := s.CanWrite(); err != nil {
		return err
	}
	tx, err := s.writer.BeginTxx(ctx, nil)
	if err != nil {
		return s.Failure(err)
	}
	defer tx.Rollback() // no effect after Commit
	if err := fn(&txn{Tx: tx, conn: s.writer}); err != nil {
		return s.Failure(err)
	}
	if err := s.inPlace(); err != nil {
		return err
	}
	return s.Failure(tx.Commit())
}

// Read runs fn in one read transaction.
func (s *database) Read(ctx context.Context, fn func(tx relational.Tx) error) error {
	conn, err := newConnection(ctx, s.read)
	if err != nil {
		return s.Failure(err)
	}
	defer conn.Close() // which keeps it for the next one
	tx, err := conn.BeginTxx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.Failure(err)
	}
	defer tx.Rollback() // nothing to commit
	return s.Failure(fn(&txn{Tx: tx, conn: conn}))
}

// ReadApart runs fn in a read transaction on a connection of its own, whose statements
// stay prepared and whose memory is small: it reads nearly all once, in order. What it must
// sort is in a file.
func (s *database) ReadApart(ctx context.Context, fn func(relational.Tx) error) error {
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
	// Not in the address: the driver sorts pragmas.
	if _, err := conn.ExecContext(ctx, "PRAGMA temp_store(1)"); err != nil {
		return err
	}
	tx, err := conn.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing to commit
	return fn(&txn{Tx: tx, conn: conn})
}
