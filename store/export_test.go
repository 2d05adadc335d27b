package store

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/jmoiron/sqlx"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
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

// Writer is the connection that a store writes through.
func (s *Store) Writer() *sqlx.Conn { return s.writer.conn }

// CheckPages makes the line of each response in the log again, from the rows that
// are left and the hashes that stand for the others, and compares; and it checks
// that what is missing is what the last prune of the response named.
func (s *Store) CheckPages(ctx context.Context) error {
	return s.update(ctx, func(tx *txn) error {
		var texts []string
		if err := tx.SelectContext(ctx, &texts, `SELECT text FROM entry ORDER BY id`); err != nil {
			return err
		}
		shown, gone, reader := map[int64]ledger.Response{}, map[int64]ledger.Thinning{}, newLogReader(tx)
		for _, text := range texts {
			if err := readEntry(text, shown, gone); err != nil {
				return err
			}
		}
		for id, want := range shown {
			line, page, err := reader.page(ctx, id, want.Shown)
			if err != nil {
				return err
			}
			if line != want && line.Line() != want.Line() {
				return fmt.Errorf("response %d: %q, want %q", id, line.Line(), want.Line())
			}
			missing := page.Gone(func(int64) bool { return false })
			if !slices.Equal(missing, gone[id].Gone) {
				return fmt.Errorf("response %d lacks %v, and the log says %v", id, missing, gone[id].Gone)
			}
		}
		return nil
	})
}

func readEntry(text string, shown map[int64]ledger.Response, gone map[int64]ledger.Thinning) error {
	_, lines, err := ledger.ParseEntry(text)
	if err != nil {
		return err
	}
	for _, line := range lines {
		switch what, id := ledger.Subject(line); what {
		case "response":
			shown[id], err = ledger.ParseResponse(line)
		case "thinned":
			gone[id], err = ledger.ParseThinning(line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// RootOf is the hash of the tree over the first n entries.
func (s *Store) RootOf(ctx context.Context, n int64) (hash tlog.Hash, err error) {
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		hash, err = tlog.TreeHash(n, hashReader(ctx, tx))
		return err
	})
	return hash, err
}
