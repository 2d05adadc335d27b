package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"
)

// txn is a write transaction. Its statements stay prepared for the next one:
// with a page of a hundred accounts their parsing would cost more than their
// work.
type txn struct {
	*sqlx.Tx
	writer *writer
	book   logbook
	turns  turns // nil: statements are not executed in turn
}

// writer is the one connection that writes.
type writer struct {
	conn     *sqlx.Conn
	known    sync.Mutex // for these
	prepared map[string]*sqlx.Stmt
	rows     map[rowsKey]string // statements
}

func newWriter(ctx context.Context, db *sqlx.DB) (*writer, error) {
	conn, err := db.Connx(ctx)
	return &writer{conn: conn, prepared: map[string]*sqlx.Stmt{}, rows: map[rowsKey]string{}}, err
}

func (w *writer) Close() error {
	var errs []error
	for _, statement := range w.prepared {
		errs = append(errs, statement.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// statement prepares the query, which is one statement. It belongs to the
// connection, and so runs within the transaction that is open there.
func (w *writer) statement(ctx context.Context, query string) (*sqlx.Stmt, error) {
	w.known.Lock()
	defer w.known.Unlock()
	if statement := w.prepared[query]; statement != nil {
		return statement, nil
	}
	statement, err := w.conn.PreparexContext(ctx, query)
	if err == nil {
		w.prepared[query] = statement
	}
	return statement, err
}

func (t *txn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := t.writer.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	t.turns.take()
	defer t.turns.give()
	return statement.ExecContext(ctx, args...)
}

// insert runs the INSERT of one row, and sets id to its number.
func (t *txn) insert(ctx context.Context, id *int64, query string, args ...any) error {
	done, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	*id, err = done.LastInsertId()
	return err
}

func (t *txn) GetContext(ctx context.Context, dest any, query string, args ...any) error {
	statement, err := t.writer.statement(ctx, query)
	if err != nil {
		return err
	}
	return statement.GetContext(ctx, dest, args...)
}

func (t *txn) SelectContext(ctx context.Context, dest any, query string, args ...any) error {
	statement, err := t.writer.statement(ctx, query)
	if err != nil {
		return err
	}
	return statement.SelectContext(ctx, dest, args...)
}

// QueryContext answers rows that are read one by one. The same query must not be
// asked again before they are closed.
func (t *txn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := t.writer.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.Stmt.QueryContext(ctx, args...)
}

// each runs the query and calls fn with the scan of each row.
func (t *txn) each(ctx context.Context, fn func(scan func(...any) error) error, query string, args ...any) error {
	return eachOf(ctx, t, query, args, fn)
}

// update runs fn in one write transaction, and adds what it notes to the log. fn
// must use only tx: there is one connection that writes.
func (s *Store) update(ctx context.Context, fn func(tx *txn) error) error {
	if s.writer == nil {
		return errors.New("store: opened for reading")
	}
	tx, err := s.writer.conn.BeginTxx(ctx, nil)
	if err != nil {
		return s.failure(err)
	}
	defer tx.Rollback() // no effect after Commit
	t := &txn{Tx: tx, writer: s.writer}
	if err := fn(t); err != nil {
		return s.failure(err)
	}
	if err := t.seal(ctx); err != nil {
		return s.failure(err)
	}
	if err := s.inPlace(); err != nil {
		return err
	}
	return s.failure(tx.Commit())
}

// view runs fn in one read transaction, so that all its queries see the same
// moment of the store.
func (s *Store) view(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	tx, err := s.read.BeginTxx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.failure(err)
	}
	defer tx.Rollback() // nothing to commit
	return s.failure(fn(tx))
}

// views runs fn in n read transactions that see the same moment of the store, for
// queries side by side. While others commit without pause, fn is given one alone.
func (s *Store) views(ctx context.Context, n int, fn func(txs []*sqlx.Tx) error) error {
	const tries = 3
	for range tries {
		if n == 1 {
			break
		}
		same, err := s.viewsAtOnce(ctx, n, fn)
		if same || err != nil {
			return s.failure(err)
		}
	}
	return s.view(ctx, func(tx *sqlx.Tx) error { return fn([]*sqlx.Tx{tx}) })
}

// viewsAtOnce runs fn in n transactions, unless something was committed while they
// began: the first begins last, and its connection would have noticed.
func (s *Store) viewsAtOnce(ctx context.Context, n int, fn func(txs []*sqlx.Tx) error) (same bool, err error) {
	conn, err := s.read.Connx(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	var before, after int64
	if err := conn.GetContext(ctx, &before, `PRAGMA data_version`); err != nil {
		return false, err
	}
	txs := make([]*sqlx.Tx, n)
	for i := n - 1; i >= 0; i-- {
		begin := s.read.BeginTxx
		if i == 0 {
			begin = conn.BeginTxx
		}
		if txs[i], err = begin(ctx, &sql.TxOptions{ReadOnly: true}); err != nil {
			return false, err
		}
		defer txs[i].Rollback() // nothing to commit
		// What a transaction sees is settled by the first query.
		if err := txs[i].GetContext(ctx, &after, `PRAGMA data_version`); err != nil {
			return false, err
		}
	}
	if before != after {
		return false, nil
	}
	return true, fn(txs)
}

// sideBySide runs each function in one of the transactions, as many at once as there
// are transactions.
func sideBySide(txs []*sqlx.Tx, all ...func(tx *sqlx.Tx) error) error {
	var group errgroup.Group
	free := make(chan *sqlx.Tx, len(txs))
	for _, tx := range txs {
		free <- tx
	}
	for _, fn := range all {
		tx := <-free
		group.Go(func() error {
			defer func() { free <- tx }()
			return fn(tx)
		})
	}
	return group.Wait()
}

// floorMS and ceilMS are the Unix milliseconds at or before, and at or after t.
func floorMS(t time.Time) int64 { return t.UnixMilli() }

func ceilMS(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}

// instant is the inverse of floorMS; NULL is the zero time.
func instant(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}

// stamp is the text that views make of an instant: for conditions that are to use
// the indexes on it.
func stamp(ms string) string {
	return `strftime('%Y-%m-%dT%H:%M:%fZ', ` + ms + ` / 1000.0, 'unixepoch')`
}

// nullMS is the inverse of instant.
func nullMS(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

// nullText stores the empty text as NULL.
func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
