package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"

	"github.com/lobstrail/lobstrail/store"

	migrations "github.com/lobstrail/lobstrail/migrations/postgres"
)

func (s *server) migrate(ctx context.Context) (created bool, err error) {
	p, err := goose.NewProvider(goose.DialectPostgres, s.DB.DB, migrations.FS, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return false, err
	}
	_, err = p.Up(ctx)
	return true, err
}

func (s *server) checkSchema(ctx context.Context) error {
	var version int64
	err := s.GetContext(ctx, &version, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`)
	var failed *pgconn.PgError
	switch {
	case errors.As(err, &failed) && failed.Code == "42P01":
		return store.ErrNoStore
	case err != nil:
		return err
	case version < migrations.Version:
		return fmt.Errorf("%w: %d", store.ErrOlder, version)
	}
	return nil
}
