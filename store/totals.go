package store

import "time"

// Totals are sums over the whole history of a workspace. They only ever grow: Prune and
// Redact leave them as they are. Only Rederive, with new rules, may count other Changes.
// Runs that have not ended are left out.
type Totals struct {
	Runs      map[RunKind]int64
	Requests  int64 // HTTP requests sent, retries included
	Snapshots int64 // of existing accounts
	// Ended is how many runs over all accounts ended by themselves, Lasted how long they
	// took together, and Within how many of them took at most each of RunBounds.
	Ended    int64
	Lasted   time.Duration
	Within   [len(RunBounds)]int64
	Failures map[FailureKind]int64
	Changes  map[Kind]int64 // first sights included
}

// RunKind is what runs are counted by.
type RunKind struct {
	Scope Scope
	State RunState
}

// RunBounds are the lengths that Totals counts runs by, ascending.
var RunBounds = [...]time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour,
}
