package store

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// eraseIcons erases the icons that the account alone shows. The digest is one of
// the icon, and goes too.
func (r *redaction) eraseIcons(ctx context.Context, tx *txn, line *ledger.Redaction) error {
	const shows = `instr(d.body, '"sha256:' || lower(hex(icon.digest)) || '"') > 0`
	var icons []struct {
		ID     int64  `db:"id"`
		Digest []byte `db:"digest"`
	}
	err := tx.SelectContext(ctx, &icons, `
		SELECT icon.id AS id, icon.digest AS digest
		FROM icon
		WHERE EXISTS (SELECT 1 FROM document d WHERE d.account_id = ?1 AND `+shows+`)
			AND NOT EXISTS (SELECT 1 FROM document d WHERE d.account_id <> ?1 AND `+shows+`)
		ORDER BY icon.id`, r.ID)
	if err != nil {
		return err
	}
	for _, icon := range icons {
		hash := ledger.Salt(r.Salt).Message(string(icon.Digest))
		if err := r.keep(ctx, tx, "icon", icon.ID, hash); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE icon SET digest = ?, body = '' WHERE id = ?`, hash[:], icon.ID); err != nil {
			return err
		}
	}
	line.Icons = int64(len(icons))
	return nil
}

// eraseEvidence erases what commitments stand for now.
func (r *redaction) eraseEvidence(ctx context.Context, tx *txn, _ *ledger.Redaction) error {
	body := placeholder(r.Hash, r.done.Name)
	for _, erase := range []struct {
		query string
		args  []any
	}{
		{`UPDATE document SET body = ? WHERE account_id = ? AND body IS NOT NULL`, []any{body, r.ID}},
		{`UPDATE received SET digest = NULL
			WHERE account_id = ?1 AND response_id IN (SELECT id FROM redacted WHERE account_id = ?1 AND what = 'received')`, []any{r.ID}},
		{`DELETE FROM usage WHERE account_id = ?`, []any{r.ID}},
		{`UPDATE failure SET message = 'redacted', salt = x''
			WHERE id IN (SELECT id FROM redacted WHERE account_id = ? AND what = 'failure')`, []any{r.ID}},
		{`UPDATE account SET salt = x'' WHERE id = ?`, []any{r.ID}},
	} {
		if _, err := tx.ExecContext(ctx, erase.query, erase.args...); err != nil {
			return err
		}
	}
	return nil
}

// eraseDerived erases what was read out of the documents. A code stays: a short
// text of letters and digits that has none of the usernames (?2) in it.
func (r *redaction) eraseDerived(ctx context.Context, tx *txn, _ *ledger.Redaction) error {
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
	all := []any{r.ID, r.names, r.done.Name}
	for _, erase := range []struct {
		args  []any
		query string
	}{
		{all, `UPDATE version SET
			username = ?3,
			type = coalesce(` + code("type") + `, ''),
			status = ` + code("status") + `,
			status_code_info = ` + code("status_code_info") + `,
			status_code_description = NULL,
			last_synchronization_time = iif(last_synchronization_time GLOB '*[^0-9TZ:.+ -]*', NULL, last_synchronization_time)
		WHERE account_id = ?1`},
		{all[:2], `UPDATE change SET
			old = ` + value("old") + `,
			new = ` + value("new") + `,
			path = iif(kind IN ('field', 'schema', 'limit'), '', path)
		WHERE account_id = ?1`},
		{all[:2], `UPDATE status_step SET
			status_before = ` + code("status_before") + `,
			status_after = ` + code("status_after") + `,
			info_before = ` + code("info_before") + `,
			info_after = ` + code("info_after") + `
		WHERE account_id = ?1`},
		{all[:1], `UPDATE head SET
			list_digest = NULL, detail_digest = NULL,
			known = NULL, list_shape_id = NULL, detail_shape_id = NULL, reduced_shape_id = NULL, status_outdated = 0
		WHERE account_id = ?1`},
		{all[:1], `DELETE FROM counter WHERE account_id = ?1`},
	} {
		if _, err := tx.ExecContext(ctx, erase.query, erase.args...); err != nil {
			return err
		}
	}
	return nil
}

// leftRows are all rows that are left of an account that was redacted, and that do
// not follow from evidence any more. None of them changes afterwards.
var leftRows = []string{
	`SELECT 'account', id, workspace_id, hash, first_seen, hex(salt) FROM account WHERE id = ?1`,
	`SELECT 'redacted', what, id, hex(hash), 0, 0 FROM redacted WHERE account_id = ?1 ORDER BY what, id`,
	`SELECT 'document', id, source, response_id, body, 0 FROM document WHERE account_id = ?1 ORDER BY id`,
	`SELECT 'received', x.id, hex(r.digest), r.response_id IS NULL, 0, 0
		FROM redacted x LEFT JOIN received r ON r.response_id = x.id AND r.account_id = x.account_id
		WHERE x.account_id = ?1 AND x.what = 'received' ORDER BY x.id`,
	`SELECT 'failure', f.id, f.message, hex(f.salt), 0, 0
		FROM redacted x JOIN failure f ON f.id = x.id WHERE x.account_id = ?1 AND x.what = 'failure' ORDER BY f.id`,
	`SELECT 'icon', i.id, hex(i.digest), i.body, 0, 0
		FROM redacted x JOIN icon i ON i.id = x.id WHERE x.account_id = ?1 AND x.what = 'icon' ORDER BY i.id`,
	`SELECT 'usage', (SELECT count(*) FROM usage WHERE account_id = ?1), count(*), 0, 0, 0 FROM counter WHERE account_id = ?1`,
	`SELECT 'version', id, number, response_id, document_id,
		json_array(valid_from, valid_to, health, status, status_code_info, status_code_description, username, type,
			last_synchronization_time, locked_until, squid_count)
		FROM version WHERE account_id = ?1 ORDER BY id`,
	`SELECT 'change', id, version_id, kind, path, json_array(old, new, health_before, health_after, after, before)
		FROM change WHERE account_id = ?1 ORDER BY id`,
	`SELECT 'step', id, response_id, after, before,
		json_array(status_before, status_after, info_before, info_after, health_before, health_after)
		FROM status_step WHERE account_id = ?1 ORDER BY id`,
	`SELECT 'assignment', id, squid_id, from_after, from_before, json_array(to_after, to_before)
		FROM assignment WHERE account_id = ?1 ORDER BY id`,
	`SELECT 'own', id, name, 0, 0, 0 FROM assignment WHERE account_id = ?1 AND name <> '' ORDER BY id`,
	`SELECT 'own', assignment_id, name, until, 0, 0 FROM assignment_name WHERE account_id = ?1 ORDER BY assignment_id, until`,
	`SELECT 'absence', id, run_id, since, ended, 0 FROM absence WHERE account_id = ?1 ORDER BY id`,
	`SELECT 'head', version_id, status_step_id, health, gone, json_array(health_after, health_before, locked_until, absence_id,
		hex(list_digest), list_document_id, list_version_id, hex(detail_digest), detail_document_id, detail_version_id,
		hex(list_leaf), hex(detail_leaf))
		FROM head WHERE account_id = ?1`,
	`SELECT 'known', known, list_shape_id, detail_shape_id, reduced_shape_id, status_outdated FROM head
		WHERE account_id = ?1 AND (coalesce(known, list_shape_id, detail_shape_id, reduced_shape_id) IS NOT NULL OR status_outdated <> 0)`, // nothing is left
	`SELECT 'seen', list_response_id, detail_response_id, 0, 0, 0 FROM seen WHERE account_id = ?1`,
	`SELECT 'squid', id, workspace_id, hash, 0, 0 FROM squid
		WHERE id IN (SELECT squid_id FROM assignment WHERE account_id = ?1) ORDER BY id`,
	`SELECT 'name', q.squid_id, q.since, q.name, 0, 0 FROM squid_name q
		WHERE ` + namedByRedacted("q", "?1") + ` ORDER BY q.squid_id, q.since`,
}

// namedByRedacted is the condition under which a name of a squid may come from what
// an account showed that was redacted since.
func namedByRedacted(name, accounts string) string {
	return `EXISTS (
		SELECT 1
		FROM main.assignment g
		JOIN main.seen ON seen.account_id = g.account_id
		JOIN main.response r ON r.id = max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0))
		WHERE g.squid_id = ` + name + `.squid_id AND g.account_id IN (` + accounts + `) AND ` + name + `.since <= r.received_at
	)`
}

// leftOf is the hash over leftRows: SHA-256 of the values, each with its length in
// decimal digits and a colon before it, or a minus sign for NULL.
func leftOf(ctx context.Context, tx *txn, account int64) (left ledger.Hash, err error) {
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
		}, query, account)
		if err != nil {
			return left, err
		}
	}
	return ledger.Hash(h.Sum(nil)), nil
}
