package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrRewritten means that the log is not the one of which a checkpoint was signed:
// entries that were in it have been changed, or are gone.
var ErrRewritten = errors.New("the history is not the one that was signed")

// Extends returns nil when the log begins with the entries that the tree is over,
// as it was when the tree was signed, and ErrRewritten when it does not. It goes by
// the hashes that are stored, and does not look at what they are of.
func (s *Store) Extends(ctx context.Context, signed tlog.Tree) error {
	return s.view(ctx, func(tx *sqlx.Tx) error {
		return extends(ctx, tx, signed)
	})
}

func extends(ctx context.Context, tx getter, signed tlog.Tree) error {
	var size int64
	if err := tx.GetContext(ctx, &size, `SELECT coalesce(max(id), 0) FROM entry`); err != nil {
		return err
	}
	if size < signed.N {
		return fmt.Errorf("%w: the log has %d entries, the checkpoint %d", ErrRewritten, size, signed.N)
	}
	hash, err := tlog.TreeHash(signed.N, hashReader(ctx, tx))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: entries are missing", ErrRewritten)
	case err != nil:
		return err
	case hash != signed.Hash:
		return fmt.Errorf("%w: its first %d entries are others", ErrRewritten, signed.N)
	}
	return nil
}

// SyncDir makes what was named in the folder survive power loss.
func SyncDir(dir string) error { return syncFolder(dir) }
