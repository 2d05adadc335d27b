package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/relational"
)

// defaultLease is how long a lease holds after it was renewed, by the clock of the
// database. It is renewed three times as often, so two renewals may fail.
//
// Nothing is unsafe about a shorter one: a lease that has expired, and was not taken,
// still counts, and one that was taken does not, whatever the clocks say. It decides how
// long others wait for a machine that died, and how long a writer may be paused, or cut
// off, before it loses its work to one that waits. Half a minute is more than a virtual
// machine needs to move, or a server to restart. The parameter lease of the URL changes it
// for the process that has it.
const (
	defaultLease = 30 * time.Second
	leastLease   = time.Second // renewals come in a third of it
	mostLease    = time.Hour
)

// lease is the right to write to one workspace. It is renewed in the background until it
// is released.
type lease struct {
	server *server
	ws     int64
	token  int64
	stop   func() // ends the renewal, and waits for that
}

// leaseRow is a row of table lease.
type leaseRow struct {
	Token   int64  `db:"token"`
	Host    string `db:"host"` // empty: nobody holds it
	PID     int64  `db:"pid"`
	Machine string `db:"machine"` // see machine
	Since   int64  `db:"since_ms"`
	Step    string `db:"step"` // of the last transaction under a lease
	Expired bool   `db:"expired"`
}

// The clock of all statements is statement_timestamp, not clock_timestamp: Citus refuses
// a function in an UPDATE that may have another value for each row.
const (
	selectLease = `
		SELECT token, host, pid, machine, CAST(extract(epoch FROM since) * 1000 AS bigint) AS since_ms, step, expires < statement_timestamp() AS expired
		FROM lease WHERE ws = $1`
	renewLease = `
		UPDATE lease
		SET renewed = statement_timestamp(), expires = statement_timestamp() + $1 * interval '1 millisecond', step = coalesce($2, step)
		WHERE ws = $3 AND token = $4`
)

// acquire waits up to wait for the lease of a workspace. It returns a [*store.BusyError]
// that names the holder if it could not get it.
func (s *server) acquire(ctx context.Context, ws int64, wait time.Duration) (*lease, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	l := &lease{server: s, ws: ws}
	var holder *leaseRow
	// The shortest pause is long enough not to be a burden on the server.
	taken, err := relational.WaitFor(ctx, wait, 100*time.Millisecond, 10*time.Millisecond, func() (bool, error) {
		other, err := l.take(ctx, host)
		holder = other
		return other == nil, err
	})
	switch {
	case err != nil:
		return nil, err
	case !taken:
		return nil, holder.busy(host)
	}
	l.keep()
	return l, nil
}

// take takes the lease if it is free, has expired, or was held by a process that died on
// this machine. Otherwise it returns who holds it.
func (l *lease) take(ctx context.Context, host string) (holder *leaseRow, err error) {
	step := rand.Text()
	err = l.server.write(ctx, writing, nil, func(tx *txn) error {
		holder = &leaseRow{}
		err := tx.GetContext(ctx, holder, selectLease, l.ws)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			holder, err = l.insert(ctx, tx, host, step)
			return err
		case err != nil:
			return err
		case holder.Step == step: // an earlier try was committed, and the answer lost
			l.token, holder = holder.Token, nil
			return nil
		case holder.Host == "" || holder.Expired || holder.diedHere():
			return l.replace(ctx, tx, &holder, host, step)
		}
		return nil
	})
	return holder, err
}

// insert makes the row of a workspace that never had one.
func (l *lease) insert(ctx context.Context, tx *txn, host, step string) (holder *leaseRow, err error) {
	n, err := tx.ExecCount(ctx, `
		INSERT INTO lease (ws, token, host, pid, machine, since, renewed, expires, step)
		VALUES ($1, 1, $2, $3, $4, statement_timestamp(), statement_timestamp(), statement_timestamp() + $5 * interval '1 millisecond', $6)
		ON CONFLICT (ws) DO NOTHING`, l.ws, host, os.Getpid(), machine(), l.server.times.lease.Milliseconds(), step)
	if err == nil && n == 0 { // somebody else did meanwhile
		return &leaseRow{}, nil
	}
	l.token = 1
	return nil, err
}

// replace takes the lease of *holder, and makes that nil. A row that is locked is that of
// a holder in the middle of a transaction.
func (l *lease) replace(ctx context.Context, tx *txn, holder **leaseRow, host, step string) error {
	var locked int
	err := tx.GetContext(ctx, &locked, `SELECT 1 FROM lease WHERE ws = $1 AND token = $2 FOR UPDATE SKIP LOCKED`, l.ws, (*holder).Token)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	n, err := tx.ExecCount(ctx, `
		UPDATE lease
		SET token = token + 1, host = $1, pid = $2, machine = $3, step = $4, since = statement_timestamp(), renewed = statement_timestamp(),
			expires = statement_timestamp() + $5 * interval '1 millisecond'
		WHERE ws = $6 AND token = $7 AND (host = '' OR expires < statement_timestamp() OR $8)`,
		host, os.Getpid(), machine(), step, l.server.times.lease.Milliseconds(), l.ws, (*holder).Token, (*holder).diedHere())
	if err == nil && n == 1 {
		l.token, *holder = (*holder).Token+1, nil
	}
	return err
}

// diedHere reports whether the holder is known to be dead, because it ran where this
// process runs. The name of the host proves nothing: containers of several machines may
// have the same.
func (r *leaseRow) diedHere() bool {
	return r.Machine != "" && r.Machine == machine() && !alive(int(r.PID))
}

// busy names the holder to a process of a host.
func (r *leaseRow) busy(host string) *store.BusyError {
	busy := &store.BusyError{Host: r.Host, PID: int(r.PID), Since: time.UnixMilli(r.Since).UTC()}
	if r.Host == host && r.Machine == machine() {
		busy.Host = ""
	}
	return busy
}

// keep renews the lease until stop is called.
func (l *lease) keep() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	l.stop = func() {
		cancel()
		<-done
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-time.After(l.server.times.lease / 3):
			case <-ctx.Done():
				return
			}
			if err := l.renew(ctx); errors.Is(err, store.ErrFenced) {
				return // the next transaction says so
			}
		}
	}()
}

// renew renews the lease apart from the transactions that write. An error means nothing:
// the next renewal may succeed. While such a transaction is open, the row is locked, and
// nobody can take the lease anyway.
func (l *lease) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.server.times.lease/3)
	defer cancel()
	short := *l.server
	short.times.lock = time.Second
	return short.attempt(ctx, writing, "", nil, func(tx *txn) error { return l.fence(ctx, tx, sql.NullString{}) })
}

// queueRenewal adds the first statement of a transaction that writes: it makes the
// settings, fails without the lease, keeps others from taking it until the transaction
// ends, and names the transaction. The settings hold before it waits for the lock of the
// row, which RETURNING would be too late for.
func (l *lease) queueRenewal(batch *pgx.Batch, settings, step string) {
	batch.Queue("WITH settings AS MATERIALIZED (SELECT "+settings+")"+renewLease+" AND EXISTS (SELECT 1 FROM settings)",
		l.server.times.lease.Milliseconds(), step, l.ws, l.token)
}

// fence renews the lease within a transaction, and names that unless step is NULL. It
// returns a [*store.FencedError] if the lease is not held any more.
func (l *lease) fence(ctx context.Context, tx *txn, step sql.NullString) error {
	n, err := tx.ExecCount(ctx, renewLease, l.server.times.lease.Milliseconds(), step, l.ws, l.token)
	if err == nil && n == 0 {
		return l.successor(ctx, tx)
	}
	return err
}

// successor returns a [*store.FencedError] that names who has the lease now.
func (l *lease) successor(ctx context.Context, tx *txn) error {
	var row leaseRow
	if err := tx.GetContext(ctx, &row, selectLease, l.ws); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if row.Host == "" {
		return &store.FencedError{}
	}
	return &store.FencedError{Host: row.Host, PID: int(row.PID), Since: time.UnixMilli(row.Since).UTC()}
}

// committed reports whether the transaction of that name was committed, whose COMMIT got
// no answer. It waits until the server has ended that transaction. It returns a
// [*store.FencedError] if that cannot be known, because somebody else has written since.
func (l *lease) committed(ctx context.Context, step string) (done bool, err error) {
	err = l.server.attempt(ctx, writing, "", nil, func(tx *txn) error {
		var row struct {
			Token int64  `db:"token"`
			Step  string `db:"step"`
		}
		if err := tx.GetContext(ctx, &row, `SELECT token, step FROM lease WHERE ws = $1 FOR UPDATE`, l.ws); err != nil {
			return err
		}
		if done = row.Step == step; !done && row.Token != l.token {
			return l.successor(ctx, tx)
		}
		return nil
	})
	return done, err
}

// release ends the renewal, and gives the lease back if it is still held.
func (l *lease) release(ctx context.Context) error {
	l.stop()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	return l.server.write(ctx, writing, nil, func(tx *txn) error {
		return tx.Exec(ctx, `
			UPDATE lease SET token = token + 1, host = '', pid = 0, machine = '', renewed = statement_timestamp(), expires = statement_timestamp()
			WHERE ws = $1 AND token = $2`, l.ws, l.token)
	})
}

// held reports whether some process holds the lease of the workspace.
func (s *server) held(ctx context.Context, ws int64) (held bool, err error) {
	err = s.read(ctx, func(tx *txn) error {
		return tx.GetContext(ctx, &held, `SELECT EXISTS (SELECT 1 FROM lease WHERE ws = $1 AND host <> '' AND expires >= statement_timestamp())`, ws)
	})
	return held, err
}
