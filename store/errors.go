package store

import (
	"errors"
	"fmt"
	"time"
)

// The errors a caller may branch on. Functions say in their comments which of
// them they return; all others are failures of the machine or of SQLite.
var (
	// ErrNoStore means that there is no store at the path: no file, or an empty one.
	ErrNoStore = errors.New("no store")
	// ErrForeign means that the file is not a lobstrail store. It was left as it is.
	ErrForeign = errors.New("not a lobstrail store")
	// ErrUnreleased means that a lobstrail of before the first release wrote the store. It
	// was left as it is.
	ErrUnreleased = errors.New("store is from before the first release of lobstrail and cannot be converted")
	// ErrNewer means that a newer lobstrail wrote the store.
	ErrNewer = errors.New("store is newer than this lobstrail")
	// ErrOlder means that the store must be migrated first, which only a command
	// that writes does.
	ErrOlder = errors.New("store is older than this lobstrail")
	// ErrBusy means that another writer holds the store; see [BusyError].
	ErrBusy = errors.New("store is busy")
	// ErrFenced means that another writer has taken over the workspace, because this one
	// was not heard of for too long; see [FencedError]. Nothing more can be written.
	ErrFenced = errors.New("another writer has taken over")
	// ErrDamaged means that what was read cannot be what was written.
	ErrDamaged = errors.New("store is damaged")
	// ErrFull means that the disk (or quota) is full; nothing stored was lost.
	ErrFull = errors.New("disk is full")
	// ErrDisk means that a file of the store could not be read or written; nothing
	// stored was lost by it.
	ErrDisk = errors.New("disk I/O error")
	// ErrStatement means that SQLite refused a statement of this program, although the
	// tables of the store are as they should be: a mistake of the program.
	ErrStatement = errors.New("a statement of this lobstrail is wrong")
	// ErrJournal means that there is a journal whose store is missing. It may hold
	// what the store lacks, and would damage a new one.
	ErrJournal = errors.New("a journal without its store")
	// ErrMoved means that the file was removed, or replaced, while it was written to.
	ErrMoved = errors.New("the store is no longer where it was opened")
	// ErrNotFound means that the thing asked for is not in the store.
	ErrNotFound = errors.New("not found")
	// ErrInvalid means that the caller asked for something that cannot be: a workspace
	// without a name, a kind of change that does not exist, or a state that a run cannot
	// end in. Nothing was read or written.
	ErrInvalid = errors.New("invalid")
	// ErrConflict means that something is no longer as the caller takes it to be: a run is
	// over, so that nothing can be added to it, or somebody else has evaluated the alerts.
	// Nothing was written.
	ErrConflict = errors.New("conflict")
	// ErrReadOnly means that the store was opened for reading, or that a query would
	// do something else than read.
	ErrReadOnly = errors.New("only reading is allowed")
	// ErrTooLarge means that a query made a value or a row that is larger than may be.
	ErrTooLarge = errors.New("the query makes a value that is too large")
	// ErrRewritten means that the log is not the one of which a checkpoint was signed:
	// entries that were in it have been changed, or are gone.
	ErrRewritten = errors.New("the history is not the one that was signed")
	// ErrDiverged means that a store cannot become a copy of another one: its log has
	// entries that the other one does not have.
	ErrDiverged = errors.New("the logs have diverged")
	// ErrSame means that both are the same store.
	ErrSame = errors.New("both are the same store")
	// ErrLater means that what is to be proven came after the checkpoint.
	ErrLater = errors.New("came after the checkpoint")
	// ErrRedacted means that what is to be proven was redacted: without its document
	// it can still be proven.
	ErrRedacted = errors.New("was redacted: the document and the secret that would prove it are erased")
)

// These are about a store in a database server. They come as a [*ServerError].
var (
	// ErrUnreachable means that there is no connection to the server: nothing listens
	// there, the name is unknown, it did not answer in time, it is full, shutting down or
	// starting, or the connection broke. It may work later.
	ErrUnreachable = errors.New("the database server cannot be reached")
	// ErrLogin means that the server refused the login: the password, the user, the
	// address this machine has, or the encryption of the connection.
	ErrLogin = errors.New("the database server refused the login")
	// ErrNoDatabase means that the server has no database of that name.
	ErrNoDatabase = errors.New("no such database")
	// ErrRights means that the user of the database lacks a right.
	ErrRights = errors.New("a right in the database is missing")
)

// ServerError is a problem with a database server. It matches its Kind: one of the
// errors above, or [ErrBusy], [ErrReadOnly], [ErrInvalid] or [ErrStatement].
type ServerError struct {
	Kind    error
	Problem string // what happened, with the name of the database; never a secret
	Next    string // what to do about it; empty when there is nothing to say
	Cause   error  // what the driver said; may be nil
}

// Error is the problem, without the next step.
func (e *ServerError) Error() string { return e.Problem }

// Is reports whether target is the kind of the error.
func (e *ServerError) Is(target error) bool { return target == e.Kind }

// Unwrap returns what the driver said.
func (e *ServerError) Unwrap() error { return e.Cause }

// BusyError names the process that holds the store. It matches [ErrBusy].
type BusyError struct {
	Host  string    // the machine of the process; empty for this one
	PID   int       // 0 when the holder is not a lobstrail, and so unknown
	Since time.Time // when it got the lock of the store; zero when unknown
}

// Error says who holds the store since when.
func (e *BusyError) Error() string {
	if e.PID == 0 {
		return "store is busy: another program holds the database"
	}
	return "store is busy: " + holder(e.Host, e.PID) + " writes to it since " + e.Since.UTC().Format(time.RFC3339)
}

// Is reports whether target is [ErrBusy].
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// FencedError names the process that has taken over the workspace. It matches
// [ErrFenced].
type FencedError struct {
	Host  string    // its machine
	PID   int       // 0 when it has already finished
	Since time.Time // when it took over; zero when it has already finished
}

// Error says who has taken over since when.
func (e *FencedError) Error() string {
	const why = ": this process was not heard of for too long"
	if e.PID == 0 {
		return "another writer took over meanwhile, and has finished" + why
	}
	return holder(e.Host, e.PID) + " has taken over since " + e.Since.UTC().Format(time.RFC3339) + why
}

// Is reports whether target is [ErrFenced].
func (e *FencedError) Is(target error) bool { return target == ErrFenced }

// holder names a process, and its machine where that is not this one.
func holder(host string, pid int) string {
	if host == "" {
		return fmt.Sprintf("process %d", pid)
	}
	return fmt.Sprintf("process %d on %s", pid, host)
}
