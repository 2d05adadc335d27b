//go:build unix

package main_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// bare is a table of nothing but the rows of snapshots.
type bare struct {
	path   string
	db     *sql.DB
	insert *sql.Stmt
	page   int64
}

func openBare(b *testing.B) *bare {
	b.Helper()
	r := &bare{path: filepath.Join(b.TempDir(), "bare.db")}
	r.open(b)
	return r
}

func (r *bare) reopen(b *testing.B) {
	b.Helper()
	r.close(b)
	r.open(b)
}

func (r *bare) open(b *testing.B) {
	b.Helper()
	const pragmas = "?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_pragma=temp_store(2)" +
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-8192)&_pragma=wal_autocheckpoint(4000)"
	var err error
	if r.db, err = sql.Open("sqlite", "file:"+r.path+pragmas); err != nil {
		b.Fatal(err)
	}
	r.db.SetMaxOpenConns(1)
	_, err = r.db.Exec(`
		CREATE TABLE IF NOT EXISTS snapshot (
			response_id INTEGER NOT NULL,
			account_id  INTEGER NOT NULL,
			document_id INTEGER NOT NULL,
			PRIMARY KEY (response_id, account_id)
		) STRICT, WITHOUT ROWID`)
	if err != nil {
		b.Fatal(err)
	}
	if r.insert, err = r.db.Prepare(`INSERT INTO snapshot (response_id, account_id, document_id) VALUES (?, ?, ?)`); err != nil {
		b.Fatal(err)
	}
}

// batch writes the rows of all accounts and answers how long that took.
func (r *bare) batch(b *testing.B, accounts int) time.Duration {
	b.Helper()
	ctx, start := context.Background(), time.Now() // costs the driver less than one that can be cancelled
	for from := 0; from < accounts; from += 100 {
		r.page++
		tx, err := r.db.BeginTx(ctx, nil)
		if err != nil {
			b.Fatal(err)
		}
		insert := tx.StmtContext(ctx, r.insert)
		for i := from; i < min(accounts, from+100); i++ {
			if _, err := insert.ExecContext(ctx, r.page, i+1, i+1); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

func (r *bare) close(b *testing.B) {
	b.Helper()
	if err := r.db.Close(); err != nil {
		b.Fatal(err)
	}
}
