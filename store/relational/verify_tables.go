package relational

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"
)

// workspaceTables are all tables whose rows are of a workspace.
var workspaceTables = []string{
	"run", "response", "account", "shown", "name", "value", "fact", "icon", "usage", "absence", "failure", "entry", "redacted",
	"version", "change", "status_step", "squid", "squid_name", "assignment", "state", "said", "body", "counter",
}

// checkWorkspaces: they are numbered from 1 on, and no row is of another one. What of their rows does not follow from responses is checked here.
func (v *verifier) checkWorkspaces(ctx context.Context, tx Tx) error {
	err := v.findRows(ctx, tx, "workspace", `
		SELECT id, 'is out of sequence' FROM workspace WHERE id NOT BETWEEN 1 AND (SELECT count(*) FROM workspace)`)
	for _, table := range slices.Concat(workspaceTables, alertTables) {
		if err == nil {
			// From key to key: what it costs grows with the workspaces.
			err = v.findRows(ctx, tx, table, `
				WITH RECURSIVE used (ws) AS (
					SELECT min(ws) FROM `+table+`
					UNION ALL
					SELECT (SELECT min(ws) FROM `+table+` WHERE ws > used.ws) FROM used WHERE used.ws IS NOT NULL
				)
				SELECT 'workspace ' || ws, 'there is no such workspace' FROM used WHERE ws IS NOT NULL AND ws NOT IN (SELECT id FROM workspace)`)
		}
	}
	if err != nil {
		return err
	}
	for _, w := range v.workspaces {
		for _, check := range ownChecks {
			if err := v.findOwn(ctx, tx, w, check.table, check.query); err != nil {
				return err
			}
		}
		if err := v.checkAlerts(ctx, tx, w); err != nil {
			return err
		}
		for _, table := range []string{"value", "icon"} {
			if err := v.checkDigests(ctx, tx, w, table); err != nil {
				return err
			}
		}
	}
	return nil
}

// findOwn finds the rows of the workspace ?1 that the query returns, each with its problem.
func (v *verifier) findOwn(ctx context.Context, tx Tx, w workspaceRow, table, query string) error {
	return Each(ctx, tx, query, []any{w.ID}, func(scan func(...any) error) error {
		var row, problem string
		err := scan(&row, &problem)
		if err == nil {
			v.find(table, v.rowIn(w.Name, row), "%s", problem)
		}
		return err
	})
}

// ownChecks find rows of the workspace ?1, each with its problem. Names, values and icons
// are kept once, and are used; counters stand where they last moved.
var ownChecks = []struct{ table, query string }{
	{"name", `
		SELECT id, 'no fact and no counter has it' FROM name
		WHERE ws = ?1 AND (id < 1 OR id NOT IN (SELECT name FROM fact WHERE ws = ?1 UNION SELECT name FROM usage WHERE ws = ?1))
		ORDER BY id`},
	{"value", `
		SELECT id, 'no fact has it' FROM value
		WHERE ws = ?1 AND (id < 1 OR id NOT IN (SELECT value_id FROM fact WHERE ws = ?1 AND value_id IS NOT NULL))
		ORDER BY id`},
	{"icon", `
		SELECT lowerhex(digest), 'no document has it' FROM icon
		WHERE ws = ?1 AND '"sha256:' || lowerhex(digest) || '"' NOT IN (SELECT body FROM value WHERE ws = ?1 AND length(body) = 73)
		ORDER BY digest`},
	{"icon", `
		SELECT DISTINCT substr(v.body, 9, 64), 'it is missing: a document has it'
		FROM name n
		JOIN fact f ON f.ws = n.ws AND f.name = n.id
		JOIN value v ON v.ws = f.ws AND v.id = f.value_id
		WHERE n.ws = ?1 AND n.top = 'icon' AND n.sub = '' AND v.body LIKE '"sha256:%'
			AND NOT EXISTS (SELECT 1 FROM icon i WHERE i.ws = ?1 AND lowerhex(i.digest) = substr(v.body, 9, 64))`},
	{"squid", `
		SELECT id, 'it is out of sequence' FROM squid
		WHERE ws = ?1 AND id NOT BETWEEN 1 AND (SELECT count(*) FROM squid WHERE ws = ?1)
		ORDER BY id`},
	{"counter", `
		SELECT 'account ' || c.account || ', name ' || c.name || ', at ' || c.at, 'it did not move then, or moved later'
		FROM counter c
		WHERE c.ws = ?1 AND c.at IS DISTINCT FROM (
			SELECT u.at FROM usage u WHERE u.ws = c.ws AND u.account = c.account AND u.name = c.name ORDER BY u.at DESC LIMIT 1
		)
		ORDER BY c.account, c.name`},
	// Of a run that has not ended, the log has no counts.
	{"run", `
		SELECT r.id, 'its counts are not those of its responses and failures'
		FROM run r
		LEFT JOIN (
			SELECT run, min(at) AS first_at, max(at) AS last_at, sum(changed) AS changed, sum(shown - absent - changed) AS unchanged, sum(gone) AS gone
			FROM response
			WHERE ws = ?1 AND run IN (SELECT id FROM run WHERE ws = ?1 AND state = 'running')
			GROUP BY run
		) x ON x.run = r.id
		WHERE r.ws = ?1 AND r.state = 'running' AND (
			r.first_at IS DISTINCT FROM x.first_at OR r.last_at IS DISTINCT FROM x.last_at OR r.changed <> coalesce(x.changed, 0)
			OR r.unchanged <> coalesce(x.unchanged, 0) OR r.gone <> coalesce(x.gone, 0)
			OR r.failed <> (SELECT count(*) FROM failure WHERE ws = r.ws AND run = r.id)
		)
		ORDER BY r.id`},
}

// checkDigests compares the digests of texts that are kept once.
func (v *verifier) checkDigests(ctx context.Context, tx Tx, w workspaceRow, table string) error {
	key := "lowerhex(digest)"
	if table == "value" {
		key = "id"
	}
	return Each(ctx, tx, `SELECT `+key+`, digest, body FROM `+table+` WHERE ws = ? ORDER BY 1`, []any{w.ID}, func(scan func(...any) error) error {
		var row string
		var digest, text []byte
		if err := scan(&row, &digest, &text); err != nil {
			return err
		}
		if sum := sha256.Sum256(text); !bytes.Equal(sum[:], digest) {
			v.find(table, v.rowIn(w.Name, row), "the digest does not match the content")
		}
		return nil
	})
}
