package main

import (
	"context"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// No other file of the command names the engine that keeps the store.

// engineStore is a store, with what only its engine can do.
type engineStore interface {
	store.Store
	Backup(ctx context.Context, path string, o backupSettings) (store.Backup, error)
}

type backupSettings = sqlite.BackupOptions

// statement is one statement of the language of queries.
type statement = store.Statement

// splitSQL takes a script apart into statements, and what follows the last semicolon.
func splitSQL(script string) (statements []statement, rest statement) { return sqlite.SplitSQL(script) }

// openReader opens the store that is there, for reading.
func (a *app) openReader(ctx context.Context) (engineStore, error) {
	return sqlite.Open(ctx, a.db, sqlite.Options{Now: a.env.now, Rules: report.Rules()})
}

// openWriter opens the store for writing, by a clock, and waits for another writer up to
// wait. It makes a store if there is none, and reports that; with existing it returns
// ErrNoStore instead.
func (a *app) openWriter(ctx context.Context, now func() time.Time, wait time.Duration, existing bool) (s engineStore, created bool, err error) {
	return sqlite.OpenWriter(ctx, a.db, sqlite.Options{Now: now, Rules: report.Rules(), LockWait: wait, Existing: existing})
}

// syncDir makes what was named in a folder survive power loss.
func syncDir(dir string) error { return sqlite.SyncDir(dir) }
