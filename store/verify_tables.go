package store

import (
	"context"
	"database/sql"
	"strings"
)

// checkSettings: a store has two settings, and a third only within a transaction.
func (v *verifier) checkSettings(ctx context.Context, tx *txn) error {
	var runs int64
	if err := tx.GetContext(ctx, &runs, `SELECT count(*) FROM run`); err != nil {
		return err
	}
	missing := map[string]bool{"migrations": true, "rules": runs > 0} // who makes a store may not have come to the rules
	err := tx.each(ctx, func(scan func(...any) error) error {
		var name, kind string
		var right bool
		if err := scan(&name, &kind, &right); err != nil {
			return err
		}
		delete(missing, name)
		switch {
		case name == "rules" && kind != "integer":
			v.find("setting", name, "is no number")
		case name == "migrations" && !right:
			v.find("setting", name, "is not what table goose_db_version says")
		case name != "rules" && name != "migrations":
			v.find("setting", name, "is none of a store's")
		}
		return nil
	}, `
		SELECT name, typeof(value), value IS (
			SELECT group_concat(quote(id) || ' ' || quote(version_id) || ' ' || quote(is_applied) || ' ' || quote(tstamp), x'0a')
			FROM (SELECT id, version_id, is_applied, tstamp FROM goose_db_version ORDER BY id)
		)
		FROM setting
		ORDER BY name`)
	for name, certainly := range missing {
		if certainly {
			v.find("setting", name, "is missing")
		}
	}
	return err
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
			v.find("workspace", row.Int64, "would be number %d: workspaces are numbered as their first runs are", next)
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
