package sqlite

import (
	"context"

	"github.com/lobstrail/lobstrail/store/relational"
)

// checkSettings: a store has one setting, and a second one only within a transaction.
func (v *fileVerifier) checkSettings(ctx context.Context, tx relational.Tx) error {
	err := v.findRows(ctx, tx, "setting", `
		SELECT name, iif(name = 'rules', 'is not a number', 'is not a setting of a store')
		FROM setting
		WHERE name <> 'rules' OR typeof(value) <> 'integer'
		ORDER BY name`)
	if err != nil {
		return err
	}
	// A run and its workspace begin in one transaction.
	err = v.findRows(ctx, tx, "workspace", `
		SELECT id, 'has no run' FROM workspace w WHERE NOT EXISTS (SELECT 1 FROM run WHERE ws = w.id) ORDER BY id`)
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
func (v *fileVerifier) checkSequences(ctx context.Context, tx relational.Tx) error {
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
		)
		WHERE last IS NOT NULL`)
	if err == nil && found != want {
		v.find("sqlite_sequence", "", "has %s instead of %s", found, want)
	}
	return err
}
