package postgrestest

import (
	"context"
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

// dropAtEnd drops a database whose test has ended.
func (s *server) dropAtEnd(t TB, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if err := s.drop(ctx, name); err != nil {
		t.Error(err)
	}
}
