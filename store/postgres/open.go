package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"
)

// Options say how a store is opened.
type Options struct {
	// Now is the clock; nil means time.Now. It is called from one goroutine at a time. Who
	// may write is not decided by it, but by the clock of the server.
	Now func() time.Time
	// Rules give meaning to what is observed. A writer needs them; a reader does not.
	Rules store.Rules
	// LockWait is how long a writer waits for another one of the same workspace; zero means
	// not at all.
	LockWait time.Duration
	// Existing makes a writer return ErrNoStore where it would make a store.
	Existing bool
	// Mirror says that the store is written to by CopyFrom alone: a writer then does not
	// mark runs that died as interrupted.
	Mirror bool
}

// Store is an open store in a database of PostgreSQL. A store that was opened for reading
// may be used by several goroutines.
type Store struct {
	*relational.Store
	db *engine
}

var _ store.Store = (*Store)(nil)

// Open opens the store for reading. It writes nothing, and works on a replica. It returns
// ErrNoStore, ErrForeign, ErrNewer, ErrOlder, or an error about the server (see [store.ServerError])
// where that is the matter.
func Open(ctx context.Context, url string, options Options) (*Store, error) {
	s, err := newStore(ctx, url, options)
	if err != nil {
		return nil, err
	}
	if err := s.db.checkSchema(ctx, current); err != nil {
		return nil, errors.Join(err, s.db.server.Close())
	}
	return s, nil
}

// OpenWriter opens the store for writing, and for reading what it writes. Where the
// database has no store one is made (created is then true), an older one is migrated. The
// lock of a workspace is taken when it is first written to: it is kept until Close, and any
// number of processes may write to other workspaces meanwhile. A function that needs it
// waits up to options.LockWait and returns a [*store.BusyError] when that was not enough.
// Once another process has taken over, because this one was not heard of for too long,
// all functions that write to the workspace return a [*store.FencedError]. It returns
// ErrForeign when the tables of another program are where those of the store would be.
func OpenWriter(ctx context.Context, url string, options Options) (s *Store, created bool, err error) {
	if err := relational.CheckRules(options.Rules); err != nil {
		return nil, false, err
	}
	if s, err = newStore(ctx, url, options); err != nil {
		return nil, false, err
	}
	s.db.leases, s.db.wait = map[string]*lease{}, options.LockWait
	if created, err = s.db.migrate(ctx, current, options.Existing); err != nil {
		return nil, false, errors.Join(err, s.db.server.Close())
	}
	return s, created, nil
}

func newStore(ctx context.Context, url string, options Options) (*Store, error) {
	server, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	db := &engine{server: server, version: options.Rules.Version}
	now := options.Now
	if now == nil {
		now = time.Now
	}
	s := &Store{Store: relational.New(db, now, options.Rules), db: db}
	s.Mirror = options.Mirror
	db.settle = s.Settle
	return s, nil
}

// Path is the address of the database, without what is secret.
func (s *Store) Path() string { return s.db.name }

// Close ends all use of the store, and gives the locks back.
func (s *Store) Close() error {
	s.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	var errs []error
	wrote := len(s.db.leases) > 0
	for _, l := range s.db.leases {
		errs = append(errs, l.release(ctx))
	}
	if s.db.leases = nil; wrote {
		s.db.analyze()
	}
	return errors.Join(append(errs, s.db.server.Close())...)
}

// closeTime is how long a server may take to take a lock back. It does so by itself when
// the lock is not renewed.
const closeTime = 5 * time.Second

// analyzeTime is how long the server may take to look at the tables of a store that was
// filled by one writer.
const analyzeTime = time.Minute

// analyze runs ANALYZE on tables that have no statistics, or only those of an empty table.
// Autovacuum does so after a minute, and never while a table has few rows: the planner then
// takes workspace for a table of a thousand rows, and a query of a view takes minutes instead
// of milliseconds. It is for speed only, and only the owner of the tables may: that it fails
// does not matter.
func (s *engine) analyze() {
	ctx, cancel := context.WithTimeout(context.Background(), analyzeTime)
	defer cancel()
	var never []string
	err := s.SelectContext(ctx, &never, `
		SELECT relname FROM pg_class
		WHERE relnamespace = current_schema()::regnamespace AND relname = ANY ($1) AND relkind = 'r'
			AND (reltuples < 0 OR reltuples = 0 AND pg_relation_size(oid) > 0)`, storeTables)
	if err != nil {
		return
	}
	for _, table := range never {
		if _, err := s.ExecContext(ctx, "ANALYZE "+table); err != nil {
			return
		}
	}
}

// engine is what package relational needs of the database.
type engine struct {
	*server
	version int // of the rules
	wait    time.Duration
	settle  func(ctx context.Context, workspaces []string) error

	mu     sync.Mutex
	leases map[string]*lease // that this process took, by workspace; nil: opened for reading
}

var _ relational.Database = (*engine)(nil)
