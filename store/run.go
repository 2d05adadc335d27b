package store

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// RunState says how a run stands.
type RunState string

// The states of a run.
const (
	Running     RunState = "running"
	Complete    RunState = "complete"    // every account asked for was snapshotted
	Incomplete  RunState = "incomplete"  // some were not, or the list was not whole; the rest is stored
	Interrupted RunState = "interrupted" // stopped by a signal, or its process died
	Failed      RunState = "failed"      // the key was refused, or the machine failed
)

// Scope says which accounts a run is about.
type Scope string

// The scopes of runs.
const (
	ScopeAll    Scope = "all"    // every account of the workspace
	ScopeNamed  Scope = "named"  // accounts given by name
	ScopeImport Scope = "import" // read from files
)

// CheckBegin returns an error that matches ErrInvalid unless a run of the scope can begin
// in the workspace. Engines call it.
func CheckBegin(workspace string, scope Scope) error {
	switch {
	case workspace == "":
		return fmt.Errorf("%w: the workspace has no name", ErrInvalid)
	case !utf8.ValidString(workspace):
		return fmt.Errorf("%w: the name of the workspace is no UTF-8: %q", ErrInvalid, workspace)
	case !slices.Contains([]Scope{ScopeAll, ScopeNamed, ScopeImport}, scope):
		return fmt.Errorf("%w: there is no scope %q of a run", ErrInvalid, scope)
	}
	return nil
}

// Run is one job that took snapshots.
type Run struct {
	ID        int64
	Workspace string
	Scope     Scope
	State     RunState
	Started   time.Time
	Finished  time.Time // zero while it runs, and when its process died
	Requested int       // accounts named, or what the list says there are
	Changed   int       // snapshots that began a version, first sights included
	Unchanged int
	Gone      int // newly gone
	Failed    int
	Requests  int // HTTP requests sent, retries included
	Warnings  []string
	Failures  []Failure
	// Skew is by how much this machine's clock was ahead of the server's, by the
	// Date headers of the answers, where it was most; negative: behind. Those
	// count whole seconds: it is true to about a second, and half of a round trip.
	// Nil when no answer had one.
	Skew *time.Duration
	// Held is the longest time by which an instant of the run was moved forward to
	// the newest one of the workspace, because the clock was behind it.
	Held time.Duration
}

// Captured is how many snapshots of existing accounts the run took.
func (r Run) Captured() int { return r.Changed + r.Unchanged }

// FailureKind names what went wrong.
type FailureKind string

// The kinds of failures.
const (
	FailHTTP      FailureKind = "http"       // an HTTP status that is none of the below
	FailNetwork   FailureKind = "network"    // no connection, a broken one, or no answer in time
	FailDecode    FailureKind = "decode"     // bytes that could not be understood
	FailNotFound  FailureKind = "not_found"  // 404 for an account never seen
	FailAuth      FailureKind = "auth"       // the API key was refused
	FailRateLimit FailureKind = "rate_limit" // asked to wait longer than allowed, or too often
	FailMismatch  FailureKind = "mismatch"   // the answer was about something else than asked
)

// FailureKinds lists every kind of failure.
var FailureKinds = []FailureKind{FailHTTP, FailNetwork, FailDecode, FailNotFound, FailAuth, FailRateLimit, FailMismatch}

// Failure is something that could not be snapshotted, and why.
type Failure struct {
	Account    string // id; "" where the bytes did not tell
	Kind       FailureKind
	HTTPStatus int       // 0 when there was no answer
	Message    string    // for people; holds no secret
	At         time.Time // zero: when it is stored
}

// Outcome is how a run ended.
type Outcome struct {
	State     RunState
	Requested int
	Requests  int
	Warnings  []string
}

// Check returns an error that matches ErrInvalid unless a run of the scope can end so.
// answered says whether a response was stored in the run, and failed how many failures
// were. A run is complete only if the API answered, be it with an empty list, and nothing
// failed; an import may also find nothing that is new. Engines call it.
func (o Outcome) Check(scope Scope, answered bool, failed int) error {
	switch {
	case !slices.Contains([]RunState{Complete, Incomplete, Interrupted, Failed}, o.State):
		return fmt.Errorf("%w: a run cannot end in the state %q", ErrInvalid, o.State)
	case o.Requested < 0 || o.Requests < 0:
		return fmt.Errorf("%w: a run has no negative number of requests or of accounts", ErrInvalid)
	case o.State == Complete && scope != ScopeImport && !answered:
		return fmt.Errorf("%w: the run is not complete: no response was stored in it", ErrInvalid)
	case o.State == Complete && failed > 0:
		return fmt.Errorf("%w: the run is not complete: %d failures were stored in it", ErrInvalid, failed)
	}
	return nil
}

// Lacking is what an imported list that is complete lacks. The accounts counted are
// known, neither gone nor redacted.
type Lacking struct {
	Known    int // known before the list
	Shown    int // of these, shown by the list
	Unlisted int // of these, to become unlisted: the list lacks them, and the one before did not
}

// Conclusion decides whether what a complete list lacks is unlisted. A reason makes
// that a failure of the run, and nothing is concluded.
type Conclusion func(Lacking) (reason string)
