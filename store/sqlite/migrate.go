package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	migrations "github.com/lobstrail/lobstrail/migrations/sqlite"
)

// keepJournal makes SQLite leave the (emptied) journal in place when the last
// connection closes: a reader can then use it, where it would otherwise have to
// create one.
func keepJournal(ctx context.Context, db *sqlx.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(driver any) error {
		_, err := driver.(sqlite.FileControl).FileControlPersistWAL("main", 1)
		return err
	})
}

// migrate brings the schema to this binary's version. The caller holds the
// writer's lock, which is what keeps two processes from migrating at once.
func migrate(ctx context.Context, db *sqlx.DB) error {
	version, err := schemaVersion(ctx, db)
	switch {
	case err != nil:
		return damagedSchema(err)
	case version == migrations.Version:
		return nil
	case version > migrations.Version:
		return newer(version)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db.DB, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err = provider.Up(ctx); version > 0 {
		return damagedSchema(err)
	}
	return interpret(err)
}

// damagedSchema interprets an error of a statement that fits every store, whatever
// version made it: if SQLite refuses it, the schema was changed or cannot be read.
func damagedSchema(err error) error {
	interpreted := interpret(err)
	if errors.Is(interpreted, store.ErrStatement) {
		return relational.Damaged("the schema", err)
	}
	return interpreted
}

// checkSchema returns ErrNoStore, ErrOlder or ErrNewer when the schema is not
// the one this binary reads.
func checkSchema(ctx context.Context, db *sqlx.DB) error {
	version, err := schemaVersion(ctx, db)
	switch {
	case err != nil:
		return damagedSchema(err)
	case version == 0: // its creator died before the first migration
		return store.ErrNoStore
	case version < migrations.Version:
		return fmt.Errorf("%w: schema %d, this one needs %d", store.ErrOlder, version, migrations.Version)
	case version > migrations.Version:
		return newer(version)
	}
	return nil
}

func newer(version int64) error {
	return fmt.Errorf("%w: schema %d, this one knows %d", store.ErrNewer, version, migrations.Version)
}

// schemaVersion is the number of the last migration applied, 0 for none.
func schemaVersion(ctx context.Context, db *sqlx.DB) (version int64, err error) {
	var tables int
	const find = `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'`
	if err := db.GetContext(ctx, &tables, find); err != nil || tables == 0 {
		return 0, err
	}
	const last = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`
	err = db.GetContext(ctx, &version, last)
	return version, err
}
