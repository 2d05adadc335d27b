package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jmoiron/sqlx"

	"github.com/lobstrail/lobstrail/store/relational"
)

// txn is a transaction. Statements that change rows wait until a query needs them, or
// the transaction ends, and are sent together then: a page costs one round trip for all
// that it writes. It is for one goroutine.
type txn struct {
	server *server
	conn   *sqlx.Conn
	what   doing
	queue  queue
	// broken is the first error. The server ignores all that follows it, and makes a
	// rollback of COMMIT.
	broken  error
	cursors int  // how many were opened
	heard   bool // a query got an answer
}

var _ relational.Tx = (*txn)(nil)

// begin begins a transaction, with its time-outs, and renews the leases, all in one
// round trip. It returns a [*store.FencedError] if one of them is not held any more.
func (s *server) begin(ctx context.Context, what doing, step string, leases ...*lease) (*txn, error) {
	conn, err := s.Connx(ctx)
	if err != nil {
		return nil, err
	}
	t := &txn{server: s, conn: conn, what: what}
	batch := &pgx.Batch{}
	begin, settings := s.times.statements(what)
	batch.Queue(begin)
	if len(leases) == 0 {
		batch.Queue("SELECT " + settings)
	}
	for _, l := range leases {
		l.queueRenewal(batch, settings, step)
	}
	var lost *lease
	err = t.raw(func(conn *pgx.Conn) error {
		results := conn.SendBatch(ctx, batch)
		defer results.Close() // has no error that was not there before
		for i := range batch.Len() {
			tag, err := results.Exec()
			if err != nil {
				return err
			}
			if held := i - (batch.Len() - len(leases)); held >= 0 && tag.RowsAffected() == 0 {
				lost = leases[held]
				return nil
			}
		}
		return results.Close()
	})
	if err == nil && lost != nil {
		err = lost.successor(ctx, t)
	}
	if err != nil {
		t.rollback(ctx)
		return nil, err
	}
	return t, nil
}

// statements are how a transaction begins, and the settings for it: the columns of a
// SELECT that makes them. They end with the transaction.
func (t timeouts) statements(what doing) (begin, settings string) {
	begin, statement, idle := "BEGIN", t.write, t.lease
	if what == reading {
		// One snapshot for all queries, which serializable, if that is the default, would make
		// dearer, and a replica refuse.
		begin, statement, idle = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", t.read, -1
	}
	// pgx reads bytes in hex. To compile a query (jit) takes seconds, and the query then
	// milliseconds: its estimates are of a store with a thousand times as many rows.
	settings = "set_config('bytea_output', 'hex', true), set_config('jit', 'off', true)"
	set := func(name string, d time.Duration) {
		if d >= 0 {
			settings += fmt.Sprintf(", set_config('%s', '%d', true)", name, d.Milliseconds())
		}
	}
	set("statement_timeout", statement)
	set("lock_timeout", t.lock)
	set("idle_in_transaction_session_timeout", idle)
	return begin, settings
}

// raw runs fn with the driver's connection.
func (t *txn) raw(fn func(*pgx.Conn) error) error {
	return t.conn.Raw(func(conn any) error { return fn(conn.(*textConn).Conn.Conn()) })
}

// note keeps the first error.
func (t *txn) note(err error) error {
	if t.broken == nil {
		t.broken = err
	}
	return err
}

// Exec runs a statement that changes rows, later.
func (t *txn) Exec(ctx context.Context, query string, args ...any) error {
	return t.wait(ctx, deferred{spelled: spell(query), args: args})
}

// ExecOne runs a statement that must change one row, later. The flush returns ErrDamaged
// when it changes another number of them.
func (t *txn) ExecOne(ctx context.Context, query string, args ...any) error {
	return t.wait(ctx, deferred{spelled: spell(query), args: args, one: true})
}

func (t *txn) wait(ctx context.Context, d deferred) error {
	if t.broken != nil {
		return t.broken
	}
	d.args = storables(d.args)
	if full := t.queue.add(d); full {
		return t.flush(ctx)
	}
	return nil
}

// flush sends what waits.
func (t *txn) flush(ctx context.Context) error {
	if t.broken != nil {
		return t.broken
	}
	return t.note(t.raw(func(conn *pgx.Conn) error { return t.queue.send(ctx, conn) }))
}

// ExecCount runs a statement at once, after those that wait, and returns how many rows
// it changed.
func (t *txn) ExecCount(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.flush(ctx); err != nil {
		return 0, err
	}
	done, err := t.conn.ExecContext(ctx, spell(query).text, args...)
	if err != nil {
		return 0, t.note(err)
	}
	return done.RowsAffected()
}

// GetContext, SelectContext and QueryxContext are as in package sqlx. They see what the
// statements before them did.
func (t *txn) GetContext(ctx context.Context, dest any, query string, args ...any) error {
	if err := t.flush(ctx); err != nil {
		return err
	}
	return t.hear(t.conn.GetContext(ctx, dest, spell(query).text, args...))
}

// SelectContext is described at GetContext.
func (t *txn) SelectContext(ctx context.Context, dest any, query string, args ...any) error {
	if err := t.flush(ctx); err != nil {
		return err
	}
	return t.hear(t.conn.SelectContext(ctx, dest, spell(query).text, args...))
}

// QueryxContext is described at GetContext.
func (t *txn) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	if err := t.flush(ctx); err != nil {
		return nil, err
	}
	rows, err := t.conn.QueryxContext(ctx, spell(query).text, args...)
	return rows, t.hear(err)
}

// hear notes that a query got an answer, or its error if the server ended the transaction
// with it: that there is no row, or a row cannot be read into a variable, does not.
func (t *txn) hear(err error) error {
	t.heard = t.heard || err == nil
	if err != nil && (isLost(err) || t.failed()) {
		return t.note(err)
	}
	return err
}

// failed reports whether the server takes nothing more in the transaction.
func (t *txn) failed() (failed bool) {
	err := t.raw(func(conn *pgx.Conn) error {
		failed = conn.IsClosed() || conn.PgConn().TxStatus() != 'T'
		return nil
	})
	return failed || err != nil
}

// InsertAtOnce is how many of n rows one INSERT takes: a row has far less than thirty
// values.
func (t *txn) InsertAtOnce(n int) int { return min(n, maxArgs/30) }

// Interpret gives an error of the driver the meaning of one of package store.
func (t *txn) Interpret(err error) error {
	return t.server.interpret(context.Background(), t.what, err)
}

// commitTime is what a COMMIT has to succeed after its context has ended: what becomes of
// a COMMIT that is broken off is hard to tell.
const commitTime = 5 * time.Second

// commitError is an error of COMMIT itself.
type commitError struct{ error }

func (e *commitError) Unwrap() error { return e.error }

var errNotCommitted = errors.New("the server answered COMMIT with a rollback")

// commit sends what waits and ends the transaction. If COMMIT fails, the error is a
// commitError.
func (t *txn) commit(ctx context.Context) error {
	if err := t.flush(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(commitTime, cancel) })()
	err := t.raw(func(conn *pgx.Conn) error {
		tag, err := conn.Exec(late, "COMMIT")
		if err == nil && tag.String() != "COMMIT" {
			err = errNotCommitted
		}
		return err
	})
	if err != nil {
		return &commitError{err}
	}
	return nil
}

// rollback ends the transaction, unless it has ended, and gives the connection back. One
// that cannot be used any more is closed.
func (t *txn) rollback(ctx context.Context) {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	t.raw(func(conn *pgx.Conn) error {
		if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
			return nil
		}
		if _, err := conn.Exec(late, "ROLLBACK"); err != nil {
			return driver.ErrBadConn
		}
		return nil
	})
	t.conn.Close()
}
