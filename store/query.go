package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrReadOnly means that a query would do something else than read.
var ErrReadOnly = errors.New("only reading is allowed")

// readPragmas are the pragmas that tell something and change nothing when they
// are given no new value.
var readPragmas = map[string]bool{
	"application_id": true, "collation_list": true, "compile_options": true, "database_list": true,
	"foreign_key_list": true, "freelist_count": true, "function_list": true, "index_info": true,
	"index_list": true, "index_xinfo": true, "integrity_check": true, "page_count": true, "page_size": true,
	"quick_check": true, "schema_version": true, "table_info": true, "table_list": true, "table_xinfo": true,
	"user_version": true,
}

// allowReading is SQLite's authorizer for the queries of users: it lets a
// statement be compiled only if it reads this database. A read-only connection
// is not enough for that: ATTACH and VACUUM INTO create files on one.
func allowReading(action sqlite.AuthorizerActionCode, name, _, _, _ string) sqlite.AuthorizerReturnCode {
	switch action {
	case sqlite.AuthSelect, sqlite.AuthRead, sqlite.AuthFunction, sqlite.AuthRecursive:
		return sqlite.AuthorizerOK
	case sqlite.AuthPragma:
		if readPragmas[strings.ToLower(name)] {
			return sqlite.AuthorizerOK
		}
	}
	return sqlite.AuthorizerDeny
}

// Query runs one or more statements of a user that only read, and hands the
// columns and then each row of the last one to the callbacks. A row holds int64,
// float64, string, []byte and nil. It returns [ErrReadOnly] for a query that
// would write, create or attach anything, and stops when ctx is done.
func (s *Store) Query(ctx context.Context, query string, columns func([]string) error, row func([]any) error) error {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return s.failure(err)
	}
	defer conn.Close()
	if err := authorize(conn, allowReading); err != nil {
		return err
	}
	defer authorize(conn, nil) // the connection goes back to the pool
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return s.queryError(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return s.queryError(err)
	}
	if err := columns(names); err != nil {
		return err
	}
	return s.eachRow(rows, len(names), row)
}

// eachRow hands rows to a function while the next ones are read.
func (s *Store) eachRow(rows *sql.Rows, width int, row func([]any) error) error {
	batches, stop := make(chan [][]any, 2), make(chan struct{})
	var failed error
	go func() {
		defer close(batches)
		failed = readBatches(rows, width, batches, stop)
	}()
	for batch := range batches {
		for _, values := range batch {
			if err := row(values); err != nil {
				close(stop)
				for range batches { // until nobody reads the rows any more
				}
				return err
			}
		}
	}
	return s.queryError(failed)
}

func readBatches(rows *sql.Rows, width int, batches chan<- [][]any, stop <-chan struct{}) error {
	const size = 64
	targets := make([]any, width)
	for more := true; more; {
		batch := make([][]any, 0, size)
		for len(batch) < size {
			if more = rows.Next(); !more {
				break
			}
			values := make([]any, width)
			for i := range values {
				targets[i] = &values[i]
			}
			if err := rows.Scan(targets...); err != nil {
				return err
			}
			batch = append(batch, values)
		}
		select {
		case batches <- batch:
		case <-stop:
			return nil
		}
	}
	return rows.Err()
}

func authorize(conn *sql.Conn, fn sqlite.AuthorizerFn) error {
	return conn.Raw(func(driver any) error {
		return driver.(sqlite.AuthorizerRegisterer).RegisterAuthorizer(fn)
	})
}

// queryError tells a refused statement from a wrong one.
func (s *Store) queryError(err error) error {
	var failed *sqlite.Error
	if errors.As(err, &failed) {
		switch failed.Code() & 0xff {
		case sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY:
			return fmt.Errorf("%w: %w", ErrReadOnly, err)
		case sqlite3.SQLITE_ERROR: // the user's statement is wrong, or a view cannot be read
			return cmp.Or(place(s.name, s.schemaChanged()), err)
		}
	}
	return s.failure(err)
}
