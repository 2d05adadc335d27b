package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"
)

// update runs fn in one write transaction. fn must use only tx: the write pool
// has a single connection, so a query on the pool would wait for itself.
func (s *Store) update(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	if s.write == nil {
		return errors.New("store: opened for reading")
	}
	tx, err := s.write.BeginTxx(ctx, nil)
	if err != nil {
		return interpret(err)
	}
	defer tx.Rollback() // no effect after Commit
	if err := fn(tx); err != nil {
		return interpret(err)
	}
	return interpret(tx.Commit())
}

// view runs fn in one read transaction, so that all its queries see the same
// moment of the store.
func (s *Store) view(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	tx, err := s.read.BeginTxx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return interpret(err)
	}
	defer tx.Rollback() // nothing to commit
	return interpret(fn(tx))
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

// nullMS is the inverse of instant.
func nullMS(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

// nullText stores the empty text as NULL.
func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
