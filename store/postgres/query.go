package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lobstrail/lobstrail/store"
)

const (
	// MaxQueryValue is how many bytes a text or bytes of a user's query may have.
	MaxQueryValue = 16 << 20
	// MaxQueryRow is how many bytes the values of one row may have together.
	MaxQueryRow = 64 << 20
)

// readVerbs begin the statements that a user may run. What they would change, the
// read-only transaction refuses; but a statement about the transaction itself would end
// it.
var (
	readVerbs = []string{"select", "with", "values", "table", "explain", "show", "("}
	// otherVerbs begin all other commands of PostgreSQL 18. What begins with another word is a
	// mistake, which the server explains.
	otherVerbs = strings.Fields(`abort alter analyze begin call checkpoint close cluster comment commit copy create deallocate declare
		delete discard do drop end execute fetch grant import insert listen load lock merge move notify prepare reassign refresh reindex
		release reset revoke rollback savepoint security set start truncate unlisten update vacuum`)
)

// Query runs the statements of a user, in their order and in one read-only transaction.
// For each it hands over the columns and then each row. A row holds int64, float64,
// string, []byte and nil: truth is 0 or 1, as in the views, and a time is text in RFC 3339.
// Parameters are bound by name in every statement, as texts, integers or real numbers.
//
// No statement runs unless all compile. Query returns [store.ErrReadOnly] for one that
// would do anything but read, and ErrTooLarge where a value is too large. It stops when ctx
// is done and returns the cause of that.
func (s *Store) Query(ctx context.Context, script string, columns func([]string) error, row func([]any) error, params ...sql.NamedArg) error {
	statements, rest := SplitSQL(script)
	if !rest.Blank {
		statements = append(statements, rest)
	}
	for _, statement := range statements {
		if slices.Contains(otherVerbs, statement.Verb) {
			return fmt.Errorf("%w: %s", store.ErrReadOnly, statement.Verb)
		}
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return s.db.interpret(ctx, reading, err)
	}
	defer discard(conn)
	q := userQuery{conn: conn, columns: columns, row: row, params: params}
	return s.queryError(ctx, q.run(ctx, statements))
}

// discard ends the session: a function that a user called may have changed it.
func discard(conn *sql.Conn) {
	conn.Raw(func(any) error { return driver.ErrBadConn })
	conn.Close() // it is closed
}

// userQuery is the query of a user while it runs.
type userQuery struct {
	conn    *sql.Conn
	columns func([]string) error
	row     func([]any) error
	params  []sql.NamedArg
}

func (q *userQuery) run(ctx context.Context, statements []store.Statement) error {
	tx, err := q.conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return err
	}
	defer tx.Rollback()                                                   // nothing to commit
	if _, err := tx.ExecContext(ctx, `SET LOCAL jit = off`); err != nil { // see timeouts.statements
		return err
	}
	for _, statement := range statements {
		err := q.conn.Raw(func(driver any) error {
			_, err := driver.(*textConn).Conn.Conn().PgConn().Prepare(ctx, "", numbered(statement), nil)
			return err
		})
		if err == nil && !slices.Contains(readVerbs, statement.Verb) { // a command of a later version
			return fmt.Errorf("%w: %s", store.ErrReadOnly, statement.Verb)
		}
		if err != nil {
			return err
		}
	}
	for _, statement := range statements {
		if err := q.one(ctx, tx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (q *userQuery) one(ctx context.Context, tx *sql.Tx, statement store.Statement) error {
	args := make([]any, len(statement.Params))
	for i, name := range statement.Params {
		for _, p := range q.params {
			if p.Name == name {
				args[i] = p.Value
			}
		}
	}
	rows, err := tx.QueryContext(ctx, numbered(statement), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil || len(types) == 0 {
		return errors.Join(err, rows.Err())
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Name()
	}
	if err := q.columns(names); err != nil {
		return err
	}
	for rows.Next() {
		values, err := readRow(rows, types)
		if err != nil {
			return err
		}
		if err := q.row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func readRow(rows *sql.Rows, types []*sql.ColumnType) ([]any, error) {
	values, to := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		to[i] = &values[i]
	}
	if err := rows.Scan(to...); err != nil {
		return nil, err
	}
	total := 0
	for i, value := range values {
		values[i] = plain(value, types[i].DatabaseTypeName())
		size := 0
		switch v := values[i].(type) {
		case string:
			size = len(v)
		case []byte:
			size = len(v)
		}
		if total += size; size > MaxQueryValue {
			return nil, fmt.Errorf("%w: a text or bytes of more than %d MiB", store.ErrTooLarge, MaxQueryValue>>20)
		}
	}
	if total > MaxQueryRow {
		return nil, fmt.Errorf("%w: a row of more than %d MiB", store.ErrTooLarge, MaxQueryRow>>20)
	}
	return values, nil
}

// plain is a value as SQLite would have it.
func plain(value any, kind string) any {
	switch v := value.(type) {
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case string:
		if kind != "NUMERIC" {
			return v
		}
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n
		}
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return f
		}
	}
	return value
}

// queryError tells a refused statement from a wrong one, and from what befell the server.
func (s *Store) queryError(ctx context.Context, err error) error {
	var failed *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !errors.As(err, &failed):
		return s.db.interpret(ctx, reading, err)
	}
	switch failed.Code {
	case "25006", "25001": // the second: it would make the transaction one that writes
		return fmt.Errorf("%w: %s", store.ErrReadOnly, failed.Message)
	case "54000", "54001", "53200":
		return fmt.Errorf("%w: %s", store.ErrTooLarge, failed.Message)
	}
	switch failed.Code[:2] {
	case "22", "42", "0A": // the user's statement is wrong
		if failed.Code != "42501" {
			return err
		}
	}
	return s.db.interpret(ctx, reading, err)
}
