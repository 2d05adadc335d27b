package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"

	"github.com/jmoiron/sqlx"
	"golang.org/x/mod/sumdb/tlog"
	"modernc.org/sqlite"
)

// copyAndCheck makes a copy of the store and checks it.
func (s *Store) copyAndCheck(ctx context.Context, fresh string, o BackupOptions) (trees map[string]tlog.Tree, bytes int64, err error) {
	if trees, err = s.copyTo(ctx, fresh, o.Progress); err != nil {
		return trees, 0, err
	}
	if err := s.checkCopy(ctx, fresh, trees, o.Checking); err != nil {
		return trees, 0, fmt.Errorf("the copy does not verify, and was removed: %w", err)
	}
	info, err := os.Stat(fresh)
	if err != nil {
		return trees, 0, err
	}
	return trees, info.Size(), nil
}

// copyTo copies the store to a file that is not there, and returns the trees of the
// logs in it.
func (s *Store) copyTo(ctx context.Context, fresh string, progress func(done, total int64)) (trees map[string]tlog.Tree, err error) {
	if err := touch(fresh); err != nil {
		return trees, interpret(err)
	}
	address, err := dsn(fresh, "rw", "journal_mode(MEMORY)", "synchronous(FULL)")
	if err != nil {
		return trees, err
	}
	conn, err := s.db.read.Connx(ctx)
	if err != nil {
		return trees, s.db.Failure(err)
	}
	defer conn.Close()
	// One read transaction from the first page to the last: without it the copy would
	// begin anew whenever somebody writes.
	tx, err := conn.BeginTxx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return trees, s.db.Failure(err)
	}
	defer tx.Rollback() // nothing to commit
	reading := &connection{Conn: conn, prepared: map[string]*sqlx.Stmt{}}
	if trees, err = relational.Trees(ctx, &txn{Tx: tx, conn: reading}); err != nil {
		return trees, s.db.Failure(err)
	}
	return trees, interpret(conn.Raw(func(driver any) error {
		return copyPages(ctx, driver.(backuper), address, progress)
	}))
}

// backuper is a connection of the driver (https://sqlite.org/backup.html).
type backuper interface {
	NewBackup(address string) (*sqlite.Backup, error)
}

const (
	pagesAtOnce = 256
	pageBytes   = 4096
)

func copyPages(ctx context.Context, from backuper, address string, progress func(done, total int64)) (err error) {
	backup, err := from.NewBackup(address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backup.Finish()) }()
	for more := true; more; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if more, err = backup.Step(pagesAtOnce); err != nil {
			return err
		}
		if total := int64(backup.PageCount()); progress != nil {
			progress((total-int64(backup.Remaining()))*pageBytes, total*pageBytes)
		}
	}
	return nil
}

// checkCopy verifies the whole copy, by the rules of the store if those are at hand.
func (s *Store) checkCopy(ctx context.Context, fresh string, want map[string]tlog.Tree, progress func(done, total int64)) error {
	copied, err := Open(ctx, fresh, Options{Now: s.db.now, Rules: s.rules})
	if err != nil {
		return err
	}
	defer copied.Close() // a reader has nothing to lose
	var first error
	o := store.VerifyOptions{AnyRules: true, Trees: map[string][]tlog.Tree{}, Progress: progress}
	for workspace, tree := range want {
		o.Trees[workspace] = []tlog.Tree{tree}
	}
	_, err = copied.Verify(ctx, o, func(f store.Finding) {
		if first == nil {
			first = relational.Damaged(strings.TrimSpace(f.Table+" "+f.Row), errors.New(f.Problem))
		}
	})
	return cmp.Or(err, first)
}

// treesIn are the trees of the logs of a store, by workspace, also of one of another
// version. It returns ErrForeign or ErrDamaged where they cannot be read.
func treesIn(ctx context.Context, path string) (trees map[string]tlog.Tree, err error) {
	if err := checkFile(path); err != nil {
		return nil, err
	}
	address, err := dsn(path, immutable)
	if err != nil {
		return nil, err
	}
	db, err := sqlx.ConnectContext(ctx, "sqlite", address)
	if err != nil {
		return nil, damagedSchema(err)
	}
	defer db.Close() // a reader has nothing to lose
	conn, err := newConnection(ctx, db)
	if err != nil {
		return nil, damagedSchema(err)
	}
	defer conn.Close()
	trees, err = relational.Trees(ctx, &txn{conn: conn})
	return trees, damagedSchema(err)
}
