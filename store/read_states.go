package store

import (
	"context"
	"database/sql"
	"iter"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// Pair is one account at two moments.
type Pair struct {
	Account, Username string // the username as of the later moment
	// Old and New are the states that held at each moment; a zero Old means that
	// the account was not known then.
	Old, New State
	// Changes are those noticed after the first and up to the second moment, in
	// order; at least one.
	Changes []AccountChange
}

// Pairs streams the accounts of a workspace in which something changed between
// two moments, by username and id. The account, unless empty, is the only one
// looked at.
func (s *Store) Pairs(ctx context.Context, workspace, account string, from, to time.Time) iter.Seq2[Pair, error] {
	args := []any{workspace, account, from.UnixMilli(), to.UnixMilli()}
	return func(yield func(Pair, error) bool) {
		next, stop := iter.Pull2(rowsOf(ctx, s, changesByAccount, args, changeRow.change))
		defer stop()
		change, err, more := next()
		for pair, failed := range rowsOf(ctx, s, pairQuery, args, pairRow.pair) {
			for more && err == nil && change.Account == pair.Account {
				pair.Changes = append(pair.Changes, change)
				change, err, more = next()
			}
			if failed == nil {
				failed = err
			}
			if !yield(pair, failed) || failed != nil {
				return
			}
		}
	}
}

// changesByAccount are the changes between two moments in the order of pairQuery.
const changesByAccount = `
	SELECT
		named.username AS username,` + changeColumns + `
	FROM change c
	CROSS JOIN account a ON a.id = c.account_id
	CROSS JOIN version v ON v.id = c.version_id
	CROSS JOIN response r ON r.id = v.response_id
	CROSS JOIN version named ON named.id = (
		SELECT id FROM version WHERE account_id = a.id AND valid_from <= ?4
		ORDER BY valid_from DESC, id DESC LIMIT 1
	)
	WHERE c.before > ?3 AND c.before <= ?4
		AND a.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND (?2 = '' OR a.hash = ?2)
	ORDER BY named.username COLLATE NOCASE, a.hash, c.before, c.id`

// pairQuery reads the states at two moments of the accounts that changed between.
var pairQuery = `
	WITH
	changed (account_id) AS MATERIALIZED (
		SELECT DISTINCT c.account_id
		FROM change c
		CROSS JOIN account a ON a.id = c.account_id
		WHERE c.before > ?3 AND c.before <= ?4
			AND a.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND (?2 = '' OR a.hash = ?2)
	),
	old AS MATERIALIZED (` + heldAt("?3") + `),
	new AS MATERIALIZED (` + heldAt("?4") + `)
	SELECT
		a.hash AS account,
		new.username AS username,
		` + heldColumns("old") + `,
		` + heldColumns("new") + `
	FROM new
	CROSS JOIN account a ON a.id = new.account_id
	LEFT JOIN old ON old.account_id = new.account_id
	ORDER BY new.username COLLATE NOCASE, a.hash`

// heldAt finds the version that each changed account was in at a moment, and the
// responses between which its documents lie: after the one that last said gone,
// and before the one that began the next version.
func heldAt(moment string) string {
	return `
		SELECT
			v.account_id AS account_id,
			v.username AS username,
			v.valid_from AS valid_from,
			v.health AS health,
			d.source AS latest,
			coalesce((
				SELECT max(g.response_id) FROM version g
				WHERE g.account_id = v.account_id AND g.number < v.number AND g.health = 'gone'
			), 0) AS began,
			coalesce((
				SELECT n.response_id FROM version n WHERE n.account_id = v.account_id AND n.number = v.number + 1
			), 9223372036854775807) AS ended
		FROM changed
		CROSS JOIN version v ON v.id = (
			SELECT id FROM version WHERE account_id = changed.account_id AND valid_from <= ` + moment + `
			ORDER BY valid_from DESC, id DESC LIMIT 1
		)
		CROSS JOIN document d ON d.id = v.document_id`
}

// heldColumns are what a state is made of.
func heldColumns(held string) string {
	document := func(condition string) string {
		return `(
			SELECT body FROM document
			WHERE account_id = ` + held + `.account_id AND response_id > ` + held + `.began
				AND response_id < ` + held + `.ended AND ` + condition + `
			ORDER BY response_id DESC LIMIT 1
		)`
	}
	return held + `.valid_from AS "` + held + `.valid_from",
		` + held + `.health AS "` + held + `.health",
		` + held + `.latest AS "` + held + `.latest",
		` + document("source <> 'detail'") + ` AS "` + held + `.list",
		` + document("source = 'detail'") + ` AS "` + held + `.detail"`
}

type pairRow struct {
	Account  string  `db:"account"`
	Username string  `db:"username"`
	Old      heldRow `db:"old"`
	New      heldRow `db:"new"`
}

type heldRow struct {
	From   sql.NullInt64  `db:"valid_from"`
	Health sql.NullString `db:"health"`
	Latest sql.NullString `db:"latest"`
	List   sql.NullString `db:"list"`
	Detail sql.NullString `db:"detail"`
}

func (r pairRow) pair() (Pair, error) {
	return Pair{Account: r.Account, Username: r.Username, Old: r.Old.state(), New: r.New.state()}, nil
}

// state is the state of a version. Its instant is that of the version's first
// snapshot: a lock that ran out since then has ended only when a snapshot showed
// it, which began another version.
func (r heldRow) state() State {
	state := State{At: instant(r.From)}
	switch {
	case !r.From.Valid:
	case Health(r.Health.String) == Gone:
		state.Gone = true
	default:
		state.List, state.Detail = rawOrNil(r.List), rawOrNil(r.Detail)
		if state.Latest = List; Source(r.Latest.String) == Detail {
			state.Latest = Detail
		}
	}
	return state
}

// State reads what is known of the account in the version that held at the
// moment (zero: now), without volatile values. It returns ErrNotFound when it was
// not known then.
func (s *Store) State(ctx context.Context, workspace, account string, at time.Time) (State, error) {
	ms := int64(1<<63 - 1)
	if !at.IsZero() {
		ms = at.UnixMilli()
	}
	var row heldRow
	err := s.view(ctx, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &row, stateQuery, workspace, account, ms)
	})
	return row.state(), err
}

var stateQuery = `
	WITH
	changed (account_id) AS (
		SELECT a.id FROM account a JOIN workspace w ON w.id = a.workspace_id WHERE w.name = ?1 AND a.hash = ?2
	),
	held AS (` + heldAt("?3") + `)
	SELECT ` + strings.ReplaceAll(heldColumns("held"), `"held.`, `"`) + `
	FROM held`

// RunEnd is the moment up to which a run has seen the workspace: when its last
// response was received, or when it began if it received none. It returns
// ErrNotFound when the workspace has no such run.
func (s *Store) RunEnd(ctx context.Context, workspace string, id int64) (end time.Time, err error) {
	var ms sql.NullInt64
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &ms, `
			SELECT coalesce((SELECT max(received_at) FROM response WHERE run_id = r.id), r.started_at)
			FROM run r
			JOIN workspace w ON w.id = r.workspace_id
			WHERE w.name = ? AND r.id = ?`, workspace, id)
	})
	return instant(ms), err
}
