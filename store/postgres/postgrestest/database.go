package postgrestest

import (
	"context"
	"database/sql"
	"net/url"
	"strings"
	"time"
)

// TB is what this package uses of a *testing.T, *testing.B or *rapid.T.
type TB interface {
	Helper()
	Cleanup(func())
	Skip(args ...any)
	Fatal(args ...any)
	Error(args ...any)
}

// deadline is how long creating or dropping one database may take on a busy machine.
const deadline = time.Minute

// Database returns the URL of a new, empty database. The database is dropped when the
// test ends, also if connections to it are still open.
func Database(t TB) string {
	t.Helper()
	return connect(t).database(t)
}

func (s *server) database(t TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	name, err := s.create(ctx, "template0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.dropAtEnd(t, name) })
	return s.testURL(name)
}

// Open opens a database for the test's own statements. They are not prepared: behind a
// pooler, the name of a prepared statement may be taken on the next connection.
func Open(address string) (*sql.DB, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	return sql.Open("pgx", withParameter(u, "default_query_exec_mode", "exec"))
}

// dropAtEnd drops a database whose test has ended.
func (s *server) dropAtEnd(t TB, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if err := s.drop(ctx, name); err != nil {
		t.Error(err)
	}
}

// Copy returns the URL of a new database with all that is in another one of this process,
// which nothing uses. Connections to that one are ended.
func Copy(t TB, from string) string {
	t.Helper()
	s := connect(t)
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	name, err := s.copyOf(ctx, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.dropAtEnd(t, name) })
	return s.testURL(name)
}

// copyOf creates a copy of the database that a URL names. A pooler may still have
// connections to that one, with which the server would refuse to copy it.
func (s *server) copyOf(ctx context.Context, from string) (name string, err error) {
	u, err := url.Parse(from)
	if err != nil {
		return "", err
	}
	template := strings.TrimPrefix(u.Path, "/")
	const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`
	for range 10 { // a pooler may connect again meanwhile
		if _, err = s.admin.ExecContext(ctx, end, template); err != nil {
			return "", err
		}
		if name, err = s.create(ctx, template); err == nil {
			return name, nil
		}
	}
	return "", err
}
