package store

import (
	"context"
	"errors"
)

// shrink gives free pages back to the disk, and empties the journal into the file.
// It answers the size of the database before and after. Less than a tenth of it is
// not worth the writing of all of it.
func (s *Store) shrink(ctx context.Context) (before, after int64, err error) {
	before, free, err := s.size(ctx)
	if err != nil {
		return before, before, err
	}
	if free*10 >= before && free > 0 {
		if err := s.vacuum(ctx); err != nil {
			return before, before, err
		}
	}
	if _, err := s.writer.conn.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return before, before, s.failure(err)
	}
	after, _, err = s.size(ctx)
	return before, after, err
}

// size is that of the database and of the free pages in it, in bytes.
func (s *Store) size(ctx context.Context) (all, free int64, err error) {
	err = s.writer.conn.QueryRowxContext(ctx, `
		SELECT page_count * page_size, freelist_count * page_size
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&all, &free)
	return all, free, s.failure(err)
}

// vacuum writes the database anew, without free pages. The copy on the way is in a
// file: as all that is temporary it would else be in memory.
func (s *Store) vacuum(ctx context.Context) error {
	conn := s.writer.conn
	if _, err := conn.ExecContext(ctx, `PRAGMA temp_store = FILE`); err != nil {
		return s.failure(err)
	}
	_, err := conn.ExecContext(ctx, `VACUUM`)
	_, back := conn.ExecContext(ctx, `PRAGMA temp_store = MEMORY`)
	return s.failure(errors.Join(err, back))
}
