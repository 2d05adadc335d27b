package store

import "golang.org/x/mod/sumdb/tlog"

// CopyOptions say what is copied, and how.
type CopyOptions struct {
	Workspaces []string // nil: all that the source has
	// Trusting leaves out the comparison of all rows at the end: it is for a mirror that
	// compares them the first time. What is copied is checked against the log in any case.
	Trusting bool
	// Entries is how many entries of the log one transaction copies at most; 0: the default.
	Entries int
	// Progress, unless nil, is called with how many entries of the logs are copied, of how
	// many.
	Progress func(done, total int64)
}

// Copied is what was copied of a workspace.
type Copied struct {
	Workspace string
	Before    int64     // how many entries the log of the copy had
	Tree      tlog.Tree // of both logs
	Responses int64     // that were copied
	Snapshots int64     // that those stand for
	Pruned    int64     // responses that were dropped from the copy, as they were from the source
	Redacted  int64     // accounts that were redacted in the copy, as they were in the source
	Alerts    bool      // the alerts, messages, silences and cursors were copied: they were others
}

// Changed reports whether anything was copied.
func (c Copied) Changed() bool { return c.Tree.N > c.Before || c.Alerts }
