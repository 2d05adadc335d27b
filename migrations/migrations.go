// Package migrations holds the schema of the store as goose migrations, oldest
// first. A merged file is never edited: what comes later goes into a new file,
// and [Version] with it.
//
//	00001  evidence: what the API said, written once
//	00002  derived: versions, changes and all else the rules make of it
//	00003  the documented views
//	00004  figures for the query planner
//	00005  reading by time costs what it finds
//	00006  counters are written in the order in which they move
//	00007  the transparency log
//	00008  snapshots are written without looking up what they refer to
//	00009  views that answer many rows look less up for each
//	00010  goose's table is the same in every store
//	00011  how long a health lasted, and how many healthy accounts a squid had
package migrations

import "embed"

// FS holds the migration files at its root.
//
//go:embed *.sql
var FS embed.FS

// ApplicationID marks a SQLite file as a lobstrail store ("lobs" in its header).
const ApplicationID = 0x6c6f6273

// Version is the schema this binary reads and writes: the number of the last file.
const Version = 14
