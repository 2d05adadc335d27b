package postgres_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Texts cannot hold U+0000: 00001_evidence.sql says how it is stored.
var (
	toStored   = strings.NewReplacer("\x00", "\x01\x01", "\x01", "\x01\x02")
	fromStored = strings.NewReplacer("\x01\x01", "\x00", "\x01\x02", "\x01")
)

// openSQLite opens the file of a store for reading.
func openSQLite(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// notCopied are the tables whose rows the engines do not share: those of goose and of
// SQLite, and the settings, which SQLite has once for all workspaces.
func notCopied(table string) bool {
	return table == "goose_db_version" || table == "setting" || strings.HasPrefix(table, "sqlite_")
}

// tablesOf lists the tables of a store in SQLite.
func tablesOf(t testing.TB, file *sql.DB) []string {
	t.Helper()
	return slices.DeleteFunc(askTexts(t, file, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`), notCopied)
}

// copyStore copies all rows of a store in SQLite, by the names of their columns.
func copyStore(t testing.TB, file, db *sql.DB) {
	t.Helper()
	for _, table := range tablesOf(t, file) {
		columns, rows := ask(t, file, `SELECT * FROM `+table)
		for _, row := range rows {
			for i := range row {
				switch value := row[i].(type) {
				case string:
					row[i] = toStored.Replace(value)
				case []byte:
					row[i] = append([]byte{}, value...) // nil, which would become NULL, is empty
				}
			}
		}
		copyRows(t, db, table, columns, rows)
	}
}

func copyRows(t testing.TB, db *sql.DB, table string, columns []string, rows [][]any) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(driver any) error {
		n, err := driver.(*stdlib.Conn).Conn().CopyFrom(t.Context(), pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
		if err == nil && n != int64(len(rows)) {
			err = fmt.Errorf("%d rows of %d", n, len(rows))
		}
		return err
	})
	if err != nil {
		t.Fatalf("table %s: %v", table, err)
	}
}
