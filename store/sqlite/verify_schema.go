package sqlite

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"
	"github.com/lobstrail/lobstrail/store/relational"
)

// schemaObject is a row of sqlite_schema, but for the page on which a table or an
// index begins, and the number of the row: VACUUM moves them.
type schemaObject struct {
	Kind  string `db:"type"`
	Name  string `db:"name"`
	Table string `db:"tbl_name"`
	SQL   string `db:"sql"`
	Types string `db:"types"` // of these values; and the page where there is none
}

const (
	schemaObjects = `
		SELECT
			type,
			name,
			tbl_name,
			coalesce(sql, '') AS sql,
			concat_ws(' ', typeof(type), typeof(name), typeof(tbl_name), typeof(sql), typeof(rootpage),
				iif(type IN ('table', 'index'), NULL, rootpage)) AS types
		FROM sqlite_schema
		ORDER BY type, name`
	migrationRows = `
		SELECT concat_ws(' ', id, quote(version_id), quote(is_applied), quote(tstamp))
		FROM goose_db_version
		ORDER BY id`
	plannerFigures = `
		SELECT concat_ws(' ', quote(tbl), quote(idx), quote(stat))
		FROM sqlite_stat1
		ORDER BY tbl, idx, stat`
)

// freshStore is what a store is before anything is written to it.
type freshStore struct {
	objects    []schemaObject
	migrations []string
	figures    []string // of the planner
}

// fresh is a store as the migrations make it, held in memory.
var fresh = sync.OnceValues(func() (f freshStore, err error) {
	ctx := context.Background()
	db, err := sqlx.ConnectContext(ctx, "sqlite", ":memory:")
	if err != nil {
		return f, err
	}
	defer db.Close() // it is gone with that
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db); err != nil {
		return f, err
	}
	if err := db.SelectContext(ctx, &f.objects, schemaObjects); err != nil {
		return f, err
	}
	if err := db.SelectContext(ctx, &f.figures, plannerFigures); err != nil {
		return f, err
	}
	return f, db.SelectContext(ctx, &f.migrations, migrationRows)
})

// litestreamTables are what Litestream 0.5 adds to a database that it replicates: it
// writes to them to keep the journal going. They hold nothing of a store.
var litestreamTables = []schemaObject{
	litestreamTable("_litestream_lock", "CREATE TABLE _litestream_lock (id INTEGER)"),
	litestreamTable("_litestream_seq", "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)"),
}

func litestreamTable(name, sql string) schemaObject {
	return schemaObject{Kind: "table", Name: name, Table: name, SQL: sql, Types: "text text text text integer"}
}

// checkSchema compares the schema with that of a fresh store. It reports whether
// the tables are the same, so that they can be read.
func (v *fileVerifier) checkSchema(ctx context.Context, tx relational.Tx) (readable bool, err error) {
	want, err := fresh()
	if err != nil {
		return false, err
	}
	var found []schemaObject
	if err := tx.SelectContext(ctx, &found, schemaObjects); err != nil {
		return false, err
	}
	readable = true
	wrong := func(o schemaObject, problem string) {
		v.find("sqlite_schema", o.Kind+" "+o.Name, "%s", problem)
		readable = readable && o.Kind != "table" && o.Kind != "view"
	}
	for _, o := range want.objects {
		switch i := slices.IndexFunc(found, func(f schemaObject) bool { return f.Name == o.Name }); {
		case i < 0:
			wrong(o, "is missing")
		case found[i] != o:
			wrong(o, "is not as the migrations make it")
		}
	}
	for i, o := range found {
		same := func(other schemaObject) bool { return other.Name == o.Name }
		switch l := slices.IndexFunc(litestreamTables, same); {
		case l >= 0 && o != litestreamTables[l]:
			wrong(o, "is not as Litestream makes it")
		case l < 0 && !slices.ContainsFunc(want.objects, same), slices.IndexFunc(found, same) < i:
			wrong(o, "unexpected object in the schema")
		}
	}
	if !readable {
		v.find("sqlite_schema", "", "the tables are not those of a store: their rows are not checked")
	}
	return readable, nil
}

// checkFresh compares goose's table, and the figures of the planner, with those of a
// fresh store.
func (v *fileVerifier) checkFresh(ctx context.Context, tx relational.Tx) error {
	want, err := fresh()
	if err != nil {
		return err
	}
	const analyze = " (ANALYZE replaces these rows: they matter for speed only)"
	if err := v.compareFresh(ctx, tx, "sqlite_stat1", plannerFigures, want.figures, analyze); err != nil {
		return err
	}
	err = v.findRows(ctx, tx, "sqlite_stat4",
		`SELECT '', count(*) || ' rows, and a store has none`+analyze+`' FROM sqlite_stat4 HAVING count(*) > 0`)
	if err != nil {
		return err
	}
	return v.compareFresh(ctx, tx, "goose_db_version", migrationRows, want.migrations, "")
}

// compareFresh compares the rows that the query reads with those that it is to read.
func (v *fileVerifier) compareFresh(ctx context.Context, tx relational.Tx, table, query string, want []string, note string) error {
	var found []string
	if err := tx.SelectContext(ctx, &found, query); err != nil {
		return err
	}
	for _, row := range want {
		if !slices.Contains(found, row) {
			v.find(table, strings.ReplaceAll(row, "'", ""), "is missing%s", note)
		}
	}
	for i, row := range found {
		if !slices.Contains(want, row) || slices.Contains(found[:i], row) {
			v.find(table, strings.ReplaceAll(row, "'", ""), "is not a row of a store%s", note)
		}
	}
	return nil
}

// checkLitestream checks the rows of Litestream's tables: one row that counts, and
// none in the table that it locks.
func (v *fileVerifier) checkLitestream(ctx context.Context, tx relational.Tx) error {
	for _, t := range []struct{ table, query string }{
		{"_litestream_lock", `SELECT rowid, 'is a row, and Litestream leaves none' FROM _litestream_lock ORDER BY rowid`},
		{"_litestream_seq", `
			SELECT id, 'is not the row that Litestream writes' FROM _litestream_seq
			WHERE id <> 1 OR typeof(seq) <> 'integer' OR seq NOT BETWEEN 1 AND 1 << 40
			ORDER BY id`},
	} {
		var exists bool
		err := tx.GetContext(ctx, &exists, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?)`, t.table)
		if err == nil && exists {
			err = v.findRows(ctx, tx, t.table, t.query)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
