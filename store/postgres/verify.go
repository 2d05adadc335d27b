package postgres

import (
	"context"
	"slices"
	"strings"

	migrations "github.com/lobstrail/lobstrail/migrations/postgres"

	"github.com/lobstrail/lobstrail/store/relational"
)

// schemaLines describe the tables, views and indexes of a store, and what could change rows
// behind its back, a line each.
const schemaLines = `
	SELECT line FROM (
		SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
			|| CASE WHEN c.relkind = 'r' AND a.attnotnull THEN ' not null' ELSE '' END AS line
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'v') AND c.relname NOT IN ('goose_db_version', 'goose_lock')
		UNION ALL
		SELECT 'index ' || c.relname || ' ' || CASE WHEN i.indisunique THEN 'unique ' ELSE '' END || regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', '')
			|| CASE WHEN i.indisvalid THEN '' ELSE ', invalid' END
		FROM pg_index i
		JOIN pg_class c ON c.oid = i.indexrelid
		JOIN pg_class t ON t.oid = i.indrelid AND t.relname NOT IN ('goose_db_version', 'goose_lock')
		WHERE c.relnamespace = current_schema()::regnamespace
		UNION ALL
		SELECT 'trigger ' || g.tgname || ' on ' || c.relname
		FROM pg_trigger g
		JOIN pg_class c ON c.oid = g.tgrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND NOT g.tgisinternal
		UNION ALL
		SELECT 'rule ' || r.rulename || ' on ' || c.relname
		FROM pg_rewrite r
		JOIN pg_class c ON c.oid = r.ev_class
		WHERE c.relnamespace = current_schema()::regnamespace AND r.rulename <> '_RETURN'
	) x
	ORDER BY line COLLATE "C"`

// Schema compares the tables, views and indexes with those that the migrations make. What
// other programs have beside them is theirs, but for triggers and rules. The texts of views
// are not compared: each version of the server writes them in its own way.
func (s *engine) Schema(ctx context.Context, tx relational.Tx, find relational.Find) (readable bool, err error) {
	var found []string
	if err := tx.SelectContext(ctx, &found, schemaLines); err != nil {
		return false, err
	}
	want := strings.Split(strings.TrimSpace(migrations.Schema), "\n")
	readable = true
	for _, line := range want {
		if _, there := slices.BinarySearch(found, line); !there {
			find("pg_catalog", line, "is missing")
			readable = readable && strings.HasPrefix(line, "index")
		}
	}
	ours := map[string]bool{}
	for _, line := range want {
		ours[object(line)] = true
	}
	for _, line := range found {
		if _, known := slices.BinarySearch(want, line); !known && (ours[object(line)] || !strings.HasPrefix(line, "column")) {
			find("pg_catalog", line, "unexpected object in the schema")
		}
	}
	return readable, nil
}

// object is the table or view that a line about a column is about.
func object(line string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(line, "column "), ".")
	return name
}

// Files checks the one table that has no rows of evidence, and nothing derived. The files
// are the server's, which checks them.
func (s *engine) Files(ctx context.Context, tx relational.Tx, readable bool, find relational.Find) error {
	if !readable {
		return nil
	}
	return relational.Each(ctx, tx, `
		SELECT name || ' of workspace ' || ws, 'is not a setting of a store'
		FROM setting
		WHERE name <> 'rules' OR ws NOT IN (SELECT id FROM workspace)
		UNION ALL
		SELECT 'rules of workspace ' || id, 'is missing'
		FROM workspace
		WHERE EXISTS (SELECT 1 FROM run WHERE ws = id) AND id NOT IN (SELECT ws FROM setting WHERE name = 'rules')
		ORDER BY 1`, nil, func(scan func(...any) error) error {
		var row, problem string
		err := scan(&row, &problem)
		if err == nil {
			find("setting", row, "%s", problem)
		}
		return err
	})
}
