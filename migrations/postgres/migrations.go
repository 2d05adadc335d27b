// Package postgres holds the schema of a store in PostgreSQL as goose migrations, oldest
// first. A released file is never edited: what comes later goes into a new file, and
// [Version] with it.
//
//	00001  evidence: what the API said, written when it begins to hold
//	00002  derived: versions, changes and all else that the rules make of it
//	00003  the lease: who may write a workspace
//	00004  the documented views
//	00005  alerts, messages, silences and cursors: working state, no evidence
//
// The files name no schema, and each statement of theirs can be run again.
package postgres

import "embed"

// FS holds the migration files at its root.
//
//go:embed *.sql
var FS embed.FS

// Schema describes the tables, views and indexes that the files make, a line each, in
// order. A test writes it: go test ./store/postgres -run Schema -update.
//
//go:embed schema.txt
var Schema string

// Version is the schema this binary reads and writes: the number of the last file.
const Version = 5
