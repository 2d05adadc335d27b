package sqlite

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// eraseDerived erases what was read out of the documents. A code stays: a short
// text of letters and digits that has none of the usernames (?2) in it.
func (r *redaction) eraseDerived(ctx context.Context, tx *txn) error {
	code := func(text string) string {
		return `iif(` + text + ` GLOB '*[^A-Za-z0-9_. -]*' OR length(` + text + `) > 64
			OR EXISTS (SELECT 1 FROM json_each(?2) n WHERE instr(lower(` + text + `), n.value) > 0), NULL, ` + text + `)`
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
			username = ?3,
			type = coalesce(` + code("type") + `, ''),
			status = ` + code("status") + `,
			status_code_info = ` + code("status_code_info") + `,
			status_code_description = NULL,
			last_synchronization_time = iif(last_synchronization_time GLOB '*[^0-9TZ:.+ -]*', NULL, last_synchronization_time)
		WHERE account = ?1 AND ws = ?4 AND ?3 = ?3`,
		`UPDATE change SET
			old = ` + value("old") + `,
			new = ` + value("new") + `,
			path = iif(kind IN ('field', 'schema', 'limit'), '', path)
		WHERE account = ?1 AND ws = ?4 AND ?3 = ?3`,
		`UPDATE status_step SET
			status_before = ` + code("status_before") + `,
			status_after = ` + code("status_after") + `,
			info_before = ` + code("info_before") + `,
			info_after = ` + code("info_after") + `
		WHERE account = ?1 AND ws = ?4 AND ?3 = ?3`,
	} {
		if _, err := tx.ExecContext(ctx, query, all...); err != nil {
			return err
		}
	}
	return nil
}

// leftRows are all rows that are left of an account that was redacted, and that do not
// follow from evidence any more. None of them changes afterwards.
var leftRows = []string{
	`SELECT 'account', id, hash, first_at, hex(salt), '' FROM account WHERE ws = ?1 AND id = ?2`,
	`SELECT 'redacted', what, part, at, hex(hash), '' FROM redacted WHERE ws = ?1 AND account = ?2 ORDER BY what, part, at`,
	`SELECT 'failure', f.run, f.n, f.message, hex(f.salt), ''
		FROM redacted x JOIN failure f ON f.ws = x.ws AND f.run = x.part AND f.n = x.at
		WHERE x.ws = ?1 AND x.account = ?2 AND x.what = 'failure' ORDER BY f.run, f.n`,
	`SELECT 'erased', (SELECT count(*) FROM fact WHERE ws = ?1 AND account = ?2), (SELECT count(*) FROM usage WHERE ws = ?1 AND account = ?2),
		(SELECT count(*) FROM body WHERE ws = ?1 AND account = ?2), (SELECT count(*) FROM counter WHERE ws = ?1 AND account = ?2), ''`,
	`SELECT 'version', at, until, number, endpoint,
		json_array(health, status, status_code_info, status_code_description, username, type, last_synchronization_time, locked_until,
			squid_count)
		FROM version WHERE ws = ?1 AND account = ?2 ORDER BY at`,
	`SELECT 'change', at, n, kind, path, json_array(old, new, health_before, health_after, after)
		FROM change WHERE ws = ?1 AND account = ?2 ORDER BY at, n`,
	`SELECT 'step', at, after, status_before, status_after, json_array(info_before, info_after, health_before, health_after)
		FROM status_step WHERE ws = ?1 AND account = ?2 ORDER BY at`,
	`SELECT 'assignment', squid, from_after, from_before, to_after, to_before
		FROM assignment WHERE ws = ?1 AND account = ?2 ORDER BY squid, from_before`,
	`SELECT 'name', squid, at, name, '', '' FROM squid_name WHERE ws = ?1 AND account = ?2 ORDER BY squid, at`,
	`SELECT 'absence', since, run, ended, '', '' FROM absence WHERE ws = ?1 AND account = ?2 ORDER BY since`,
	`SELECT 'state', latest, gone, health, health_after, json_array(health_before, locked_until, absent_since, known, outdated, dropped)
		FROM state WHERE ws = ?1 AND account = ?2`,
	`SELECT 'said', endpoint, hex(digest), hex(leaf), document_at, '' FROM said WHERE ws = ?1 AND account = ?2 ORDER BY endpoint`,
}

// leftOf is the hash over leftRows: SHA-256 of the values, each with its length in
// decimal digits and a colon before it, or a minus sign for NULL.
func leftOf(ctx context.Context, tx *txn, ws, account int64) (left ledger.Hash, err error) {
	h := sha256.New()
	var row [6]*string
	for _, query := range leftRows {
		err := tx.each(ctx, func(scan func(...any) error) error {
			if err := scan(&row[0], &row[1], &row[2], &row[3], &row[4], &row[5]); err != nil {
				return err
			}
			for _, value := range row {
				if value == nil {
					fmt.Fprint(h, "-")
					continue
				}
				fmt.Fprintf(h, "%d:%s", len(*value), *value)
			}
			return nil
		}, query, ws, account)
		if err != nil {
			return left, err
		}
	}
	return ledger.Hash(h.Sum(nil)), nil
}
