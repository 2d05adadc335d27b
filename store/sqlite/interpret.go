package sqlite

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"

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
		return store.ErrNotFound
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT): // of files that are not SQLite's
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	case strings.HasPrefix(err.Error(), "sql: Scan error"): // database/sql has no type for it
		return relational.Damaged("a value is not of its column's type", err)
	case !errors.As(err, &failed):
		return err
	}
	switch failed.Code() {
	case sqlite3.SQLITE_IOERR_SHMSIZE: // no room for what readers share
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	case sqlite3.SQLITE_IOERR_SHORT_READ: // the file is shorter than its header says
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	switch failed.Code() & 0xff { // the primary code; the rest is detail
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &store.BusyError{} // that the database is locked is nothing to tell a user
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	case sqlite3.SQLITE_ERROR:
		if aboutValue(err) {
			return fmt.Errorf("%w: %w", store.ErrDamaged, err)
		}
		return fmt.Errorf("%w: %w", store.ErrStatement, err)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%w: %w", store.ErrDisk, err)
	}
	return err
}

// aboutValue reports whether SQLite could not work with a value in a row: JSON that
// is none, or a number beyond all that we store. Its code does not tell that from
// a statement that is wrong.
func aboutValue(err error) bool {
	return strings.Contains(err.Error(), "JSON") || strings.Contains(err.Error(), "integer overflow")
}

// Failure interprets an error and names the store in it when the matter is the
// file, or who else uses it. A statement that SQLite refuses is damage only if the
// schema is not what it is to be.
func (s *database) Failure(err error) error {
	err = interpret(err)
	if errors.Is(err, store.ErrStatement) {
		err = cmp.Or(s.schemaChanged(), err)
	}
	if isMatter(err) {
		return relational.Place(s.name, err)
	}
	return err
}

// schemaChanged returns ErrDamaged if a table, view, index or trigger of the store is
// missing or is another one. It returns the error if the schema cannot be read.
func (s *database) schemaChanged() error {
	want, err := fresh()
	if err != nil || s.read == nil {
		return err
	}
	var found []schemaObject
	if err := s.read.Select(&found, schemaObjects); err != nil {
		return damagedSchema(err)
	}
	for _, o := range want.objects {
		if !slices.Contains(found, o) {
			return relational.Damaged("the schema", fmt.Errorf("%s %s is missing or was changed", o.Kind, o.Name))
		}
	}
	return nil
}

// isMatter reports whether the error is one of those that are about the file, or
// about who else uses it.
func isMatter(err error) bool {
	for _, matter := range []error{store.ErrFull, store.ErrDisk, store.ErrDamaged, store.ErrMoved, store.ErrBusy} {
		if errors.Is(err, matter) {
			return true
		}
	}
	return false
}
