package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/jmoiron/sqlx"
	"golang.org/x/mod/sumdb/tlog"
)

// VerifyOptions say what [Store.Verify] is to check.
type VerifyOptions struct {
	// Trees are trees that the log once had, as checkpoints tell. It must be a
	// continuation of each.
	Trees []tlog.Tree
	// Since is a tree up to which the store was verified before: only evidence that
	// later entries name is checked, and neither what is derived nor the file as
	// such. Zero: all of it is checked.
	Since tlog.Tree
	// AnyRules leaves out what is derived when other rules than those at hand made
	// it, which is an error else.
	AnyRules bool
	// Progress, unless nil, is called with how much of the work is done. It is
	// called from one goroutine at a time.
	Progress func(done, total int64)
}

// Finding is something that is not as it was written.
type Finding struct {
	Table   string // "" when it is about the file
	Row     string // what identifies it in its table; "" when it is about no one row
	Problem string
}

// Verified is what [Store.Verify] has looked at.
type Verified struct {
	Tree      tlog.Tree // the log as it is
	Responses int64
	Snapshots int64 // those that are there
	Documents int64
	Versions  int64 // derived again; 0 with VerifyOptions.Since
	Findings  int64
}

// Verify makes all that can be made again from the rows of the store, and compares:
// the commitments and hashes of the log from the evidence, what is derived from the
// evidence, by the rules of the store; and it lets SQLite check the file. What is
// found goes to report, one after the other. An error means that the check could
// not be brought to its end; ErrOlder or ErrNewer, that other rules than those of
// the store made what is derived.
//
// It writes nothing, and what others write meanwhile is not in its way: each part
// looks at one moment of the store. Somebody who can write to the file and makes
// all of it again, with the log, is not found; unless by [VerifyOptions.Trees].
func (s *Store) Verify(ctx context.Context, o VerifyOptions, report func(Finding)) (Verified, error) {
	if !o.AnyRules && s.rules.Compare == nil {
		return Verified{}, errors.New("store: to verify needs rules")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	v := &verifier{store: s, options: o, report: report, cancel: cancel}
	v.pass(ctx, "", v.checkMeans)
	if v.err != nil {
		return v.done, v.err
	}
	var passes sync.WaitGroup
	passes.Go(func() { v.pass(ctx, "", v.checkFile) })
	if v.readable {
		passes.Go(func() { v.pass(ctx, "", v.checkLog) })
		if v.ruled && o.Since.N == 0 {
			passes.Go(func() { v.pass(ctx, "", v.checkDerived, derivedPragmas...) })
		}
	}
	passes.Wait()
	return v.done, v.err
}

// verifier is one check of a store.
type verifier struct {
	store    *Store
	options  VerifyOptions
	report   func(Finding)
	cancel   context.CancelCauseFunc
	readable bool // the tables are those of a store
	ruled    bool // what is derived was derived by the rules that are at hand

	mutex    sync.Mutex
	done     Verified
	err      error // the first that broke a pass off
	progress [2]struct{ done, total int64 }
}

func (v *verifier) find(table string, row any, problem string, args ...any) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.done.Findings++
	v.report(Finding{table, fmt.Sprint(row), fmt.Sprintf(problem, args...)})
}

// findRows finds the rows that the query answers, each with its problem.
func (v *verifier) findRows(ctx context.Context, tx *txn, table, query string, args ...any) error {
	return tx.each(ctx, func(scan func(...any) error) error {
		var row, problem sql.NullString
		err := scan(&row, &problem)
		if err == nil {
			v.find(table, row.String, "%s", problem.String)
		}
		return err
	}, query, args...)
}

// The parts of the work of which the progress is told, in snapshots' responses.
const (
	logProgress = iota
	derivedProgress
)

func (v *verifier) advance(part int, done, total int64) {
	if v.options.Progress == nil {
		return
	}
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.progress[part].done, v.progress[part].total = done, total
	all := 2 * total
	if v.options.Since.N > 0 {
		all = total
	}
	v.options.Progress(v.progress[logProgress].done+v.progress[derivedProgress].done, all)
}

// pass runs a part of the check in a read transaction on a connection of its own.
// Damage that breaks it off is a finding about the table; any other error ends the
// whole check.
func (v *verifier) pass(ctx context.Context, table string, fn func(context.Context, *txn) error, pragmas ...string) {
	err := v.store.apart(ctx, pragmas, func(tx *txn) error { return fn(ctx, tx) })
	if err == nil {
		return
	}
	err = v.store.failure(err)
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.Is(err, ErrDamaged):
		v.find(table, "", "cannot be checked to the end: %v", unplaced(err))
		return
	}
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.err == nil {
		v.err = err
		v.cancel(err)
	}
}

// unplaced is the error without the name of the store.
func unplaced(err error) error {
	if placed, ok := errors.AsType[*placedError](err); ok {
		return placed.err
	}
	return err
}

// readingCache keeps the memory of a pass small: it reads nearly all once, in order.
const readingCache = "cache_size(-2048)"

// apart runs fn in a read transaction on a connection of its own, with a small cache.
func (s *Store) apart(ctx context.Context, pragmas []string, fn func(*txn) error) error {
	mode := "ro"
	if s.shared != nil {
		mode = immutable
	}
	address, err := dsn(s.path, mode, readingCache)
	if err != nil {
		return err
	}
	db, err := sqlx.ConnectContext(ctx, "sqlite", address)
	if err != nil {
		return err
	}
	defer db.Close() // nothing was written
	db.SetMaxOpenConns(1)
	w, err := newWriter(ctx, db)
	if err != nil {
		return err
	}
	defer w.Close()
	for _, pragma := range pragmas { // not in the address: the driver sorts those
		if _, err := w.conn.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
			return err
		}
	}
	tx, err := w.conn.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing to commit
	return fn(&txn{Tx: tx, writer: w})
}

// checkMeans looks whether the store can be checked at all: whether its tables are
// those of a store, and its rules those that are at hand.
func (v *verifier) checkMeans(ctx context.Context, tx *txn) (err error) {
	if v.readable, err = v.checkSchema(ctx, tx); err != nil || !v.readable {
		return err
	}
	var rules sql.NullInt64
	err = tx.GetContext(ctx, &rules, `
		SELECT (SELECT value FROM setting WHERE name = 'rules' AND typeof(value) = 'integer')`)
	own := int64(v.store.rules.Version)
	switch {
	case err != nil:
		return err
	case !rules.Valid || rules.Int64 == own: // who made an empty store may not have come to them
		v.ruled = v.store.rules.Compare != nil
		return nil
	case v.options.AnyRules:
		return nil
	case rules.Int64 < own:
		return fmt.Errorf("%w: derived by rules %d, this one has %d", ErrOlder, rules.Int64, own)
	default:
		return fmt.Errorf("%w: derived by rules %d, this one has %d", ErrNewer, rules.Int64, own)
	}
}
