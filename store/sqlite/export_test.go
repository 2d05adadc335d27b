package sqlite

import (
	"github.com/jmoiron/sqlx"
)

// WatchFolders lets a test see, or prevent, what is done to folders without SQLite by
// stores that are opened with the options.
func (o Options) WatchFolders(rename func(from, to string) error, sync func(dir string) error) Options {
	o.folders = &folders{rename, sync}
	return o
}

// Writer is the connection that a store writes through.
func (s *Store) Writer() *sqlx.Conn { return s.db.writer.Conn }

// DropAtOnce sets how many responses a transaction of a prune drops.
func (s *Store) DropAtOnce(responses int) { s.AtOnce.Dropped = responses }
