package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"
)

var _ relational.Database = (*database)(nil)

// words are those of package relational, as SQLite has them.
var words = strings.NewReplacer(
	"ORDERED JOIN", "CROSS JOIN", "texts(", "json_each(", "numbers(", "json_each(", "greatest(", "max(", "least(", "min(",
)

// spell writes a query in the words of SQLite.
func spell(query string) string {
	query = words.Replace(query)
	query = spellCall(query, "LOOKUP (", "CROSS JOIN ", "")
	query = spellCall(query, "lowerhex(", "lower(hex(", "))")
	return spellCall(query, "nocase(", "(", " COLLATE NOCASE)")
}

// spellCall replaces what stands around the argument of a function, which has no
// parenthesis in it.
func spellCall(query, call, before, after string) string {
	for {
		head, rest, found := strings.Cut(query, call)
		if !found {
			return query
		}
		argument, tail, _ := strings.Cut(rest, ")")
		query = head + before + argument + after + tail
	}
}

// Path is the file of the store, as it was given.
func (s *database) Path() string { return s.name }

// Same reports whether the other database is the same file.
func (s *database) Same(other relational.Database) (bool, error) {
	o, ok := other.(*database)
	if !ok {
		return false, nil
	}
	own, err := os.Stat(s.path)
	if err != nil {
		return false, s.Failure(err)
	}
	theirs, err := os.Stat(o.path)
	if err != nil {
		return false, o.Failure(err)
	}
	return os.SameFile(own, theirs), nil
}

// CanWrite returns ErrReadOnly for a store that was opened for reading.
func (s *database) CanWrite() error {
	if s.writer == nil {
		return store.ErrReadOnly
	}
	return nil
}

// Lock does nothing: a writer has the lock of the whole store.
func (s *database) Lock(context.Context, string) error { return s.CanWrite() }

// WriterLives reports whether some process writes to the store; this one does when it
// is a writer.
func (s *database) WriterLives(context.Context, string) (bool, error) {
	if s.write != nil {
		return true, nil
	}
	return writerLives(s.path)
}

// Rules is the version of the rules by which the store was derived. All workspaces have
// the same.
func (s *database) Rules(ctx context.Context, tx relational.Tx, _ int64) (version int, err error) {
	err = tx.GetContext(ctx, &version, `SELECT coalesce((SELECT value FROM setting WHERE name = 'rules' AND typeof(value) = 'integer'), 0)`)
	return version, err
}

// SetRules changes the version of the rules.
func (s *database) SetRules(ctx context.Context, tx relational.Tx, _ int64, version int) error {
	return tx.Exec(ctx, `
		INSERT INTO setting (name, value) VALUES ('rules', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, version)
}

// AllowErasing marks the transaction, for the triggers that keep the evidence.
func (s *database) AllowErasing(ctx context.Context, tx relational.Tx, allowed bool) error {
	if allowed {
		return tx.Exec(ctx, `INSERT INTO setting (name, value) VALUES ('erasing', 1)`)
	}
	return tx.Exec(ctx, `DELETE FROM setting WHERE name = 'erasing'`)
}

// Bytes is the size of the file and of its journal.
func (s *Store) Bytes(context.Context) (total int64, err error) {
	for _, ending := range []string{"", "-wal"} {
		info, err := os.Stat(s.db.path + ending)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, s.db.Failure(err)
		}
		total += info.Size()
	}
	return total, nil
}

// Erase makes SQLite overwrite what is deleted, also in pages that stay, and writes the
// database anew.
func (s *database) Erase(ctx context.Context, fn func() error) (err error) {
	restore, err := s.secureDelete(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, restore()) }()
	if err := fn(); err != nil {
		return err
	}
	return s.scrub(ctx)
}

// secureDelete makes SQLite overwrite what is deleted until restore is called: it makes
// all other writing slower.
func (s *database) secureDelete(ctx context.Context) (restore func() error, err error) {
	var before int
	if err := s.writer.GetContext(ctx, &before, `PRAGMA secure_delete`); err != nil {
		return nil, s.Failure(err)
	}
	if _, err := s.writer.ExecContext(ctx, `PRAGMA secure_delete = ON`); err != nil {
		return nil, s.Failure(err)
	}
	return func() error {
		setting := [...]string{"OFF", "ON", "FAST"}[before]
		_, err := s.writer.ExecContext(context.WithoutCancel(ctx), `PRAGMA secure_delete = `+setting)
		return s.Failure(err)
	}, nil
}

// scrub leaves nothing in the files but what the database holds.
func (s *database) scrub(ctx context.Context) error {
	if err := s.vacuum(ctx); err != nil {
		return fmt.Errorf("erased, but not yet from the disk: %w", err)
	}
	var busy, frames, moved int64
	err := s.writer.QueryRowxContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved)
	if err == nil && busy != 0 {
		err = &store.BusyError{}
	}
	if err != nil {
		return fmt.Errorf("erased, but not yet from the journal, which others read: %w", s.Failure(err))
	}
	return nil
}
