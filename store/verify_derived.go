package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// derivedPragmas are for the connection that derives again. It needs no foreign
// keys, for the temporary tables refer to those of the store; and it may put what
// does not fit into its cache into a temporary file.
var derivedPragmas = []string{"foreign_keys(0)", "temp_store(1)"}

// derivedTables are all that is derived, but for absences, of which only the ends
// are.
var derivedTables = []string{
	"version", "change", "status_step", "squid", "squid_name", "assignment", "assignment_name", "head", "seen", "counter",
}

// derivedHelpers are what fills derived columns, and the one index without which
// deriving would take long.
var derivedHelpers = []string{"version_is_followed", "assignment_open"}

// checkDerived derives everything again, into temporary tables of the same names,
// which SQLite finds before those of the store; and compares.
func (v *verifier) checkDerived(ctx context.Context, tx *txn) error {
	if err := makeDerived(ctx, tx); err != nil {
		return err
	}
	err := newReplay(v.store, tx).all(ctx, func(done, total int64) { v.advance(derivedProgress, done, total) })
	matter := interpret(err)
	if err != nil && ctx.Err() == nil && !errors.Is(matter, ErrStatement) && (!isMatter(matter) || errors.Is(matter, ErrDamaged)) {
		// Evidence that was altered need not make sense.
		v.find("", "", "what is derived cannot be derived again: %v", err)
		return nil
	}
	if err != nil {
		return err
	}
	for _, table := range append([]string{"absence"}, derivedTables...) {
		if err := v.compareDerived(ctx, tx, table); err != nil {
			return err
		}
	}
	return tx.GetContext(ctx, &v.done.Versions, `SELECT count(*) FROM temp.version`) // nobody else does
}

// makeDerived makes the temporary tables.
func makeDerived(ctx context.Context, tx *txn) error {
	schema, err := fresh()
	if err != nil {
		return err
	}
	temporary := strings.NewReplacer("CREATE TABLE ", "CREATE TEMP TABLE ", "CREATE TRIGGER ", "CREATE TEMP TRIGGER ",
		"CREATE INDEX ", "CREATE INDEX temp.")
	script := "PRAGMA temp.cache_size = -8192;"
	for _, name := range append(append([]string{"absence"}, derivedTables...), derivedHelpers...) {
		script += temporary.Replace(schema.sql(name)) + ";"
	}
	_, err = tx.Tx.ExecContext(ctx, script+`
		INSERT INTO temp.absence (id, account_id, run_id, since, ended)
		SELECT id, account_id, run_id, since, iif(account_id IN (`+redactedAccounts+`), ended, NULL)
		FROM main.absence ORDER BY id;
		INSERT INTO temp.squid SELECT * FROM main.squid
		WHERE id IN (SELECT squid_id FROM main.assignment WHERE account_id IN (`+redactedAccounts+`));
		INSERT INTO temp.squid_name SELECT * FROM main.squid_name WHERE `+namedByRedacted("squid_name", redactedAccounts)+`;
		`+keptOfRedacted())
	return err
}

// keptOfRedacted copies what is derived of accounts that were redacted: it cannot be
// derived again, and is checked by its hash in the log.
func keptOfRedacted() (script string) {
	for _, table := range []string{"version", "change", "status_step", "assignment", "assignment_name", "head", "seen"} {
		script += `INSERT INTO temp.` + table + ` SELECT * FROM main.` + table + ` WHERE account_id IN (` + redactedAccounts + `) ORDER BY 1;`
	}
	return script
}

// compareDerived compares the rows of a table with those derived again.
func (v *verifier) compareDerived(ctx context.Context, tx *txn, table string) error {
	var columns []struct {
		Name string `db:"name"`
		Key  int    `db:"pk"`
	}
	if err := tx.SelectContext(ctx, &columns, `SELECT name, pk FROM pragma_table_info(?, 'temp')`, table); err != nil {
		return err
	}
	var stored, derived, match, differ, which []string
	for _, c := range columns {
		s, d := "s."+c.Name, "d."+c.Name
		if c.Key > 0 {
			stored, derived, match = append(stored, s), append(derived, d), append(match, d+" = "+s)
			continue
		}
		differ = append(differ, s+" IS NOT "+d)
		which = append(which, fmt.Sprintf("iif(%s IS NOT %s, '%s', NULL)", s, d, c.Name))
	}
	const key = " || ' ' || "
	same := strings.Join(match, " AND ")
	err := v.findRows(ctx, tx, table, `
		SELECT `+strings.Join(stored, key)+`, iif(`+derived[0]+` IS NULL, 'does not follow from the evidence',
			'is not as it is derived from the evidence: ' || concat_ws(', ', `+strings.Join(which, ", ")+`))
		FROM main.`+table+` s
		LEFT JOIN temp.`+table+` d ON `+same+`
		WHERE `+derived[0]+` IS NULL OR `+strings.Join(differ, " OR "))
	if err != nil {
		return err
	}
	return v.findRows(ctx, tx, table, `
		SELECT `+strings.Join(derived, key)+`, 'is missing'
		FROM temp.`+table+` d
		WHERE NOT EXISTS (SELECT 1 FROM main.`+table+` s WHERE `+same+`)`)
}
