package main

import (
	"context"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// No other file of the command names the engines that keep stores.

// onServer reports whether the location of a store is the URL of a database on a server,
// and not the path of a file.
func onServer(location string) bool { return postgres.IsURL(location) }

// shownLocation is what may be shown of the location of a store: no password.
func shownLocation(location string) string {
	if onServer(location) {
		return postgres.Describe(location)
	}
	return location
}

// openReader opens the store that is there, for reading.
func (a *app) openReader(ctx context.Context) (store.Store, error) {
	return a.openReaderAt(ctx, a.db)
}

// openReaderAt opens the store at a location for reading.
func (a *app) openReaderAt(ctx context.Context, location string) (store.Store, error) {
	if onServer(location) {
		return postgres.Open(ctx, location, postgres.Options{Now: a.env.now, Rules: report.Rules()})
	}
	return sqlite.Open(ctx, location, sqlite.Options{Now: a.env.now, Rules: report.Rules()})
}

// openWriter opens the store for writing, by a clock, and waits for another writer up to
// wait. It makes a store if there is none, and reports that; with existing it returns
// ErrNoStore instead.
func (a *app) openWriter(ctx context.Context, now func() time.Time, wait time.Duration, existing bool) (s store.Store, created bool, err error) {
	return a.openWriterAt(ctx, a.db, now, wait, existing)
}

// openWriterAt is openWriter for the store at a location.
func (a *app) openWriterAt(ctx context.Context, location string, now func() time.Time, wait time.Duration, existing bool) (s store.Store, created bool, err error) {
	if onServer(location) {
		return postgres.OpenWriter(ctx, location, postgres.Options{Now: now, Rules: report.Rules(), LockWait: wait, Existing: existing})
	}
	return sqlite.OpenWriter(ctx, location, sqlite.Options{Now: now, Rules: report.Rules(), LockWait: wait, Existing: existing})
}

// openMirrorAt is openWriterAt for a store that only "copy" writes to.
func (a *app) openMirrorAt(ctx context.Context, location string, wait time.Duration, existing bool) (s store.Store, created bool, err error) {
	if onServer(location) {
		return postgres.OpenWriter(ctx, location, postgres.Options{Now: a.env.now, Rules: report.Rules(), LockWait: wait, Existing: existing, Mirror: true})
	}
	return sqlite.OpenWriter(ctx, location, sqlite.Options{Now: a.env.now, Rules: report.Rules(), LockWait: wait, Existing: existing, Mirror: true})
}

// backuper is a store that can be backed up: one in a file.
type backuper interface {
	Backup(ctx context.Context, path string, o backupSettings) (store.Backup, error)
}

type backupSettings = sqlite.BackupOptions

// dialect is what differs between the engines for those who ask SQL.
type dialect struct {
	// split takes a script apart into statements, and what follows the last semicolon.
	split func(script string) (statements []store.Statement, rest store.Statement)
	// tables is a query for the names and types of views and tables, views first. schema is
	// one for the statements that make the view or table :name, or all if that is NULL.
	tables, schema string
}

func (a *app) dialect() dialect {
	if onServer(a.db) {
		return dialect{postgres.SplitSQL, postgresTables, postgresSchema}
	}
	return dialect{sqlite.SplitSQL, sqliteTables, sqliteSchema}
}

const (
	sqliteTables = `SELECT name, type FROM sqlite_schema
		WHERE type IN ('view', 'table') AND name NOT LIKE 'sqlite%' ORDER BY type DESC, name`
	sqliteSchema = `SELECT sql FROM sqlite_schema
		WHERE sql IS NOT NULL AND (:name IS NULL OR :name COLLATE NOCASE IN (name, tbl_name)) ORDER BY type DESC, name`

	postgresTables = `SELECT relname AS name, CASE relkind WHEN 'v' THEN 'view' ELSE 'table' END AS type FROM pg_class
		WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v') ORDER BY 2 DESC, 1`
	postgresSchema = `SELECT CASE relkind
			WHEN 'v' THEN concat('CREATE VIEW ', relname, ' AS', chr(10), rtrim(pg_get_viewdef(c.oid, true), ';'))
			ELSE (SELECT concat('CREATE TABLE ', c.relname, ' (', chr(10),
				string_agg(concat('    ', attname, ' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN ' NOT NULL' END), concat(',', chr(10)) ORDER BY attnum),
				chr(10), ')') FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
			END
		FROM pg_class c
		WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v') AND (CAST(:name AS text) IS NULL OR lower(CAST(:name AS text)) = relname)
		ORDER BY relkind DESC, relname`
)

// syncDir makes what was named in a folder survive power loss.
func syncDir(dir string) error { return sqlite.SyncDir(dir) }
