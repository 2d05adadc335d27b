package sqlite

import (
	"context"
	"errors"
)

// worthShrinking is the share of the database that must be unused for it to be
// written anew: a store that only grew has half of that.
const worthShrinking = 0.15

// Shrink gives unused space back to the disk when it is worth the writing of all
// the rest, and empties the journal into the file. It answers the size of the
// database before and after.
func (s *database) Shrink(ctx context.Context) (before, after int64, err error) {
	before, unused, err := s.size(ctx)
	if err != nil {
		return before, before, err
	}
	if float64(unused) > worthShrinking*float64(before) {
		if err := s.vacuum(ctx); err != nil {
			return before, before, err
		}
	}
	if _, err := s.writer.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return before, before, s.Failure(err)
	}
	after, _, err = s.size(ctx)
	return before, after, err
}

// size is that of the database, and of what is unused in it: free pages, and the
// room between the rows. Both are in bytes.
func (s *database) size(ctx context.Context) (all, unused int64, err error) {
	err = s.writer.QueryRowxContext(ctx, `
		SELECT
			page_count * page_size,
			freelist_count * page_size + (SELECT coalesce(sum(unused), 0) FROM dbstat WHERE aggregate = 1)
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&all, &unused)
	return all, unused, s.Failure(err)
}

// vacuum writes the database anew, without free pages. The copy on the way is in a
// file: as all that is temporary it would else be in memory.
func (s *database) vacuum(ctx context.Context) error {
	conn := s.writer
	if _, err := conn.ExecContext(ctx, `PRAGMA temp_store = FILE`); err != nil {
		return s.Failure(err)
	}
	_, err := conn.ExecContext(ctx, `VACUUM`)
	_, back := conn.ExecContext(ctx, `PRAGMA temp_store = MEMORY`)
	return s.Failure(errors.Join(err, back))
}
