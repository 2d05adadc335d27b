package relational

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lobstrail/lobstrail/store"
)

// Database is what an engine gives to a [Store].
type Database interface {
	// Path is what messages call the store.
	Path() string
	// Failure gives an error of the driver the meaning of one of package store, and names
	// the store in it. Any other error, and nil, stays as it is.
	Failure(err error) error

	// Same reports whether the other one is the same database, whatever the paths or
	// addresses by which the two were opened.
	Same(other Database) (bool, error)

	// Read runs fn in a transaction that only reads: all its queries see the same moment of
	// the store. ReadApart does so on a connection of its own, for long reads that go
	// through nearly all rows.
	Read(ctx context.Context, fn func(tx Tx) error) error
	ReadApart(ctx context.Context, fn func(tx Tx) error) error
	// Write runs fn in a transaction that may write to the workspaces, which are created
	// when they are new: it holds their locks. fn may be run again, when the database broke
	// the transaction off; what it did before is undone then. It returns ErrReadOnly for a
	// store that was opened for reading.
	Write(ctx context.Context, workspaces []string, fn func(tx Tx) error) error
	// Lock takes the lock that Write takes, if there is such a workspace.
	Lock(ctx context.Context, workspace string) error
	// CanWrite returns ErrReadOnly for a store that was opened for reading.
	CanWrite() error
	// WriterLives reports whether some process can be writing to the workspace now.
	WriterLives(ctx context.Context, workspace string) (bool, error)

	// Rules is the version of the rules by which the workspace was derived; 0: there are
	// none yet. SetRules changes it.
	Rules(ctx context.Context, tx Tx, ws int64) (int, error)
	SetRules(ctx context.Context, tx Tx, ws int64, version int) error
	// AllowErasing lets the transaction take from the evidence, until it is called with
	// false.
	AllowErasing(ctx context.Context, tx Tx, allowed bool) error
	// Shrink gives unused space back to the disk where that is worth its cost, and returns
	// the size of the store before and after, in bytes.
	Shrink(ctx context.Context) (before, after int64, err error)
	// Erase runs fn, which takes from the evidence for good, and leaves nothing of that in
	// what the database keeps on the disk, as far as the engine can.
	Erase(ctx context.Context, fn func() error) error

	// Schema checks whether the tables are those of a store, and finds what they are not.
	// Only when they are readable their rows are checked.
	Schema(ctx context.Context, tx Tx, find Find) (readable bool, err error)
	// Files checks what the engine keeps beside the rows of workspaces, beside all other
	// checks. It is called with readable as Schema returned it.
	Files(ctx context.Context, tx Tx, readable bool, find Find) error
}

// Find tells what is wrong with a row of a table: see [store.Finding].
type Find func(table string, row any, problem string, args ...any)

// Tx is a transaction.
type Tx interface {
	// Exec runs a statement that changes rows. The engine may wait with it until the next
	// query, or the end of the transaction. ExecOne returns ErrDamaged unless it changes one
	// row: the store is then not what was written. ExecCount returns how many it changed.
	Exec(ctx context.Context, query string, args ...any) error
	ExecOne(ctx context.Context, query string, args ...any) error
	ExecCount(ctx context.Context, query string, args ...any) (int64, error)
	// GetContext, SelectContext and QueryxContext are as in package sqlx. Rows must be closed
	// before another query.
	GetContext(ctx context.Context, dest any, query string, args ...any) error
	SelectContext(ctx context.Context, dest any, query string, args ...any) error
	QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error)
	// Stream runs a query and reads its rows as they are asked for, each with its scan. Other
	// queries may run meanwhile, also this one with other arguments.
	Stream(ctx context.Context, query string, args ...any) iter.Seq2[func(to ...any) error, error]
	// InsertAtOnce is how many of n rows one INSERT takes.
	InsertAtOnce(n int) int
	// Interpret is Database.Failure without the name of the store.
	Interpret(err error) error
}

// Each runs a query and calls fn with the scan of each row.
func Each(ctx context.Context, tx Tx, query string, args []any, fn func(scan func(...any) error) error) error {
	rows, err := tx.QueryxContext(ctx, query, args...)
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

// insertRows runs an INSERT for all rows. Its values, which come from values, stand after
// the word VALUES.
func insertRows[Row any](ctx context.Context, tx Tx, statement string, rows []Row, values func([]any, Row) []any) error {
	into, conflict, _ := strings.Cut(statement, "VALUES")
	var bound []any
	for len(rows) > 0 {
		n := tx.InsertAtOnce(len(rows))
		bound = make([]any, 0, len(bound))
		for _, row := range rows[:n] {
			bound = values(bound, row)
		}
		row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(bound)/n), ", ") + "), "
		query := into + "VALUES " + strings.TrimSuffix(strings.Repeat(row, n), ", ") + conflict
		if err := tx.Exec(ctx, query, bound...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// flag is a truth as it is stored.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// NotOne says that a statement changed another number of rows than one: the store is not
// what was written.
func NotOne(n int64, query string, args []any) error {
	return fmt.Errorf("%w: %d rows instead of one: %s %v", store.ErrDamaged, n, strings.TrimSpace(query), args)
}
