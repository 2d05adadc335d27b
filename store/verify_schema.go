package store

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"
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
	plannerFigures = `
		SELECT quote(tbl) || ' ' || quote(idx) || ' ' || quote(stat)
		FROM sqlite_stat1
		ORDER BY 1`
)

// freshStore is what a store is before anything is written to it.
type freshStore struct {
	objects []schemaObject
	figures []string // for the planner
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
	return f, db.SelectContext(ctx, &f.figures, plannerFigures)
})

// litestreamTables are what Litestream 0.5 adds to a database that it replicates: it
// writes to them to keep the journal going. They hold nothing of a store.
var litestreamTables = []string{"_litestream_lock", "_litestream_seq"}

// sql is how the object of that name is made.
func (f freshStore) sql(name string) string {
	i := slices.IndexFunc(f.objects, func(o schemaObject) bool { return o.Name == name })
	return f.objects[i].SQL
}

// checkSchema compares the schema with that of a fresh store. It reports whether
// the tables are the same, so that they can be read.
func (v *verifier) checkSchema(ctx context.Context, tx *txn) (readable bool, err error) {
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
		if o.Kind == "table" && slices.Contains(litestreamTables, o.Name) {
			continue
		}
		if !slices.ContainsFunc(want.objects, same) || slices.IndexFunc(found, same) < i {
			wrong(o, "is none of a store's")
		}
	}
	if !readable {
		v.find("sqlite_schema", "", "the tables are not those of a store: their rows are not checked")
	}
	return readable, nil
}

// checkFigures compares what the planner is given.
func (v *verifier) checkFigures(ctx context.Context, tx *txn) error {
	want, err := fresh()
	if err != nil {
		return err
	}
	var found []string
	if err := tx.SelectContext(ctx, &found, plannerFigures); err != nil {
		return err
	}
	for _, figure := range want.figures {
		if !slices.Contains(found, figure) {
			v.find("sqlite_stat1", strings.ReplaceAll(figure, "'", ""), "is missing (ANALYZE replaces it: only speed rests on it)")
		}
	}
	for i, figure := range found {
		if !slices.Contains(want.figures, figure) || slices.Contains(found[:i], figure) {
			v.find("sqlite_stat1", strings.ReplaceAll(figure, "'", ""), "is none of a store's (ANALYZE adds such: only speed rests on it)")
		}
	}
	return nil
}
