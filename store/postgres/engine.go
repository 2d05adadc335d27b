package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"
)

// Path is the address of the database, without what is secret.
func (s *engine) Path() string { return s.name }

// Same reports whether the other database is the same schema of the same database, however
// it is reached.
func (s *engine) Same(other relational.Database) (bool, error) {
	o, ok := other.(*engine)
	if !ok {
		return false, nil
	}
	own, err := s.identity()
	if err != nil {
		return false, err
	}
	theirs, err := o.identity()
	return own == theirs, err
}

// identity tells this schema from those of all other databases and servers.
func (s *engine) identity() (id string, err error) {
	ctx := context.Background()
	err = s.read(ctx, func(tx *txn) error {
		return tx.GetContext(ctx, &id, `
			SELECT concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), d.oid, current_schema())
			FROM pg_database d WHERE d.datname = current_database()`)
	})
	return id, err
}

// Failure interprets an error, and names the store in it where that is the matter.
func (s *engine) Failure(err error) error { return s.interpret(context.Background(), reading, err) }

// Read runs fn in one read-only transaction. A process that writes waits for a server that
// restarts, as it does when it writes.
func (s *engine) Read(ctx context.Context, fn func(tx relational.Tx) error) error {
	s.mu.Lock()
	writes := len(s.leases) > 0
	s.mu.Unlock()
	run := func(tx *txn) error { return fn(tx) }
	if writes {
		return s.readAgain(ctx, pauses(), run, retryable)
	}
	return s.read(ctx, run)
}

// ReadApart is Read: each transaction has a connection of its own.
func (s *engine) ReadApart(ctx context.Context, fn func(tx relational.Tx) error) error {
	return s.Read(ctx, fn)
}

// CanWrite returns ErrReadOnly for a store that was opened for reading.
func (s *engine) CanWrite() error {
	if s.leases == nil {
		return store.ErrReadOnly
	}
	return nil
}

// Write runs fn in one transaction, which begins with the locks of the workspaces.
func (s *engine) Write(ctx context.Context, workspaces []string, fn func(tx relational.Tx) error) error {
	if err := s.CanWrite(); err != nil {
		return err
	}
	var locks []*lease
	for _, name := range workspaces {
		l, err := s.lock(ctx, name, true)
		if err != nil {
			return err
		}
		locks = append(locks, l)
	}
	slices.SortFunc(locks, func(a, b *lease) int { return int(a.ws - b.ws) }) // two processes wait for each other in one order
	return s.write(ctx, writing, locks, func(tx *txn) error { return fn(tx) })
}

// Lock takes the lock of a workspace, if there is one of that name.
func (s *engine) Lock(ctx context.Context, workspace string) error {
	if err := s.CanWrite(); err != nil {
		return err
	}
	_, err := s.lock(ctx, workspace, false)
	return err
}

// lock is the lock of a workspace, which is taken unless this process has it. With create
// the workspace is made when it is new; else its lock is nil. What the last writer left
// behind is put in order when it is taken.
func (s *engine) lock(ctx context.Context, workspace string, create bool) (*lease, error) {
	s.mu.Lock()
	l := s.leases[workspace]
	s.mu.Unlock()
	if l != nil {
		return l, nil
	}
	ws, err := s.number(ctx, workspace, create)
	if err != nil || ws == 0 {
		return nil, err
	}
	if l, err = s.acquire(ctx, ws, s.wait); err != nil {
		return nil, err
	}
	s.keep(workspace, l)
	if err := s.settle(ctx, []string{workspace}); err != nil { // the next writer does it
		s.keep(workspace, nil)
		return nil, errors.Join(err, l.release(ctx))
	}
	return l, nil
}

// keep notes that this process has the lock of a workspace; nil: it has not.
func (s *engine) keep(workspace string, l *lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l == nil {
		delete(s.leases, workspace)
	} else {
		s.leases[workspace] = l
	}
}

const selectNumber = `SELECT coalesce((SELECT id FROM workspace WHERE name = ?), 0)`

// number is the number of a workspace for a writer; 0: there is none. It reads as often as
// a writer tries.
func (s *engine) number(ctx context.Context, workspace string, create bool) (ws int64, err error) {
	err = s.write(ctx, reading, nil, func(tx *txn) error { return tx.GetContext(ctx, &ws, selectNumber, workspace) })
	if err != nil || ws > 0 || !create {
		return ws, err
	}
	// Another process may give the same number to another workspace: one of the two is
	// refused then, and tries again.
	err = s.write(ctx, writing, nil, func(tx *txn) error {
		if err := tx.GetContext(ctx, &ws, selectNumber, workspace); err != nil || ws > 0 {
			return err
		}
		if err := tx.GetContext(ctx, &ws, `SELECT coalesce(max(id), 0) + 1 FROM workspace`); err != nil {
			return err
		}
		return tx.Exec(ctx, `INSERT INTO workspace (id, name) VALUES (?, ?)`, ws, workspace)
	})
	return ws, err
}

// WriterLives reports whether some process has the lock of the workspace.
func (s *engine) WriterLives(ctx context.Context, workspace string) (bool, error) {
	var ws int64
	err := s.read(ctx, func(tx *txn) error { return tx.GetContext(ctx, &ws, selectNumber, workspace) })
	if err != nil || ws == 0 {
		return false, err
	}
	return s.held(ctx, ws)
}

// Rules is the version of the rules by which the workspace was derived.
func (s *engine) Rules(ctx context.Context, tx relational.Tx, ws int64) (version int, err error) {
	err = tx.GetContext(ctx, &version, `SELECT coalesce((SELECT value FROM setting WHERE ws = ? AND name = 'rules'), 0)`, ws)
	return version, err
}

// SetRules changes the version of the rules.
func (s *engine) SetRules(ctx context.Context, tx relational.Tx, ws int64, version int) error {
	return tx.Exec(ctx, `
		INSERT INTO setting (ws, name, value) VALUES (?, 'rules', ?) ON CONFLICT (ws, name) DO UPDATE SET value = excluded.value`, ws, version)
}

// AllowErasing does nothing: rights keep the evidence here.
func (s *engine) AllowErasing(context.Context, relational.Tx, bool) error { return nil }

// Shrink makes the room of rows that were deleted free for others. The files of the tables
// stay as long as they are.
func (s *engine) Shrink(ctx context.Context) (before, after int64, err error) {
	if before, err = s.size(ctx); err != nil {
		return 0, 0, err
	}
	if err := s.vacuum(ctx, "response", "entry"); err != nil {
		return before, before, err
	}
	after, err = s.size(ctx)
	return before, after, err
}

// Erase runs fn, and then removes the rows that it changed from the tables. Copies of them
// that the server has elsewhere, such as in its write-ahead log, are the operator's.
func (s *engine) Erase(ctx context.Context, fn func() error) error {
	if err := fn(); err != nil {
		return err
	}
	return s.vacuum(ctx, storeTables...)
}

// storeTables are those of a store.
var storeTables = []string{
	"setting", "workspace", "run", "response", "account", "shown", "name", "value", "fact", "icon", "usage", "absence", "failure", "entry",
	"redacted", "version", "change", "status_step", "squid", "squid_name", "assignment", "state", "said", "body", "counter", "lease",
	"alert_place", "alert", "message", "delivery", "silence", "cursor",
}

// vacuum removes dead rows. Tables of which this user is not the owner are left to their
// owner: the server warns, and no more.
func (s *engine) vacuum(ctx context.Context, tables ...string) error {
	for _, table := range tables {
		if _, err := s.ExecContext(ctx, `VACUUM `+table); err != nil {
			return s.interpret(ctx, writing, err)
		}
	}
	return nil
}

// size is the room that the tables take, with their indexes.
func (s *engine) size(ctx context.Context) (bytes int64, err error) {
	err = s.read(ctx, func(tx *txn) error {
		return tx.GetContext(ctx, &bytes, `
			SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint
			FROM pg_class
			WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname = ANY ($1)`, storeTables)
	})
	return bytes, err
}

// Bytes is the room that the tables take, with their indexes.
func (s *Store) Bytes(ctx context.Context) (int64, error) { return s.db.size(ctx) }
