package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Reader reads the history. It may be used by several goroutines, and while another
// process writes. Each call sees the history as it was when it began.
//
// A sequence reads as it goes: it may be left at any time, and ranged over again, which
// reads anew. It ends after the first error, which comes with a zero value. While it is
// ranged over, other functions of the reader may be called. [Collect] reads all of one.
//
// A query about a workspace, account or squid that the store does not know finds nothing;
// Workspaces, FindAccount and FindSquid say what it knows. A kind of change that does not
// exist is ErrInvalid.
type Reader interface {
	// Workspaces lists the workspaces of the store, by name.
	Workspaces(ctx context.Context) ([]string, error)

	// Accounts are the accounts of a workspace as they were at a moment, gone ones
	// included, by username and id. Those first seen later are left out.
	Accounts(ctx context.Context, q AccountQuery) iter.Seq2[AccountState, error]
	// State is what was known of an account at a moment (zero: now), by what was
	// received until then. ErrNotFound: it was not known; or ErrRedacted.
	State(ctx context.Context, workspace, account string, at time.Time) (State, error)
	// Document is the account object as the API last gave it at the moment. The icon is
	// left out unless asked for. nil: the account was gone, or redacted; ErrNotFound: not
	// known.
	Document(ctx context.Context, q AccountQuery, withIcon bool) (json.RawMessage, error)
	// Changes streams changes in the order in which they were noticed.
	Changes(ctx context.Context, q ChangeQuery) iter.Seq2[AccountChange, error]
	// Pairs streams the accounts in which something changed between two moments.
	Pairs(ctx context.Context, workspace, account string, from, to time.Time) iter.Seq2[Pair, error]
	// StatusSteps streams the status steps noticed in the period, and those noticed later
	// whose window begins in it. HealthSteps has those in which the health changed, by
	// account, with the healths and the window only.
	StatusSteps(ctx context.Context, q PeriodQuery) iter.Seq2[StatusStep, error]
	HealthSteps(ctx context.Context, q PeriodQuery) (map[string][]StatusStep, error)
	// Assignments are assignments by squid name and id, then by username, then in the
	// order of time. Squids lists all squids that were ever named, by name.
	Assignments(ctx context.Context, q AssignmentQuery) iter.Seq2[Assignment, error]
	Squids(ctx context.Context, workspace string, at time.Time) iter.Seq2[Name, error]
	// Usage are the movements of counters in a period, and the one before.
	Usage(ctx context.Context, q PeriodQuery) iter.Seq2[Use, error]
	// Platforms reads what the accounts of a type have in common.
	Platforms(ctx context.Context, workspace string, accounts []string) ([]Platform, error)

	// CompleteRuns are the newest complete runs over all accounts that were over at a
	// moment, the newest first and at most n of them.
	CompleteRuns(ctx context.Context, workspace string, at time.Time, n int) ([]Run, error)
	// Runs streams the runs of a workspace, the newest first. Run is one of them, and
	// RunEnd the moment up to which it has seen the workspace. ErrNotFound: there is no
	// such run.
	Runs(ctx context.Context, workspace string) iter.Seq2[Run, error]
	Run(ctx context.Context, workspace string, id int64) (Run, error)
	RunEnd(ctx context.Context, workspace string, id int64) (time.Time, error)
	// Totals are sums over the whole history of a workspace. Bytes is how much room the
	// store takes on the disk, its journal included.
	Totals(ctx context.Context, workspace string) (Totals, error)
	Bytes(ctx context.Context) (int64, error)

	// FindAccount and FindSquid find what goes by a reference at a moment (zero: now):
	// see [Choose]. FindAccountEver and FindSquidEver also know the names of before: see
	// [FindEver].
	FindAccount(ctx context.Context, workspace, reference string, at time.Time) (Name, error)
	FindSquid(ctx context.Context, workspace, reference string, at time.Time) (Name, error)
	FindAccountEver(ctx context.Context, workspace, reference string, at time.Time) (found Name, former string, err error)
	FindSquidEver(ctx context.Context, workspace, reference string, at time.Time) (found Name, former string, err error)
	// AccountNames and SquidNames list at most n names that begin with the prefix.
	AccountNames(ctx context.Context, workspace, prefix string, n int) ([]Name, error)
	SquidNames(ctx context.Context, workspace, prefix string, n int) ([]Name, error)
	// Withheld are the ids of the accounts that were redacted.
	Withheld(ctx context.Context, workspace string) (map[string]bool, error)

	// Tree is the size and the root of the log of a workspace. Extends returns
	// ErrRewritten unless the log is a continuation of the tree.
	Tree(ctx context.Context, workspace string) (tlog.Tree, error)
	Extends(ctx context.Context, workspace string, signed tlog.Tree) error
	// Prove makes the proof of a snapshot.
	Prove(ctx context.Context, q ProofQuery) (Proof, error)
	// Verify checks the whole store. What is found goes to report.
	Verify(ctx context.Context, o VerifyOptions, report func(Finding)) (Verified, error)
	// Query runs statements of a user that only read: see the engine.
	Query(ctx context.Context, script string, columns func([]string) error, row func([]any) error, params ...sql.NamedArg) error

	AlertReader

	// Path names the store, for messages.
	Path() string
	Close() error
}

// Store reads and writes the history. One process at a time writes; see the engine for
// how long another one waits. Functions that write return ErrReadOnly when the store was
// opened for reading.
type Store interface {
	Reader
	// Begin starts a run in the workspace, which is created when it is new. It returns
	// ErrInvalid for a workspace without a name, and for a scope that does not exist.
	Begin(ctx context.Context, workspace string, scope Scope) (RunWriter, error)
	// Prune drops responses that show nothing new; PlanPrune says what it would do.
	PlanPrune(ctx context.Context, workspace string, keep Keep) (Pruned, error)
	Prune(ctx context.Context, workspace string, keep Keep, progress func(done, total int64)) (Pruned, error)
	// Redact erases what is known of an account, in all workspaces that have it.
	Redact(ctx context.Context, workspace, account string) (Redacted, error)
	// CopyFrom makes the store a copy of another one, or goes on with that: see the engine.
	CopyFrom(ctx context.Context, from Reader, o CopyOptions) ([]Copied, error)
	// Rederive makes everything that is derived again, by the rules of the store.
	Rederive(ctx context.Context, progress func(done, total int64)) error

	AlertWriter
}

// RunWriter is a run while it runs. It is for one goroutine at a time. After Finish its
// functions return ErrConflict.
type RunWriter interface {
	// ID is the number of the run in its workspace.
	ID() int64
	// Append stores what the response shows, whole or not at all. When it returns
	// without an error, that survives the death of the process and of the machine.
	// AppendAll stores several responses in one transaction.
	Append(ctx context.Context, r Response) (Appended, error)
	AppendAll(ctx context.Context, responses []Response) (Appended, error)
	// Fail stores failures that no understood response carried.
	Fail(ctx context.Context, requests int, failures ...Failure) error
	// Unlist stores that a complete list lacks accounts.
	Unlist(ctx context.Context, at time.Time, ids []string) error
	// Conclude ends a complete list that was imported: the newest responses of the
	// workspace, from the last first page on, are all of it. What it lacks is unlisted if
	// the conclusion allows it. See Response.Complete.
	Conclude(ctx context.Context, conclusion Conclusion) (Appended, error)
	// Missing, Disappearing and Known say what the run has not seen yet, how many
	// accounts conclusions would touch, and how many of ids the workspace knows.
	Missing(ctx context.Context, after string, n int) ([]string, error)
	Disappearing(ctx context.Context, missing, absent []string) (int, error)
	Known(ctx context.Context, ids []string) (hits, total int, err error)
	// Newest is the instant that the newest response of the workspace tells. Held is the
	// longest time by which an instant had to be moved forward because the clock was
	// behind it.
	Newest() time.Time
	Held() time.Duration
	// Moment is what the workspace had on record of an instant when the run began, to the
	// millisecond; nil when no response told it. It is fastest for instants that ascend.
	// It may be called beside the other functions, from one goroutine.
	Moment(ctx context.Context, at time.Time) (Moment, error)
	// Told reports whether an earlier import of the workspace had a failure with the
	// message.
	Told(ctx context.Context, message string) (bool, error)
	// Finish ends the run. It returns ErrInvalid, and the run goes on, if the run cannot
	// end so: see [Outcome.Check].
	Finish(ctx context.Context, o Outcome) error
}

// Moment is what a workspace has on record of one instant: the snapshots of all
// responses that told it. When several answers of an import tell the same instant, each
// that shows an account with another object begins a part of the moment; they are
// numbered from 0 on.
type Moment interface {
	// Find returns the number of the first part, not before the given one, that shows the
	// account with the same object, counters included; -1 if there is none. Where the
	// store cannot tell, because responses were pruned, the account was redacted, or its
	// object was not understood, it is the given part.
	Find(ctx context.Context, o *Observed, part int) (int, error)
	// Contradicts reports whether the last part shows the account with another object.
	Contradicts(ctx context.Context, o *Observed) (bool, error)
	// Accounts is how many accounts a part shows that were not redacted. Parts is how many
	// parts there are.
	Accounts(part int) int
	Parts() int
	// Pages is how many responses the last part has.
	Pages() int
	// Whole reports whether all snapshots are still there, and all accounts were
	// understood. Redacted reports whether nothing of the account is stored any more.
	Whole() bool
	Redacted(account string) bool
}
