package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"time"

	"github.com/jmoiron/sqlx"
)

// AccountQuery says which accounts to read, and as of when.
type AccountQuery struct {
	Workspace string
	Account   string    // id; "" for all
	At        time.Time // zero: now
	// Documents asks for the document of each account's version, as it is stored:
	// volatile values are null, the icon is a reference. See [Store.Document].
	Documents bool
}

// Accounts reads the accounts of a workspace as they were at a moment, gone ones
// included, by username and id. Those first seen later are left out.
func (s *Store) Accounts(ctx context.Context, q AccountQuery) iter.Seq2[AccountState, error] {
	query, args := accountsNow, []any{q.Workspace, q.Account, q.Documents}
	if !q.At.IsZero() {
		query, args = accountsAt, append(args, q.At.UnixMilli())
	}
	return rowsOf(ctx, s, query, args, accountRow.state)
}

// accountColumns are read from a, w, v (the version), step (the last status
// step), since (the step that made the health), first and the text columns
// seen_at, unlisted_since, versions and squids of each query.
const accountColumns = `
	w.name AS workspace,
	a.hash AS hash,
	v.username AS username,
	v.type AS type,
	v.status AS status,
	v.status_code_info AS info,
	v.status_code_description AS description,
	v.last_synchronization_time AS last_sync,
	v.locked_until AS locked_until,
	step.health_after AS health,
	v.number AS versions,
	(SELECT valid_from FROM version WHERE account_id = a.id AND number = 1) AS first_seen,
	CASE WHEN ?3 THEN (SELECT body FROM document WHERE id = v.document_id) END AS body,`

// sinceColumns are the window of the last step that changed the health.
func sinceColumns(until string) string {
	return `
	(
		SELECT json_array(t.after, t.before) FROM status_step t
		WHERE t.account_id = a.id AND t.health_before IS NOT t.health_after` + until + `
		ORDER BY t.before DESC, t.id DESC LIMIT 1
	) AS health_since,`
}

const squidsColumn = `
	(
		SELECT json_group_array(json_array(q.hash, (
			SELECT n.name FROM squid_name n WHERE n.squid_id = q.id AND n.since <= at.ms ORDER BY n.since DESC LIMIT 1
		)))
		FROM assignment g
		JOIN squid q ON q.id = g.squid_id
		WHERE g.account_id = a.id AND g.from_before <= at.ms AND (g.to_before IS NULL OR g.to_before > at.ms)
	) AS squids`

var accountsNow = `
	SELECT` + accountColumns + sinceColumns("") + `
		r.received_at AS seen_at,
		missing.since AS unlisted_since,` + squidsColumn + `
	FROM (SELECT 9223372036854775807 AS ms) at
	JOIN workspace w ON w.name = ?1
	JOIN account a ON a.workspace_id = w.id
	JOIN head h ON h.account_id = a.id
	JOIN version v ON v.id = h.version_id
	JOIN status_step step ON step.id = h.status_step_id
	JOIN seen ON seen.account_id = a.id
	JOIN response r ON r.id = max(coalesce(seen.list_response_id, 0), coalesce(seen.detail_response_id, 0))
	LEFT JOIN absence missing ON missing.id = h.absence_id
	WHERE (?2 = '' OR a.hash = ?2)
	ORDER BY v.username COLLATE NOCASE, a.hash`

// seenAt is the last snapshot at or before the moment. Most accounts are in the
// list before it, so the index of responses is walked backwards for a few steps.
const seenAt = `
	(
		SELECT r.received_at FROM response r
		JOIN snapshot s ON s.response_id = r.id AND s.account_id = a.id
		WHERE r.workspace_id = a.workspace_id AND r.received_at <= at.ms
			AND a.id BETWEEN r.account_min AND r.account_max
		ORDER BY r.received_at DESC LIMIT 1
	) AS seen_at,`

var accountsAt = `
	SELECT` + accountColumns + sinceColumns(" AND t.before <= at.ms") + seenAt + `
		(
			SELECT m.since FROM absence m
			WHERE m.account_id = a.id AND m.since <= at.ms AND (m.ended IS NULL OR m.ended > at.ms)
			ORDER BY m.since DESC LIMIT 1
		) AS unlisted_since,` + squidsColumn + `
	FROM (SELECT ?4 AS ms) at
	JOIN workspace w ON w.name = ?1
	JOIN account a ON a.workspace_id = w.id
	JOIN version v ON v.account_id = a.id AND v.number = (
		SELECT max(number) FROM version WHERE account_id = a.id AND valid_from <= at.ms
	)
	JOIN status_step step ON step.id = (
		SELECT id FROM status_step WHERE account_id = a.id AND before <= at.ms ORDER BY before DESC, id DESC LIMIT 1
	)
	WHERE (?2 = '' OR a.hash = ?2)
	ORDER BY v.username COLLATE NOCASE, a.hash`

type accountRow struct {
	Workspace     string         `db:"workspace"`
	Hash          string         `db:"hash"`
	Username      string         `db:"username"`
	Type          string         `db:"type"`
	Status        sql.NullString `db:"status"`
	Info          sql.NullString `db:"info"`
	Description   sql.NullString `db:"description"`
	LastSync      sql.NullString `db:"last_sync"`
	LockedUntil   sql.NullInt64  `db:"locked_until"`
	Health        Health         `db:"health"`
	Versions      int            `db:"versions"`
	FirstSeen     sql.NullInt64  `db:"first_seen"`
	HealthSince   string         `db:"health_since"`
	SeenAt        sql.NullInt64  `db:"seen_at"`
	UnlistedSince sql.NullInt64  `db:"unlisted_since"`
	Squids        string         `db:"squids"`
	Body          sql.NullString `db:"body"`
}

func (r accountRow) state() (AccountState, error) {
	var since [2]*int64
	var squids [][2]*string
	if err := json.Unmarshal([]byte(r.HealthSince), &since); err != nil {
		return AccountState{}, damagedRow("status_step of account "+r.Hash, err)
	}
	if err := json.Unmarshal([]byte(r.Squids), &squids); err != nil {
		return AccountState{}, damagedRow("assignment of account "+r.Hash, err)
	}
	state := AccountState{
		Workspace: r.Workspace, ID: r.Hash, Versions: r.Versions,
		Facts: Facts{
			Username: r.Username, Type: r.Type, Status: r.Status.String, Info: r.Info.String,
			Description: r.Description.String, LastSync: r.LastSync.String, Health: r.Health,
			LockedUntil: instant(r.LockedUntil), Squids: make([]Squid, 0, len(squids)),
		},
		HealthSince:   Window{After: instantPtr(since[0]), Before: instantPtr(since[1])},
		FirstSeen:     instant(r.FirstSeen),
		SeenAt:        instant(r.SeenAt),
		UnlistedSince: instant(r.UnlistedSince),
		Document:      rawOrNil(r.Body),
	}
	for _, q := range squids {
		state.Facts.Squids = append(state.Facts.Squids, Squid{ID: deref(q[0]), Name: deref(q[1])})
	}
	sortSquids(state.Facts.Squids)
	return state, nil
}

// Document reads the account object as the API last gave it at the moment, with
// the volatile values of that moment. The icon is left out unless asked for.
// It returns ErrNotFound for an account not known then, and nil for one that was
// gone.
func (s *Store) Document(ctx context.Context, q AccountQuery, withIcon bool) (document json.RawMessage, err error) {
	at := int64(1<<63 - 1)
	if !q.At.IsZero() {
		at = q.At.UnixMilli()
	}
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		var last struct {
			Account  int64          `db:"account_id"`
			Response int64          `db:"response_id"`
			Body     sql.NullString `db:"body"`
		}
		err := tx.GetContext(ctx, &last, `
			SELECT s.account_id AS account_id, s.response_id AS response_id, d.body AS body
			FROM account a
			JOIN workspace w ON w.id = a.workspace_id
			JOIN response r ON r.workspace_id = w.id
				AND r.received_at <= ? AND a.id BETWEEN r.account_min AND r.account_max
			JOIN snapshot s ON s.response_id = r.id AND s.account_id = a.id
			JOIN document d ON d.id = s.document_id
			WHERE w.name = ? AND a.hash = ?
			ORDER BY r.received_at DESC, r.id DESC LIMIT 1`, at, q.Workspace, q.Account)
		if err != nil || !last.Body.Valid {
			return err
		}
		values, err := countersAt(ctx, tx, last.Account, last.Response)
		if err != nil {
			return err
		}
		icon := func(digest string) (text string, err error) {
			err = tx.GetContext(ctx, &text, `SELECT body FROM icon WHERE lower(hex(digest)) = ?`, digest)
			return text, err
		}
		if !withIcon {
			icon = nil
		}
		document, err = restore([]byte(last.Body.String), values, icon)
		return err
	})
	return document, err
}

// countersAt reads the last volatile values up to a response, by pointer.
func countersAt(ctx context.Context, tx *sqlx.Tx, account, response int64) (map[string]json.RawMessage, error) {
	var rows []struct {
		Pointer string `db:"pointer"`
		Body    string `db:"body"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT u.pointer AS pointer, u.body AS body
		FROM usage u
		WHERE u.account_id = ?1 AND u.response_id = (
			SELECT max(response_id) FROM usage
			WHERE account_id = ?1 AND pointer = u.pointer AND response_id <= ?2
		)
		ORDER BY u.pointer`, account, response)
	values := make(map[string]json.RawMessage, len(rows))
	for _, row := range rows {
		values[row.Pointer] = json.RawMessage(row.Body)
	}
	return values, err
}
