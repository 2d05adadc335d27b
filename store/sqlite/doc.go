// Package sqlite keeps the history of accounts in a SQLite file: it is an engine of
// package store.
//
// A writer loads what it has to know of a workspace (workspace.go), lets package fold
// work out what a response changes (append.go), and writes just that (apply.go). Readers
// (read_*.go) and the views of package migrations/sqlite ask the same tables. Writers of
// all processes take turns by a lock beside the file (lock.go); readers need none.
package sqlite
