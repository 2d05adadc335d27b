package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sethvargo/go-retry"

	"github.com/lobstrail/lobstrail/store"
)

// pauses lie between the tries of a transaction: from 20 ms to 5 s, about 40 s in all,
// which is what a server needs to restart. They differ by half, so that two transactions
// that broke each other off do not meet again.
func pauses() retry.Backoff {
	return retry.WithMaxRetries(16, retry.WithCappedDuration(5*time.Second, retry.WithJitterPercent(50, retry.NewExponential(20*time.Millisecond))))
}

// write runs fn in a transaction that may write to the workspaces of the leases, which
// must be in ascending order. When the database breaks the transaction off, or the
// connection is lost, it is run again as a whole, fn included. When the connection is
// lost at COMMIT, the leases tell whether it was committed; without any, fn must be able
// to find what it did before.
//
// It returns a [*store.FencedError] if another writer has taken over.
func (s *server) write(ctx context.Context, what doing, leases []*lease, fn func(tx *txn) error) error {
	step := rand.Text()
	doubt := false
	err := retry.Do(ctx, pauses(), func(ctx context.Context) error {
		if doubt && len(leases) > 0 {
			if done, err := leases[0].committed(ctx, step); err != nil || done {
				return again(err)
			}
		}
		doubt = false
		err := s.attempt(ctx, what, step, leases, fn)
		var commit *commitError
		if errors.As(err, &commit) && inDoubt(err) {
			doubt = true
			return retry.RetryableError(err)
		}
		return again(err)
	})
	if doubt && err != nil && !errors.Is(err, store.ErrFenced) {
		return s.problem(store.ErrUnreachable, err, "the connection was lost in the moment of storing: the last step is stored whole, or not at all",
			"run the command again: nothing is stored twice")
	}
	return s.interpret(ctx, what, err)
}

// again marks errors after which a transaction may succeed.
func again(err error) error {
	if err != nil && retryable(err) {
		return retry.RetryableError(err)
	}
	return err
}

// attempt runs fn in one transaction.
func (s *server) attempt(ctx context.Context, what doing, step string, leases []*lease, fn func(tx *txn) error) error {
	begun := time.Now()
	tx, err := s.begin(ctx, what, step, leases...)
	if err != nil {
		return err
	}
	defer tx.rollback(ctx) // gives the connection back
	err = fn(tx)
	if tx.broken != nil { // what fn made of it may hide what it was
		err = tx.broken
	}
	if time.Since(begun) > s.times.lease/3 { // it may expire in the moment of COMMIT
		for _, l := range leases {
			if err == nil {
				err = l.fence(ctx, tx, sql.NullString{String: step, Valid: true})
			}
		}
	}
	if err != nil {
		return err
	}
	return tx.commit(ctx)
}

// read runs fn in a transaction that only reads: all its queries see the same moment. It
// tries again when an idle connection turns out to be dead, which no check can rule out,
// but not when the server cannot be reached: it returns that error at once.
func (s *server) read(ctx context.Context, fn func(tx *txn) error) error {
	return s.readAgain(ctx, retry.WithMaxRetries(2, retry.NewConstant(10*time.Millisecond)), fn, func(err error) bool {
		return isLost(err) && !errors.As(err, new(*pgconn.ConnectError))
	})
}

// readAgain is read, with pauses after errors that are worth it. fn is run again only if
// none of its queries got an answer.
func (s *server) readAgain(ctx context.Context, pauses retry.Backoff, fn func(tx *txn) error, worth func(error) bool) error {
	err := retry.Do(ctx, pauses, func(ctx context.Context) error {
		heard, err := s.readOnce(ctx, fn)
		if err != nil && !heard && worth(err) {
			return retry.RetryableError(err)
		}
		return err
	})
	return s.interpret(ctx, reading, err)
}

func (s *server) readOnce(ctx context.Context, fn func(tx *txn) error) (heard bool, err error) {
	tx, err := s.begin(ctx, reading, "")
	if err != nil {
		return false, err
	}
	defer tx.rollback(ctx) // there is nothing to commit
	err = fn(tx)
	return tx.heard, err
}
