package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// Pair is one account at two moments.
type Pair struct {
	Account, Username string // the username as of the later moment
	// Changes are those noticed after the first and up to the second moment, in
	// order; at least one.
	Changes []AccountChange
	// OneStep says that all of them were noticed at once, and that what was compared
	// then is all there is: they are the difference between the two moments, and the
	// states are not read.
	OneStep bool
	// Old and New are the states that held at each moment; a zero Old means that
	// the account was not known then.
	Old, New State

	id int64
}

// Pairs streams the accounts of a workspace in which something changed between
// two moments, by username and id. The account, unless empty, is the only one
// looked at.
func (s *Store) Pairs(ctx context.Context, workspace, account string, from, to time.Time) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		err := s.view(ctx, func(tx *sqlx.Tx) error {
			pairs, err := changedBetween(ctx, tx, workspace, account, from, to)
			if err != nil {
				return err
			}
			for some := range slices.Chunk(pairs, statesAtOnce) {
				if err := readStates(ctx, tx, some, from, to); err != nil {
					return err
				}
				for i := range some {
					if !yield(some[i], nil) {
						return nil
					}
					some[i] = Pair{} // documents are large
				}
			}
			return nil
		})
		if err != nil {
			yield(Pair{}, err)
		}
	}
}

// statesAtOnce bounds the memory that documents take.
const statesAtOnce = 256

// changedBetween reads the changes between two moments, those of each account
// together.
func changedBetween(ctx context.Context, tx *sqlx.Tx, workspace, account string, from, to time.Time) (pairs []Pair, err error) {
	var rows []struct {
		changeRow
		AccountID int64 `db:"account_id"`
		VersionID int64 `db:"version_id"`
		Whole     bool  `db:"whole"`
	}
	err = tx.SelectContext(ctx, &rows, changesByAccount, workspace, account, from.UnixMilli(), to.UnixMilli())
	for i, row := range rows {
		change, err := row.change()
		if err != nil {
			return nil, err
		}
		if i == 0 || rows[i-1].AccountID != row.AccountID {
			pairs = append(pairs, Pair{Account: row.Account, Username: row.Username, OneStep: row.Whole, id: row.AccountID})
		} else if rows[i-1].VersionID != row.VersionID {
			pairs[len(pairs)-1].OneStep = false
		}
		pair := &pairs[len(pairs)-1]
		pair.Changes = append(pair.Changes, change)
		// What resets_in told of a lock is in the history and not in the states.
		if change.HealthBefore == Locked || change.HealthAfter == Locked {
			pair.OneStep = false
		}
	}
	return pairs, err
}

// changesByAccount are the changes between two moments. whole: no document was stored
// in the version before, or in the one that the change began, but when each began.
const changesByAccount = `
	SELECT
		c.account_id AS account_id,
		c.version_id AS version_id,
		NOT EXISTS (
			SELECT 1 FROM document
			WHERE account_id = c.account_id AND response_id <> v.response_id
				AND response_id > coalesce((
					SELECT response_id FROM version WHERE account_id = c.account_id AND number = v.number - 1
				), 0)
				AND response_id < coalesce((
					SELECT response_id FROM version WHERE account_id = c.account_id AND number = v.number + 1
				), 9223372036854775807)
		) AS whole,
		named.username AS username,` + changeColumns + `
	FROM change c
	CROSS JOIN account a ON a.id = c.account_id
	CROSS JOIN version v ON v.id = c.version_id
	CROSS JOIN response r ON r.id = v.response_id
	CROSS JOIN version named ON named.id = (
		SELECT id FROM version WHERE account_id = a.id AND valid_from <= ?4
		ORDER BY valid_from DESC, number DESC LIMIT 1
	)
	WHERE c.before > ?3 AND c.before <= ?4
		AND a.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND (?2 = '' OR a.hash = ?2)
	ORDER BY named.username COLLATE NOCASE, a.hash, c.before, c.id`

// readStates reads the states of those that need them.
func readStates(ctx context.Context, tx *sqlx.Tx, pairs []Pair, from, to time.Time) error {
	byID := map[int64]*Pair{}
	var ids []int64
	for i := range pairs {
		if pair := &pairs[i]; !pair.OneStep {
			byID[pair.id], ids = pair, append(ids, pair.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	list, _ := json.Marshal(ids) // of numbers
	var rows []pairRow
	err := tx.SelectContext(ctx, &rows, statesAtBoth, string(list), from.UnixMilli(), to.UnixMilli())
	for _, row := range rows {
		pair := byID[row.AccountID]
		pair.Old, pair.New = row.Old.state(), row.New.state()
	}
	return err
}

// statesAtBoth reads the states at two moments of accounts.
var statesAtBoth = `
	WITH
	changed (account_id) AS MATERIALIZED (SELECT value FROM json_each(?1)),
	old AS MATERIALIZED (` + heldAt("?2") + `),
	new AS MATERIALIZED (` + heldAt("?3") + `)
	SELECT
		new.account_id AS account_id,
		` + heldColumns("old") + `,
		` + heldColumns("new") + `
	FROM new
	LEFT JOIN old ON old.account_id = new.account_id`

// heldAt finds the version that each changed account was in at a moment, and the
// responses between which its documents lie: after the one that last said gone,
// and before the one that began the next version.
func heldAt(moment string) string {
	return `
		SELECT
			v.account_id AS account_id,
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
			ORDER BY valid_from DESC, number DESC LIMIT 1
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
	AccountID int64   `db:"account_id"`
	Old       heldRow `db:"old"`
	New       heldRow `db:"new"`
}

type heldRow struct {
	From   sql.NullInt64  `db:"valid_from"`
	Health sql.NullString `db:"health"`
	Latest sql.NullString `db:"latest"`
	List   sql.NullString `db:"list"`
	Detail sql.NullString `db:"detail"`
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
