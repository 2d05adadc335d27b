package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jmoiron/sqlx"
	"golang.org/x/mod/sumdb/tlog"
	"modernc.org/sqlite"
)

// copyAndCheck makes a copy of the store and checks it.
func (s *Store) copyAndCheck(ctx context.Context, fresh string, o BackupOptions) (tree tlog.Tree, bytes int64, err error) {
	if tree, err = s.copyTo(ctx, fresh, o.Progress); err != nil {
		return tree, 0, err
	}
	if err := s.checkCopy(ctx, fresh, tree, o.Checking); err != nil {
		return tree, 0, fmt.Errorf("the copy does not verify, and was removed: %w", err)
	}
	info, err := os.Stat(fresh)
	if err != nil {
		return tree, 0, err
	}
	return tree, info.Size(), nil
}

// copyTo copies the store to a file that is not there, and answers the tree of the
// log in it.
func (s *Store) copyTo(ctx context.Context, fresh string, progress func(done, total int64)) (tree tlog.Tree, err error) {
	if err := touch(fresh); err != nil {
		return tree, interpret(err)
	}
	address, err := dsn(fresh, "rw", "journal_mode(MEMORY)", "synchronous(FULL)")
	if err != nil {
		return tree, err
	}
	conn, err := s.read.Connx(ctx)
	if err != nil {
		return tree, s.failure(err)
	}
	defer conn.Close()
	// One read transaction from the first page to the last: without it the copy would
	// begin anew whenever somebody writes.
	tx, err := conn.BeginTxx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return tree, s.failure(err)
	}
	defer tx.Rollback() // nothing to commit
	if tree, err = treeOf(ctx, tx); err != nil {
		return tree, s.failure(err)
	}
	return tree, interpret(conn.Raw(func(driver any) error {
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
func (s *Store) checkCopy(ctx context.Context, fresh string, want tlog.Tree, progress func(done, total int64)) error {
	copied, err := Open(ctx, fresh, Options{Now: s.now, Rules: s.rules})
	if err != nil {
		return err
	}
	defer copied.Close() // a reader has nothing to lose
	var first error
	o := VerifyOptions{AnyRules: true, Trees: []tlog.Tree{want}, Progress: progress}
	_, err = copied.Verify(ctx, o, func(f Finding) {
		if first == nil {
			first = damagedRow(strings.TrimSpace(f.Table+" "+f.Row), errors.New(f.Problem))
		}
	})
	return cmp.Or(err, first)
}

// treeIn is the tree of the log of a store that a lobstrail of any version made.
func treeIn(ctx context.Context, path string) (tree tlog.Tree, err error) {
	if err := checkFile(path); err != nil {
		return tree, err
	}
	address, err := dsn(path, immutable)
	if err != nil {
		return tree, err
	}
	db, err := sqlx.ConnectContext(ctx, "sqlite", address)
	if err != nil {
		return tree, damagedSchema(err)
	}
	defer db.Close() // a reader has nothing to lose
	tree, err = treeOf(ctx, db)
	return tree, damagedSchema(err)
}
