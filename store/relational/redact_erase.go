package relational

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"

	"github.com/jmoiron/sqlx"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// codeCharacters are those of codes: what is left of a code without them is nothing.
const codeCharacters = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_. -`

// eraseDerived erases what was read out of the documents. A code stays: a short
// text of letters and digits that has none of the usernames (?2) in it.
func (r *redaction) eraseDerived(ctx context.Context, tx Tx) error {
	code := func(text string) string {
		return `CASE WHEN trim(` + text + `, '` + codeCharacters + `') = '' AND length(` + text + `) <= 64
			AND NOT EXISTS (SELECT 1 FROM texts(?2) n WHERE instr(lower(` + text + `), n.value) > 0) THEN ` + text + ` END`
	}
	// The value of a change is JSON. Of squids it is their name.
	value := func(column string) string {
		return `CASE
			WHEN kind IN ('squid_assigned', 'squid_unassigned', 'squid_renamed') THEN ` + column + `
			WHEN path IN ('/status', '/status_code_info') AND ` + code(`trim(`+column+`, '"')`) + ` IS NOT NULL THEN ` + column + `
		END`
	}
	all := []any{r.ID, r.names, r.done.Name, r.WS}
	for _, query := range []string{
		`UPDATE version SET
			username = CAST(?3 AS TEXT),
			type = coalesce(` + code("type") + `, ''),
			status = ` + code("status") + `,
			status_code_info = ` + code("status_code_info") + `,
			status_code_description = NULL,
			last_synchronization_time = CASE WHEN trim(last_synchronization_time, '0123456789TZ:.+ -') = '' THEN last_synchronization_time END
		WHERE account = ?1 AND ws = ?4 AND CAST(?3 AS TEXT) IS NOT NULL`,
		`UPDATE change SET
			old = ` + value("old") + `,
			new = ` + value("new") + `,
			path = CASE WHEN kind IN ('field', 'schema', 'limit') THEN '' ELSE path END
		WHERE account = ?1 AND ws = ?4 AND CAST(?3 AS TEXT) IS NOT NULL`,
		`UPDATE status_step SET
			status_before = ` + code("status_before") + `,
			status_after = ` + code("status_after") + `,
			info_before = ` + code("info_before") + `,
			info_after = ` + code("info_after") + `
		WHERE account = ?1 AND ws = ?4 AND CAST(?3 AS TEXT) IS NOT NULL`,
	} {
		if err := tx.Exec(ctx, query, all...); err != nil {
			return err
		}
	}
	return nil
}

// leftRows are all rows that are left of an account that was redacted, and that do not
// follow from evidence any more. None of them changes afterwards. The changes of an
// account have no index: all of them are read, also those that belong to no version.
var leftRows = []string{
	`SELECT 'account', id, hash, first_at, salt FROM account WHERE ws = ?1 AND id = ?2`,
	`SELECT 'redacted', what, part, at, hash FROM redacted WHERE ws = ?1 AND account = ?2 ORDER BY what, part, at`,
	`SELECT 'failure', f.run, f.n, f.message, f.salt
		FROM redacted x JOIN failure f ON f.ws = x.ws AND f.run = x.part AND f.n = x.at
		WHERE x.ws = ?1 AND x.account = ?2 AND x.what = 'failure' ORDER BY f.run, f.n`,
	`SELECT 'erased', (SELECT count(*) FROM fact WHERE ws = ?1 AND account = ?2), (SELECT count(*) FROM usage WHERE ws = ?1 AND account = ?2),
		(SELECT count(*) FROM body WHERE ws = ?1 AND account = ?2), (SELECT count(*) FROM counter WHERE ws = ?1 AND account = ?2)`,
	`SELECT 'version', at, until, number, endpoint,
		health, status, status_code_info, status_code_description, username, type, last_synchronization_time, locked_until, squid_count
		FROM version WHERE ws = ?1 AND account = ?2 ORDER BY at`,
	`SELECT 'change', at, n, kind, path, old, new, health_before, health_after, after
		FROM change WHERE ws = ?1 AND account = ?2 ORDER BY at, n`,
	`SELECT 'step', at, after, status_before, status_after, info_before, info_after, health_before, health_after
		FROM status_step WHERE ws = ?1 AND account = ?2 ORDER BY at`,
	`SELECT 'assignment', squid, from_after, from_before, to_after, to_before
		FROM assignment WHERE ws = ?1 AND account = ?2 ORDER BY squid, from_before`,
	`SELECT 'name', squid, at, name FROM squid_name WHERE ws = ?1 AND account = ?2 ORDER BY squid, at`,
	`SELECT 'absence', since, run, ended FROM absence WHERE ws = ?1 AND account = ?2 ORDER BY since`,
	`SELECT 'state', latest, gone, health, health_after, health_before, locked_until, absent_since, known, outdated, dropped
		FROM state WHERE ws = ?1 AND account = ?2`,
	`SELECT 'said', endpoint, digest, leaf, document_at FROM said WHERE ws = ?1 AND account = ?2 ORDER BY endpoint`,
}

// leftOf is the hash over leftRows: SHA-256 of the values, each with its length in
// decimal digits and a colon before it, or a minus sign for NULL.
func leftOf(ctx context.Context, tx Tx, ws, account int64) (left ledger.Hash, err error) {
	h := sha256.New()
	for _, query := range leftRows {
		rows, err := tx.QueryxContext(ctx, query, ws, account)
		if err != nil {
			return left, err
		}
		if err := hashRows(h, rows); err != nil {
			return left, err
		}
	}
	return ledger.Hash(h.Sum(nil)), nil
}

// hashRows writes the values of rows.
func hashRows(h io.Writer, rows *sqlx.Rows) error {
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, to := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		to[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		for _, value := range values {
			if value.Valid {
				fmt.Fprintf(h, "%d:%s", len(value.String), value.String)
			} else {
				fmt.Fprint(h, "-")
			}
		}
	}
	return rows.Err()
}
