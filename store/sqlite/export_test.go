package sqlite

import (
	"os"

	"github.com/jmoiron/sqlx"

	"github.com/lobstrail/lobstrail/store"
)

// WatchFolders lets a test see, or prevent, what is done to folders without
// SQLite. It is undone by restore.
func WatchFolders(rename func(from, to string) error, sync func(dir string) error) (restore func()) {
	renameFile, syncFolder = rename, sync
	return func() { renameFile, syncFolder = os.Rename, SyncDir }
}

// Writer is the connection that a store writes through.
func (s *Store) Writer() *sqlx.Conn { return s.writer.Conn }

// DropAtOnce sets how many responses a transaction of a prune drops.
func (s *Store) DropAtOnce(responses int) { s.droppedAtOnce = responses }

// ReadingOf is what a run reads for Moment; nil: nothing.
func ReadingOf(w store.RunWriter) any { return w.(*RunWriter).past }
