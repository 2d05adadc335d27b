// Package sqlite holds the schema of a store in SQLite as goose migrations, oldest
// first. A released file is never edited: what comes later goes into a new file, and
// [Version] with it.
//
//	00001  evidence: what the API said, written when it begins to hold
//	00002  derived: versions, changes and all else that the rules make of it
//	00003  guards: evidence is append-only
//	00004  the documented views
//	00005  what the query planner should know
//	00006  alerts, messages, silences and cursors: working state, no evidence
package sqlite

import "embed"

// FS holds the migration files at its root.
//
//go:embed *.sql
var FS embed.FS

// ApplicationID marks a SQLite file as a lobstrail store ("lobu" in its header).
const ApplicationID = UnreleasedID + 2

// UnreleasedID marked the stores of before the first release, as did each number from it
// up to ApplicationID. They cannot be converted.
const UnreleasedID = 0x6c6f6273

// Version is the schema this binary reads and writes: the number of the last file.
const Version = 6
