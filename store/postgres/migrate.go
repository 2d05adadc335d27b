package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/lobstrail/lobstrail/store"

	migrations "github.com/lobstrail/lobstrail/migrations/postgres"
)

// schema is the tables of a store, as migrations.
type schema struct {
	files   fs.FS
	version int64 // the number of the last file
}

// current is the schema of this binary.
var current = schema{files: migrations.FS, version: migrations.Version}

// migrate brings the tables to the version of this binary, and creates them where there
// are none: created is then true. With existing it returns ErrNoStore instead. It returns
// ErrNewer for tables of a newer binary, and ErrForeign for those of another program.
// Other processes that migrate at the same time wait for each other.
func (s *server) migrate(ctx context.Context, to schema, existing bool) (created bool, err error) {
	version, err := s.schemaVersion(ctx)
	switch {
	case err != nil:
		return false, err
	case version == to.version:
		return false, nil
	case version > to.version:
		return false, s.newer(version, to)
	case version == 0 && existing:
		return false, s.noStore(ctx)
	case version == 0:
		if err := s.mayHoldStore(ctx); err != nil {
			return false, err
		}
	}
	if err := s.up(ctx, to); err != nil && !s.isAt(ctx, to) {
		return version == 0, s.interpret(ctx, migrating, err)
	}
	return version == 0, nil
}

// isAt reports whether all migrations were applied. When the answer to the last statement
// of goose is lost, which gives its lock back, it tries again and finds that it does not
// have the lock: that is no failure.
func (s *server) isAt(ctx context.Context, to schema) bool {
	version, err := s.schemaVersion(ctx)
	return err == nil && version == to.version
}

// up runs the migrations that are missing. Each statement of theirs can be run again, so
// one that was killed in the middle does no harm.
func (s *server) up(ctx context.Context, to schema) error {
	// A row of a table, not an advisory lock: a proxy gives the next statement to another
	// session. It is renewed, and free half a minute after its holder died.
	locker, err := lock.NewPostgresTableLocker(
		lock.WithTableLockTimeout(time.Second, 300),
		lock.WithTableRetryPolicy(func(err error) bool { return retryable(err) || isHeld(err) }),
		lock.WithTableLogger(slog.New(slog.DiscardHandler)), // the error says it all
	)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, s.DB.DB, to.files, goose.WithDisableGlobalRegistry(true), goose.WithLocker(locker))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// checkSchema returns ErrNoStore, ErrOlder or ErrNewer when the tables are not those that
// this binary reads.
func (s *server) checkSchema(ctx context.Context, want schema) error {
	version, err := s.schemaVersion(ctx)
	switch {
	case err != nil:
		return err
	case version == 0: // or its creator died before the first migration
		return s.noStore(ctx)
	case version < want.version:
		return fmt.Errorf("%s: %w: schema %d, this one needs %d", s.name, store.ErrOlder, version, want.version)
	case version > want.version:
		return s.newer(version, want)
	}
	return nil
}

// noStore returns ErrForeign where no store could be made either.
func (s *server) noStore(ctx context.Context) error {
	if err := s.mayHoldStore(ctx); errors.Is(err, store.ErrForeign) {
		return err
	}
	return fmt.Errorf("%s: %w: the database has none in the schema that search_path names", s.name, store.ErrNoStore)
}

func (s *server) newer(version int64, known schema) error {
	return fmt.Errorf("%s: %w: schema %d, this one knows %d", s.name, store.ErrNewer, version, known.version)
}

// schemaVersion is the number of the last migration applied, 0 for none.
func (s *server) schemaVersion(ctx context.Context) (version int64, err error) {
	err = s.read(ctx, func(tx *txn) error {
		var tables int
		const find = `SELECT count(*) FROM (VALUES ('goose_db_version')) t (name) WHERE to_regclass(t.name) IS NOT NULL`
		if err := tx.GetContext(ctx, &tables, find); err != nil || tables == 0 {
			return err
		}
		return tx.GetContext(ctx, &version, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`)
	})
	if err == nil && version > 0 {
		err = s.isOurs(ctx)
	}
	return version, err
}

// isOurs returns ErrForeign if the migrations that were applied are those of another
// program that uses goose, and ErrUnreleased if they are those of before the first
// release, which made the index change_account.
func (s *server) isOurs(ctx context.Context) error {
	var found struct {
		Ours       bool `db:"ours"`
		Unreleased bool `db:"unreleased"`
	}
	err := s.read(ctx, func(tx *txn) error {
		return tx.GetContext(ctx, &found, `
			SELECT
				to_regclass('workspace') IS NOT NULL AND to_regclass('response') IS NOT NULL AS ours,
				to_regclass('change_account') IS NOT NULL AS unreleased`)
	})
	switch {
	case err != nil:
		return err
	case !found.Ours:
		return s.foreign()
	case found.Unreleased:
		return fmt.Errorf("%s: %w", s.name, store.ErrUnreleased)
	}
	return nil
}

func (s *server) foreign() error {
	return &store.ServerError{
		Kind: store.ErrForeign, Problem: s.name + ": the tables in the schema that search_path names are those of another program",
		Next: "they were left as they are; name another schema with search_path in the URL, or use a database of its own: " + s.createdb(),
	}
}

// mayHoldStore checks a database before the first table of a store is made in it.
func (s *server) mayHoldStore(ctx context.Context) error {
	var found struct {
		Encoding string         `db:"encoding"`
		Schema   sql.NullString `db:"schema"`
		Foreign  int            `db:"foreign_tables"`
		Begun    bool           `db:"begun"`
	}
	err := s.read(ctx, func(tx *txn) error {
		return tx.GetContext(ctx, &found, `
			SELECT
				current_setting('server_encoding') AS encoding,
				current_schema() AS schema,
				to_regclass('goose_db_version') IS NOT NULL AS begun,
				(
					SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
					WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname <> 'goose_lock'
						AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') -- of an extension
				) AS foreign_tables`)
	})
	switch {
	case err != nil:
		return err
	case found.Encoding != "UTF8":
		return s.problem(store.ErrInvalid, nil, "the database has the encoding "+found.Encoding+", which lacks characters that names have",
			"make another one: "+s.createdb())
	case !found.Schema.Valid:
		return s.problem(store.ErrInvalid, nil, "the database has no schema to make tables in", "CREATE SCHEMA lobstrail, and search_path=lobstrail in the URL")
	case found.Foreign > 0 && !found.Begun:
		return s.foreign()
	}
	return nil
}
