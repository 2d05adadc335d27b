package relational

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// Store is the history in a database. It has all of [store.Store] that is the same for
// every engine.
type Store struct {
	db    Database
	now   func() time.Time
	rules store.Rules
	known *workspace // of the last run; nil: must be loaded
	past  *past      // that a run reads; see RunWriter.Moment

	// AtOnce bounds what is done at once. Tests make it small.
	AtOnce AtOnce
	// Mirror says that the store is written to by CopyFrom alone. Settle then leaves runs
	// that died as they are: their end is an entry of the log, which comes from the source.
	Mirror bool
	// Marks tell the runs of this process from all others.
	Marks Marks
}

// Marks are all that the log has beside what the API said and when: without them, the same
// answers at the same instants make the same log. Tests make them repeatable.
type Marks struct {
	PID  int                         // of this process
	Salt func(of string) ledger.Salt // new and secret, of an account (its id) or a failure (RUN/NUMBER)
}

// AtOnce bounds what a store does at once.
type AtOnce struct {
	Dropped  int // responses that one transaction of a prune drops
	Accounts int // that a writer keeps in memory between transactions, at about two kilobytes each
}

// New is a store in the database, by a clock. Rules give meaning to what is observed: a
// writer needs them, and Verify.
func New(db Database, now func() time.Time, rules store.Rules) *Store {
	return &Store{
		db: db, now: now, rules: rules, AtOnce: AtOnce{Dropped: 5000, Accounts: 1 << 14},
		Marks: Marks{PID: os.Getpid(), Salt: func(string) ledger.Salt { return ledger.NewSalt() }},
	}
}

// Settle puts in order what the last writer of the workspaces left behind: runs that died
// are marked as interrupted, and what other rules derived is derived again.
func (s *Store) Settle(ctx context.Context, workspaces []string) error {
	var outdated []string
	err := s.db.Write(ctx, workspaces, func(tx Tx) error {
		outdated = nil
		for _, name := range workspaces {
			ws, err := WorkspaceID(ctx, tx, name)
			if err != nil {
				return err
			}
			if !s.Mirror {
				if err := interruptDeadRuns(ctx, tx, ws, name); err != nil {
					return err
				}
			}
			version, err := s.db.Rules(ctx, tx, ws)
			if err != nil {
				return err
			}
			if version != s.rules.Version {
				outdated = append(outdated, name)
			}
		}
		return nil
	})
	if err != nil || len(outdated) == 0 {
		return err
	}
	return s.rederive(ctx, outdated, nil)
}

// CheckRules returns an error unless there are rules.
func CheckRules(rules store.Rules) error {
	if rules.Compare == nil {
		return errors.New("store: a writer needs rules")
	}
	return nil
}

// Stop ends what a run that was not finished still reads.
func (s *Store) Stop() { s.past.close() }

// forget makes the next transaction load the workspace anew: after one that failed,
// or one that changed what is kept in memory.
func (s *Store) forget() { s.known = nil }
