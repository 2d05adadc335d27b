package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// interpret translates the driver's errors, by code, into those of errors.go.
// It is called where a transaction or a single read ends; an error that has been
// translated stays as it is.
func interpret(err error) error {
	var failed *sqlite.Error
	switch {
	case err == nil:
		return nil
	case isMatter(err):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT): // of files that are not SQLite's
		return fmt.Errorf("%w: %w", ErrFull, err)
	case strings.HasPrefix(err.Error(), "sql: Scan error"): // database/sql has no type for it
		return damagedRow("a value is not of its column's type", err)
	case !errors.As(err, &failed):
		return err
	}
	if failed.Code() == sqlite3.SQLITE_IOERR_SHMSIZE { // no room for what readers share
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	switch failed.Code() & 0xff { // the primary code; the rest is detail
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &BusyError{} // that the database is locked is nothing to tell a user
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_ERROR: // our own statements are right: the schema, or JSON in a row, is not
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	return err
}

// failure interprets an error and names the store in it when the matter is the
// file, or who else uses it.
func (s *Store) failure(err error) error {
	if err = interpret(err); isMatter(err) {
		return place(s.name, err)
	}
	return err
}

// isMatter reports whether the error is one of those that are about the file, or
// about who else uses it.
func isMatter(err error) bool {
	for _, matter := range []error{ErrFull, ErrDisk, ErrDamaged, ErrMoved, ErrBusy} {
		if errors.Is(err, matter) {
			return true
		}
	}
	return false
}
