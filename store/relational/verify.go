package relational

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
	"github.com/lobstrail/lobstrail/store/verify"
)

// Verify checks the whole store: the file, by itself and by SQLite's own check; and of
// each workspace the log against the evidence, and everything derived against what
// follows from it (see [verify.Check]). What is found goes to report, one after the
// other. An error means that the check could not be brought to its end; ErrOlder or
// ErrNewer, that other rules than those of the store derived it.
//
// It writes nothing, and what others write meanwhile is not in its way: each part looks
// at one moment of the store. It does not notice that the whole file was rewritten,
// with its log, unless [store.VerifyOptions.Trees] gives trees to compare the log with.
func (s *Store) Verify(ctx context.Context, o store.VerifyOptions, report func(store.Finding)) (store.Verified, error) {
	if s.rules.Compare == nil {
		return store.Verified{}, errors.New("store: to verify needs rules")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	v := &verifier{store: s, options: o, report: report, cancel: cancel}
	v.pass(ctx, v.checkMeans)
	if v.err != nil {
		return v.done, v.err
	}
	var passes sync.WaitGroup
	passes.Go(func() { v.pass(ctx, v.checkFiles) })
	if v.readable {
		passes.Go(func() { v.pass(ctx, v.checkHistory) })
	}
	passes.Wait()
	return v.done, v.err
}

// verifier is one check of a store.
type verifier struct {
	store    *Store
	options  store.VerifyOptions
	report   func(store.Finding)
	cancel   context.CancelCauseFunc
	readable bool // the tables are those of a store
	ruled    bool // it was derived by the rules that are at hand
	// workspaces are all there are, by number.
	workspaces []workspaceRow

	mutex sync.Mutex
	done  store.Verified
	err   error // the first that broke a pass off
}

func (v *verifier) find(table string, row any, problem string, args ...any) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.done.Findings++
	v.report(store.Finding{Table: table, Row: fmt.Sprint(row), Problem: fmt.Sprintf(problem, args...)})
}

// workspaceRow is a row of table workspace.
type workspaceRow struct {
	ID   int64  `db:"id"`
	Name string `db:"name"`
}

// rowIn names a row of a workspace, where there are several.
func (v *verifier) rowIn(workspace string, row any) string {
	if len(v.workspaces) < 2 || row == "" {
		return fmt.Sprint(row)
	}
	return fmt.Sprintf("%v of workspace %q", row, workspace)
}

// findRows finds the rows that the query returns, each with its problem.
func (v *verifier) findRows(ctx context.Context, tx Tx, table, query string, args ...any) error {
	return Each(ctx, tx, query, args, func(scan func(...any) error) error {
		var row, problem sql.NullString
		err := scan(&row, &problem)
		if err == nil {
			v.find(table, row.String, "%s", problem.String)
		}
		return err
	})
}

// pass runs a part of the check in a read transaction on a connection of its own.
// Damage that breaks it off is a finding about the table; any other error ends the
// whole check.
func (v *verifier) pass(ctx context.Context, fn func(context.Context, Tx) error) {
	err := v.store.db.ReadApart(ctx, func(tx Tx) error { return fn(ctx, tx) })
	if err == nil {
		return
	}
	err = v.store.db.Failure(err)
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.Is(err, store.ErrDamaged):
		v.find("", "", "cannot be checked to the end: %v", unplaced(err))
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

// checkMeans looks whether the store can be checked at all: whether its tables are
// those of a store, and its rules those that are at hand.
func (v *verifier) checkMeans(ctx context.Context, tx Tx) (err error) {
	if v.readable, err = v.store.db.Schema(ctx, tx, v.find); err != nil || !v.readable {
		return err
	}
	if err := tx.SelectContext(ctx, &v.workspaces, `SELECT id, name FROM workspace ORDER BY id`); err != nil {
		return err
	}
	v.ruled = true
	own := v.store.rules.Version
	for _, w := range v.workspaces {
		rules, err := v.store.db.Rules(ctx, tx, w.ID)
		switch {
		case err != nil:
			return err
		case rules == 0 || rules == own: // a process that died while it made the store leaves none
		case v.options.AnyRules:
			v.ruled = false
		case rules < own:
			return fmt.Errorf("%w: derived by rules %d, this one has %d", store.ErrOlder, rules, own)
		default:
			return fmt.Errorf("%w: derived by rules %d, this one has %d", store.ErrNewer, rules, own)
		}
	}
	return nil
}

// checkFiles is the part of the check that is about what the engine keeps, and about the
// tables that belong to no workspace.
func (v *verifier) checkFiles(ctx context.Context, tx Tx) error {
	if err := v.store.db.Files(ctx, tx, v.readable, v.find); err != nil || !v.readable {
		return err
	}
	return v.checkWorkspaces(ctx, tx)
}

// checkHistory checks all workspaces.
func (v *verifier) checkHistory(ctx context.Context, tx Tx) error {
	var total int64
	if err := tx.GetContext(ctx, &total, `SELECT count(*) FROM response`); err != nil {
		return err
	}
	v.done.Trees = map[string]tlog.Tree{}
	for _, w := range v.workspaces {
		if err := v.checkWorkspace(ctx, tx, w.ID, w.Name, total); err != nil {
			return err
		}
	}
	for name := range v.options.Trees {
		if _, known := v.done.Trees[name]; !known {
			v.find("entry", "", "%v: there is no workspace %q", store.ErrRewritten, name)
		}
	}
	return nil
}

// checkWorkspace checks one workspace.
func (v *verifier) checkWorkspace(ctx context.Context, tx Tx, ws int64, name string, total int64) error {
	rows, err := RowsOf(ctx, tx, ws, name)
	if err != nil {
		return err
	}
	trees := map[int64][]ledger.Hash{}
	for _, tree := range v.options.Trees[name] {
		trees[tree.N] = append(trees[tree.N], tree.Hash)
	}
	before := v.done.Responses
	done, err := verify.Check(rows, verify.Options{
		Rules: v.store.rules, WithoutDerived: !v.ruled, Trees: trees,
		Find: func(table string, row any, problem string, args ...any) {
			v.find(table, v.rowIn(name, row), problem, args...)
		},
		Progress: func(n int64) {
			if v.options.Progress != nil {
				v.options.Progress(before+n, total)
			}
		},
	})
	v.done.Trees[name] = done.Tree
	v.done.Responses += done.Responses
	v.done.Snapshots += done.Snapshots
	v.done.Documents += done.Changed
	v.done.Versions += done.Versions
	if err != nil {
		return err
	}
	return v.checkRedactions(ctx, tx, ws, name, done.Redactions)
}
