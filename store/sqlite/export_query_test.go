package sqlite

import (
	"context"

	"github.com/lobstrail/lobstrail/store/relational"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Statement runs a query as one of the store's own.
func (s *Store) Statement(ctx context.Context, query string) error {
	return s.db.Read(ctx, func(tx relational.Tx) error {
		var all []any
		return tx.SelectContext(ctx, &all, query)
	})
}

// Reading is how many connections are in use for reading.
func (s *Store) Reading() int { return s.db.read.Stats().InUse }

// LargestValue is how many bytes a value may have on the connections for reading.
func (s *Store) LargestValue(ctx context.Context) (int, error) {
	conn, err := s.db.read.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return sqlite.Limit(conn, sqlite3.SQLITE_LIMIT_LENGTH, -1)
}

// KeepInMemory sets how many accounts a writer keeps in memory.
func (s *Store) KeepInMemory(accounts int) { s.AtOnce.Accounts = accounts }
