package store

import (
	"golang.org/x/mod/sumdb/tlog"
)

// VerifyOptions say what is verified.
type VerifyOptions struct {
	// Trees are trees that the logs once had, by workspace, as checkpoints tell. Each log
	// must be a continuation of its own.
	Trees map[string][]tlog.Tree
	// AnyRules leaves out what is derived when other rules than those at hand made
	// it, which is an error else.
	AnyRules bool
	// Progress, unless nil, is called with how much of the work is done. It is
	// called from one goroutine at a time.
	Progress func(done, total int64)
}

// Finding is something that is not as it was written.
type Finding struct {
	Table   string // "" when it is about the file
	Row     string // what identifies it in its table; "" when it is about no one row
	Problem string
}

// Verified is what a verification looked at.
type Verified struct {
	Trees     map[string]tlog.Tree // the logs as they are, by workspace
	Responses int64
	Snapshots int64
	Documents int64 // snapshots that began a version
	Versions  int64 // derived again; 0 with VerifyOptions.AnyRules and other rules
	Findings  int64
}
