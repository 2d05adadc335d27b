package store

import (
	"context"
	"database/sql"
	"errors"
	"iter"
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
// two moments, by username. The account, unless empty, is the only one looked at.
func (s *Store) Pairs(ctx context.Context, workspace, account string, from, to time.Time) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		accounts, err := s.changedBetween(ctx, workspace, account, from, to)
		if err != nil {
			yield(Pair{}, err)
			return
		}
		for _, a := range accounts {
			pair, err := s.pair(ctx, workspace, a, from, to)
			if !yield(pair, err) || err != nil {
				return
			}
		}
	}
}

// changedBetween lists ids and usernames of accounts with changes in the period.
func (s *Store) changedBetween(ctx context.Context, workspace, account string, from, to time.Time) (found []Name, err error) {
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &found, `
			SELECT a.hash AS id, v.username AS name
			FROM account a
			JOIN version v ON v.account_id = a.id AND v.number = (
				SELECT max(number) FROM version WHERE account_id = a.id AND valid_from <= ?4
			)
			WHERE a.id IN (SELECT account_id FROM change WHERE before > ?3 AND before <= ?4)
				AND a.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND (?2 = '' OR a.hash = ?2)
			ORDER BY v.username COLLATE NOCASE, a.hash`, workspace, account, from.UnixMilli(), to.UnixMilli())
	})
	return found, err
}

func (s *Store) pair(ctx context.Context, workspace string, a Name, from, to time.Time) (pair Pair, err error) {
	pair = Pair{Account: a.ID, Username: a.Name}
	if pair.Old, err = s.State(ctx, workspace, a.ID, from); err != nil && !errors.Is(err, ErrNotFound) {
		return pair, err
	}
	if pair.New, err = s.State(ctx, workspace, a.ID, to); err != nil {
		return pair, err
	}
	q := ChangeQuery{Workspace: workspace, Account: a.ID, Since: from, Until: to}
	for change, err := range s.Changes(ctx, q) {
		if err != nil {
			return pair, err
		}
		pair.Changes = append(pair.Changes, change)
	}
	return pair, nil
}

// State reads everything known of the account in the version that held at the
// moment (zero: now). It returns ErrNotFound when it was not known then.
func (s *Store) State(ctx context.Context, workspace, account string, at time.Time) (state State, err error) {
	ms := int64(1<<63 - 1)
	if !at.IsZero() {
		ms = at.UnixMilli()
	}
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		state, err = stateAt(ctx, tx, workspace, account, ms)
		return err
	})
	return state, err
}

// stateAt reads the state of the version that held at the moment. Its instant is
// that of the version's first snapshot: a lock that ran out since then has ended
// only when a snapshot showed it, which began another version.
func stateAt(ctx context.Context, tx *sqlx.Tx, workspace, account string, ms int64) (State, error) {
	var held struct {
		Account int64         `db:"account_id"`
		From    sql.NullInt64 `db:"valid_from"`
		Latest  Source        `db:"latest"`
		Health  Health        `db:"health"`
		Began   int64         `db:"began"` // the response that last said gone
		Ended   int64         `db:"ended"` // the response that began the next version
	}
	err := tx.GetContext(ctx, &held, `
		SELECT
			v.account_id AS account_id,
			v.valid_from AS valid_from,
			d.source AS latest,
			v.health AS health,
			coalesce((
				SELECT max(g.response_id) FROM version g
				WHERE g.account_id = v.account_id AND g.number < v.number AND g.health = 'gone'
			), 0) AS began,
			coalesce((
				SELECT n.response_id FROM version n WHERE n.account_id = v.account_id AND n.number = v.number + 1
			), 9223372036854775807) AS ended
		FROM workspace w
		JOIN account a ON a.workspace_id = w.id
		JOIN version v ON v.account_id = a.id
		JOIN document d ON d.id = v.document_id
		WHERE w.name = ? AND a.hash = ? AND v.valid_from <= ?
		ORDER BY v.number DESC LIMIT 1`, workspace, account, ms)
	if err != nil {
		return State{}, err
	}
	state := State{At: instant(held.From)}
	if held.Health == Gone {
		state.Gone = true
		return state, nil
	}
	if state.Latest = List; held.Latest == Detail {
		state.Latest = Detail
	}
	if state.List, err = documentAt(ctx, tx, held.Account, held.Began, held.Ended, false); err != nil {
		return State{}, err
	}
	if state.Detail, err = documentAt(ctx, tx, held.Account, held.Began, held.Ended, true); err != nil {
		return State{}, err
	}
	counters, err := countersAt(ctx, tx, held.Account, held.Ended-1)
	state.ResetsIn = counters["/resets_in"]
	return state, err
}

// documentAt reads the last document of one endpoint after one response and
// before another; nil when there is none.
func documentAt(ctx context.Context, tx *sqlx.Tx, account, after, before int64, detail bool) ([]byte, error) {
	var body sql.NullString
	err := tx.GetContext(ctx, &body, `
		SELECT body FROM document
		WHERE account_id = ? AND response_id > ? AND response_id < ? AND (source = 'detail') = ?
		ORDER BY response_id DESC LIMIT 1`, account, after, before, detail)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return rawOrNil(body), err
}

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
