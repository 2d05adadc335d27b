package store

import "golang.org/x/mod/sumdb/tlog"

// Backup is a backup that was made.
type Backup struct {
	Path    string
	Bytes   int64
	Trees   map[string]tlog.Tree // of the logs in it, by workspace
	Kept    []string             // the older ones beside it, the newest first
	Removed int                  // how many older ones are gone
}
