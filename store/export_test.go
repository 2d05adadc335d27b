package store

import (
	"context"
	"os"

	"github.com/jmoiron/sqlx"
	"golang.org/x/mod/sumdb/tlog"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// WatchFolders lets a test see, or prevent, what is done to folders without
// SQLite. It is undone by restore.
func WatchFolders(rename func(from, to string) error, sync func(dir string) error) (restore func()) {
	renameFile, syncFolder = rename, sync
	return func() { renameFile, syncFolder = os.Rename, syncDir }
}

// SyncFolder is what is done when nobody watches.
var SyncFolder = syncDir

// PruneInSmallSteps makes the transactions of prunes small. It is undone by restore.
func PruneInSmallSteps(responses int64) (restore func()) {
	before := maxThinnedResponses
	maxThinnedResponses = responses
	return func() { maxThinnedResponses = before }
}

// WithoutLog runs fn with the log switched off.
func WithoutLog(fn func()) {
	logging = false
	defer func() { logging = true }()
	fn()
}

// Writer is the connection that a store writes through.
func (s *Store) Writer() *sqlx.Conn { return s.writer.conn }

// Two accounts are many in tests.
func init() { manyAccounts = 1 }

// Views is how a store reads side by side.
func (s *Store) Views(ctx context.Context, n int, fn func(txs []*sqlx.Tx) error) error {
	return s.views(ctx, n, fn)
}

// RootOf is the hash of the tree over the first n entries.
func (s *Store) RootOf(ctx context.Context, n int64) (hash tlog.Hash, err error) {
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		hash, err = tlog.TreeHash(n, hashReader(ctx, tx))
		return err
	})
	return hash, err
}

// Statement runs a query as one of the store's own.
func (s *Store) Statement(ctx context.Context, query string) error {
	return s.view(ctx, func(tx *sqlx.Tx) error {
		var all []any
		return tx.SelectContext(ctx, &all, query)
	})
}

// Reading is how many connections are in use for reading.
func (s *Store) Reading() int { return s.read.Stats().InUse }

// LargestValue is how many bytes a value may have on the connections for reading.
func (s *Store) LargestValue(ctx context.Context) (int, error) {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return sqlite.Limit(conn, sqlite3.SQLITE_LIMIT_LENGTH, -1)
}
