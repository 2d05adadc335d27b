package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"

	"github.com/gofrs/flock"
	"github.com/jmoiron/sqlx"
)

// Options say how a store is opened.
type Options struct {
	// Now is the clock; nil means time.Now. It is called from one goroutine at a
	// time.
	Now func() time.Time
	// Rules give meaning to what is observed. A writer needs them; a reader does
	// not.
	Rules store.Rules
	// LockWait is how long a writer waits for another one; zero means not at all.
	LockWait time.Duration
	// Existing makes a writer return ErrNoStore where it would make a store.
	Existing bool
	// Mirror says that the store is written to by CopyFrom alone: a writer then does not
	// mark runs that died as interrupted.
	Mirror bool

	folders *folders // nil: those of the system
}

func (o Options) clock() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}

func (o Options) inFolders() folders {
	if o.folders == nil {
		return system
	}
	return *o.folders
}

// Store is an open store. A store that was opened for reading may be used by several goroutines.
type Store struct {
	*relational.Store
	db    *database
	rules store.Rules
}

var _ store.Store = (*Store)(nil)

func newStore(path string, options Options) *Store {
	db := &database{name: path, now: options.clock(), folders: options.inFolders()}
	s := &Store{Store: relational.New(db, db.now, options.Rules), db: db, rules: options.Rules}
	s.Mirror = options.Mirror
	return s
}

// Path is the file of the store, as it was given.
func (s *Store) Path() string { return s.db.name }

// database is the file, and the connections to it.
type database struct {
	name string // the path as it was given
	path string // the file that it leads to; see resolve
	now  func() time.Time
	read *sqlx.DB
	// These are nil in a store that was opened for reading.
	write  *sqlx.DB
	writer *connection
	file   fs.FileInfo
	lock   *flock.Flock
	shared *flock.Flock // held while a file without a journal is read; see shareFile

	folders folders
}

// Open opens the store for reading. It writes nothing, migrates nothing and
// takes no lock that a writer would notice. It returns ErrNoStore, ErrForeign,
// ErrUnreleased, ErrNewer, ErrOlder or ErrDamaged where that is the matter.
func Open(ctx context.Context, path string, options Options) (*Store, error) {
	s := newStore(path, options)
	if err := s.db.openReader(ctx); err != nil {
		return nil, errors.Join(relational.Place(path, err), s.db.release())
	}
	return s, nil
}

func (s *database) openReader(ctx context.Context) (err error) {
	switch s.path, err = resolve(s.name); {
	case errors.Is(err, fs.ErrNotExist):
		return store.ErrNoStore
	case err != nil:
		return err
	}
	if err := checkFile(s.path); err != nil {
		return err
	}
	return s.connectReader(ctx)
}

func (s *database) connectReader(ctx context.Context) error {
	mode := "ro"
	if s.shared = shareFile(s.path); s.shared != nil {
		mode = immutable
	}
	address, err := dsn(s.path, mode, "query_only(1)")
	if err != nil {
		return err
	}
	if s.read, err = sqlx.ConnectContext(ctx, "sqlite", address); err != nil {
		return damagedSchema(err)
	}
	return checkSchema(ctx, s.read)
}

// OpenWriter opens the store for writing, and for reading what it writes. A
// missing store is created (created is then true), an older one migrated. It
// waits for another writer up to options.LockWait and returns a [*store.BusyError]
// when that was not enough; ErrForeign, ErrUnreleased, ErrNewer or ErrDamaged where
// that is the matter. Runs that died are marked as interrupted.
func OpenWriter(ctx context.Context, path string, options Options) (s *Store, created bool, err error) {
	if err := relational.CheckRules(options.Rules); err != nil {
		return nil, false, err
	}
	s = newStore(path, options)
	if created, err = s.db.openWriter(ctx, options); err == nil {
		err = s.settle(ctx)
	}
	if err != nil {
		return nil, false, errors.Join(relational.Place(path, interpret(err)), s.db.release())
	}
	return s, created, nil
}

func (s *database) openWriter(ctx context.Context, options Options) (created bool, err error) {
	if s.path, err = resolve(s.name); err != nil {
		return false, err
	}
	if err := checkFile(s.path); err != nil && (options.Existing || !errors.Is(err, store.ErrNoStore)) {
		return false, err
	}
	if err := s.folders.mkdir(filepath.Dir(s.path)); err != nil {
		return false, err
	}
	if s.lock, err = takeLock(ctx, s.path, options.LockWait, s.now); err != nil {
		return false, err
	}
	// Again under the lock: another process may have made it meanwhile.
	if created, err = s.folders.create(ctx, s.path); err != nil {
		return false, err
	}
	release, err := claimFile(ctx, s.path, options.LockWait)
	if err != nil {
		return false, err
	}
	if err := errors.Join(s.connectWriter(ctx), release()); err != nil {
		return false, err
	}
	return created, nil
}

func (s *database) connectWriter(ctx context.Context) error {
	// A journal of up to 16 MiB: pages that move with every transaction are copied
	// once for many of them.
	address, err := dsn(s.path, "rw", "journal_mode(WAL)", "synchronous(FULL)", "cache_size(-8192)", "wal_autocheckpoint(4000)")
	if err != nil {
		return err
	}
	if s.write, err = sqlx.ConnectContext(ctx, "sqlite", address); err != nil {
		return damagedSchema(err)
	}
	s.write.SetMaxOpenConns(1)
	if err := keepJournal(ctx, s.write); err != nil {
		return damagedSchema(err)
	}
	if err := migrate(ctx, s.write); err != nil {
		return err
	}
	if s.writer, err = newConnection(ctx, s.write); err != nil {
		return damagedSchema(err)
	}
	if s.file, err = os.Stat(s.path); err != nil {
		return err
	}
	return s.connectReader(ctx)
}

// inPlace returns ErrMoved when the file that is written to is no longer the one
// at the path of the store, or a link there leads elsewhere: nobody would find what
// is committed to it then.
func (s *database) inPlace() error {
	for _, path := range slices.Compact([]string{s.path, s.name}) {
		now, err := os.Stat(path)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return relational.Place(s.name, err)
		case err != nil || !os.SameFile(s.file, now):
			return relational.Place(s.name, store.ErrMoved)
		}
	}
	return nil
}

// settle puts in order what the last writer left behind.
func (s *Store) settle(ctx context.Context) error {
	names, err := s.Workspaces(ctx)
	if err != nil || len(names) > 0 {
		return errors.Join(err, s.Settle(ctx, names))
	}
	return s.db.Write(ctx, nil, func(tx relational.Tx) error {
		version, err := s.db.Rules(ctx, tx, 0)
		if err == nil && version != s.rules.Version {
			err = s.db.SetRules(ctx, tx, 0, s.rules.Version)
		}
		return err
	})
}

// Close ends all use of the store. A writer empties the journal into the
// database, so that the file alone is the whole store.
func (s *Store) Close() error {
	s.Stop()
	return s.db.close()
}

func (s *database) close() error {
	var errs []error
	if s.read != nil { // first: nobody reads the journal any more
		errs = append(errs, s.read.Close())
		s.read = nil
	}
	if s.writer != nil {
		// It waits for those who read the journal, but not long: Litestream always does.
		_, err := s.writer.ExecContext(context.Background(), "PRAGMA busy_timeout = 1000; PRAGMA wal_checkpoint(TRUNCATE)")
		errs = append(errs, s.Failure(err))
	}
	return errors.Join(append(errs, s.release())...)
}

// release gives back all that is open, whatever is in the journal.
func (s *database) release() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	if s.shared != nil {
		errs = append(errs, s.shared.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	s.writer, s.write, s.read, s.lock, s.shared = nil, nil, nil, nil, nil
	return errors.Join(errs...)
}
