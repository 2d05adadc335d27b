package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// checkNumbers finds the rows below number 1, in each table whose key begins with a
// number. The other checks read from 1 on.
func (v *verifier) checkNumbers(ctx context.Context, tx *txn) error {
	var keys []struct {
		Table  string `db:"table"`
		Column string `db:"column"`
	}
	err := tx.SelectContext(ctx, &keys, `
		SELECT t.name AS "table", k.name AS "column"
		FROM sqlite_schema t
		JOIN pragma_table_info(t.name) k
		WHERE t.type = 'table' AND k.pk = 1 AND k.type = 'INTEGER'
		ORDER BY t.name`)
	for _, k := range keys {
		if err == nil {
			err = v.findRows(ctx, tx, k.Table, fmt.Sprintf(
				`SELECT %s, '%[1]s is below 1, the first number' FROM %[2]s WHERE %[1]s < 1 ORDER BY %[1]s`, k.Column, k.Table))
		}
	}
	return err
}

// checkSettings: a store has one setting, and a second one only within a transaction.
func (v *verifier) checkSettings(ctx context.Context, tx *txn) error {
	err := v.findRows(ctx, tx, "setting", `
		SELECT name, iif(name = 'rules', 'is not a number', 'is not a setting of a store')
		FROM setting
		WHERE name <> 'rules' OR typeof(value) <> 'integer'
		ORDER BY name`)
	if err != nil {
		return err
	}
	// A process that died before it derived anything leaves no rules.
	return v.findRows(ctx, tx, "setting", `
		SELECT 'rules', 'is missing'
		WHERE EXISTS (SELECT 1 FROM run) AND NOT EXISTS (SELECT 1 FROM setting WHERE name = 'rules')`)
}

// checkSequences: SQLite keeps the highest number that a table with AUTOINCREMENT
// ever had.
func (v *verifier) checkSequences(ctx context.Context, tx *txn) error {
	var found, want string
	err := tx.GetContext(ctx, &found, `
		SELECT coalesce(group_concat(row || ' ' || quote(name) || ' ' || quote(seq), ', '), '')
		FROM (SELECT rowid AS row, name, seq FROM sqlite_sequence ORDER BY row)`)
	if err != nil {
		return err
	}
	err = tx.GetContext(ctx, &want, `
		SELECT coalesce(group_concat(row || ' ' || quote(name) || ' ' || quote(last), ', '), '')
		FROM (
			SELECT 1 AS row, 'goose_db_version' AS name, max(id) AS last FROM goose_db_version
			UNION ALL
			SELECT 2, 'run', max(id) FROM run
		)
		WHERE last IS NOT NULL`)
	if err == nil && found != want {
		v.find("sqlite_sequence", "", "has %s instead of %s", found, want)
	}
	return err
}

// checkWorkspaces: they are numbered from 1 on as their first runs are, and all
// that a response is about is of one workspace.
func (v *verifier) checkWorkspaces(ctx context.Context, tx *txn) error {
	next := int64(0)
	err := tx.each(ctx, func(scan func(...any) error) error {
		var id, row sql.NullInt64
		if err := scan(&id, &row); err != nil {
			return err
		}
		if next++; row.Valid && row.Int64 != next { // that it refers to nobody is found elsewhere
			v.find("workspace", row.Int64, "should be number %d: workspaces are numbered in the order of their first runs", next)
		}
		return nil
	}, `
		SELECT used.workspace_id, w.id
		FROM (SELECT workspace_id, min(id) AS first FROM run GROUP BY workspace_id) used
		LEFT JOIN workspace w ON w.id = used.workspace_id
		ORDER BY used.first`)
	if err != nil {
		return err
	}
	err = v.findRows(ctx, tx, "workspace",
		`SELECT id, 'has no run' FROM workspace WHERE id NOT IN (SELECT workspace_id FROM run) ORDER BY id`)
	if err != nil {
		return err
	}
	return v.findRows(ctx, tx, "response", `
		SELECT r.id, 'is of another workspace than its run'
		FROM response r
		JOIN run ON run.id = r.run_id
		WHERE r.workspace_id <> run.workspace_id
		ORDER BY r.id`)
}

// list joins what there is to say, at most three.
func list(things []string) string {
	const most = 3
	if len(things) > most {
		return strings.Join(things[:most], ", ") + ", ..."
	}
	return strings.Join(things, ", ")
}
