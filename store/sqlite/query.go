package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// MaxQueryValue is how many bytes a text or a blob of a user's query may have.
	MaxQueryValue = 16 << 20
	// MaxQueryRow is how many bytes the values of one row may have together.
	MaxQueryRow = 64 << 20
	// maxQueryColumns bounds how many values of that size SQLite holds at once.
	maxQueryColumns = 200
)

// abandonAfter is how long a query has to stop after its context is done. A single
// call of a function, such as instr() of two long texts, cannot be interrupted.
const abandonAfter = 500 * time.Millisecond

// Query runs the statements of a user, in their order and in one read transaction.
// For each it hands over the columns and then each row. A row holds int64, float64,
// string, []byte and nil. Parameters are bound by name in every statement.
//
// No statement runs unless all compile. Query returns [store.ErrReadOnly] for one that
// would write, create or attach anything, and ErrTooLarge where a value is too large.
// It stops when ctx is done and returns the cause of that; a statement that does not
// stop within half a second goes on by itself, and is heard no more.
func (s *Store) Query(ctx context.Context, script string, columns func([]string) error, row func([]any) error, params ...sql.NamedArg) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	q := &userQuery{store: s.db, results: make(chan queryResult, 2)}
	for _, p := range params {
		q.params = append(q.params, p)
	}
	go q.run(ctx, script)
	for {
		select {
		case r, more := <-q.results:
			if !more {
				return q.err
			}
			if err := r.tell(columns, row); err != nil {
				stop()
				q.drain()
				return err
			}
		case <-ctx.Done():
			if !q.drain() {
				return fmt.Errorf("%w, but one call of a function in it goes on until it is done", context.Cause(ctx))
			}
			return context.Cause(ctx)
		}
	}
}

// queryResult is the beginning of an answer, or some of its rows.
type queryResult struct {
	columns []string // nil: rows of the answer under way
	rows    [][]any
}

func (r queryResult) tell(columns func([]string) error, row func([]any) error) error {
	if r.columns != nil {
		return columns(r.columns)
	}
	for _, values := range r.rows {
		if err := row(values); err != nil {
			return err
		}
	}
	return nil
}

// userQuery is a query while it runs. Rows are read while those before are told.
type userQuery struct {
	store   *database
	params  []any
	results chan queryResult // closed at the end
	err     error            // to be read after that
}

// drain waits until the query has stopped, but not for ever. It reports whether it has.
func (q *userQuery) drain() (stopped bool) {
	late := time.After(abandonAfter)
	for {
		select {
		case _, more := <-q.results:
			if !more {
				return true
			}
		case <-late:
			return false
		}
	}
}

func (q *userQuery) run(ctx context.Context, script string) {
	defer close(q.results)
	conn, err := q.store.read.Conn(ctx)
	if err != nil {
		q.err = q.store.Failure(err)
		return
	}
	release, err := restrict(ctx, conn)
	defer release()
	if err == nil {
		err = q.all(ctx, conn, script)
	}
	q.err = q.store.queryError(ctx, err)
}

// all runs every statement once it is known that all compile.
func (q *userQuery) all(ctx context.Context, conn *sql.Conn, script string) error {
	statements, rest := SplitSQL(script)
	if !rest.Blank {
		statements = append(statements, rest)
	}
	for _, s := range statements {
		if s.Verb == "vacuum" { // SQLite asks nobody before it runs
			return fmt.Errorf("%w: VACUUM writes a file", store.ErrReadOnly)
		}
		compiled, err := conn.PrepareContext(ctx, s.Text)
		if err != nil {
			return err
		}
		if err := compiled.Close(); err != nil {
			return err
		}
	}
	for _, s := range statements {
		if err := q.one(ctx, conn, s.Text); err != nil {
			return err
		}
	}
	return nil
}

func (q *userQuery) one(ctx context.Context, conn *sql.Conn, statement string) error {
	rows, err := conn.QueryContext(ctx, statement, q.params...)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil || len(names) == 0 { // no column: a comment that does not end
		return err
	}
	// The driver interrupts the first step of a statement only.
	defer interruptLater(ctx, conn)()
	if err := q.send(ctx, queryResult{columns: names}); err != nil {
		return err
	}
	for more := true; more; {
		var batch queryResult
		if batch.rows, more, err = readBatch(rows, len(names)); err != nil {
			return err
		}
		if err := q.send(ctx, batch); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (q *userQuery) send(ctx context.Context, r queryResult) error {
	select {
	case q.results <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readBatch reads some rows, and reports whether there may be more.
func readBatch(rows *sql.Rows, width int) (batch [][]any, more bool, err error) {
	const enoughRows, enoughBytes = 64, 1 << 20
	targets := make([]any, width)
	for bytes := 0; len(batch) < enoughRows && bytes < enoughBytes; {
		if !rows.Next() {
			return batch, false, nil
		}
		values := make([]any, width)
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, false, err
		}
		size := rowBytes(values)
		if size > MaxQueryRow {
			return nil, false, fmt.Errorf("%w: a row of more than %d MiB", store.ErrTooLarge, MaxQueryRow>>20)
		}
		batch, bytes = append(batch, values), bytes+size
	}
	return batch, true, nil
}

func rowBytes(values []any) (n int) {
	for _, value := range values {
		switch v := value.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}

// queryError tells a refused statement from a wrong one, and from what befell the file.
func (s *database) queryError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if failed, ok := errors.AsType[*sqlite.Error](err); ok {
		switch failed.Code() & 0xff {
		case sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY:
			return fmt.Errorf("%w: %w", store.ErrReadOnly, err)
		case sqlite3.SQLITE_TOOBIG:
			return fmt.Errorf("%w: a text or blob of more than %d MiB", store.ErrTooLarge, MaxQueryValue>>20)
		case sqlite3.SQLITE_ERROR: // the user's statement is wrong, or a view cannot be read
			if strings.Contains(err.Error(), "cannot modify") { // a view: SQLite asks no authorizer
				return fmt.Errorf("%w: %w", store.ErrReadOnly, err)
			}
			return cmp.Or(relational.Place(s.name, s.schemaChanged()), err)
		}
	}
	return s.Failure(err)
}
