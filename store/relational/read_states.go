package relational

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/fold"
)

// Pairs streams the accounts of a workspace in which something changed between two
// moments, by username and id. The account, unless empty, is the only one looked at.
// Nothing that was received after the later moment has a part in it.
func (s *Store) Pairs(ctx context.Context, workspace, account string, from, to time.Time) iter.Seq2[store.Pair, error] {
	return func(yield func(store.Pair, error) bool) {
		err := s.db.Read(ctx, func(tx Tx) error {
			ws, err := WorkspaceID(ctx, tx, workspace)
			if err != nil {
				return err
			}
			pairs, numbers, err := changedBetween(ctx, tx, ws, account, from, to)
			if err != nil {
				return err
			}
			for i, pair := range pairs {
				if pair.NeedsStates() {
					if pair.Old, pair.New, err = statesAt(ctx, tx, ws, numbers[i], from.UnixMilli(), to.UnixMilli()); err != nil {
						return err
					}
				}
				if !yield(pair, nil) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			yield(store.Pair{}, err)
		}
	}
}

// changedBetween reads the changes between two moments, those of each account together,
// and the numbers of the accounts.
func changedBetween(ctx context.Context, tx Tx, ws int64, account string, from, to time.Time,
) (pairs []store.Pair, numbers []int64, err error) {
	var rows []struct {
		changeRow
		Number int64          `db:"number"`
		Before sql.NullString `db:"health_from"`
		Later  store.Health   `db:"health_to"`
	}
	err = tx.SelectContext(ctx, &rows, `
		SELECT
			c.account AS number,
			`+healthAt("?3")+` AS health_from,
			`+healthAt("?4")+` AS health_to,
			named.username AS username,`+changeColumns+`
		FROM change c
		ORDERED JOIN account a ON a.ws = c.ws AND a.id = c.account
		ORDERED JOIN response r ON r.ws = c.ws AND r.at = c.at
		ORDERED JOIN version named ON named.ws = c.ws AND named.account = c.account AND named.at = (
			SELECT at FROM version WHERE ws = c.ws AND account = c.account AND at <= ?4 ORDER BY at DESC LIMIT 1
		)
		WHERE c.ws = ?1 AND c.at > ?3 AND c.at <= ?4 AND (?2 = '' OR a.hash = ?2)
		ORDER BY nocase(named.username), a.hash, c.at, c.n`, ws, account, from.UnixMilli(), to.UnixMilli())
	for i, row := range rows {
		change, err := row.change()
		if err != nil {
			return nil, nil, err
		}
		if i == 0 || rows[i-1].Number != row.Number {
			pairs = append(pairs, store.Pair{
				Account: row.Account, Username: row.Username, Before: store.Health(row.Before.String), After: row.Later,
			})
			numbers = append(numbers, row.Number)
		}
		pair := &pairs[len(pairs)-1]
		if i == 0 || rows[i-1].Number != row.Number || rows[i-1].At != row.At {
			pair.Steps = append(pair.Steps, nil)
		}
		last := len(pair.Steps) - 1
		pair.Steps[last] = append(pair.Steps[last], change)
	}
	return pairs, numbers, err
}

// healthAt is the health of the account of change c at a moment; NULL when it was not
// known then.
func healthAt(moment string) string {
	return `(
			SELECT health_after FROM status_step
			WHERE ws = c.ws AND account = c.account AND at <= ` + moment + `
			ORDER BY at DESC LIMIT 1
		)`
}

// State reads what was known of the account at the moment (zero: now), by what was
// received until then. It returns ErrNotFound when it was not known then, and ErrRedacted.
func (s *Store) State(ctx context.Context, workspace, account string, at time.Time) (state store.State, err error) {
	err = s.db.Read(ctx, func(tx Tx) error {
		ws, number, err := findAccount(ctx, tx, workspace, account)
		if err != nil {
			return err
		}
		ids, err := withheld(ctx, tx, ws)
		if err != nil {
			return err
		}
		if ids[account] {
			return fmt.Errorf("account %s %w", account, store.ErrRedacted)
		}
		if _, state, err = statesAt(ctx, tx, ws, number, 0, moment(at)); err == nil && state.At.IsZero() {
			err = store.ErrNotFound
		}
		return err
	})
	return state, err
}

// statesAt reads what was known of an account at two moments, the earlier one first,
// without volatile values; zero: nothing. It takes the documents in the order in which
// they were told. One that repeats an earlier one counts where it began a version;
// elsewhere it told nothing that was not known.
func statesAt(ctx context.Context, tx Tx, ws, account, from, to int64) (old, new store.State, err error) {
	told, err := toldUntil(ctx, tx, ws, account, to)
	if err != nil {
		return old, new, err
	}
	var members [fold.Endpoints][]document.Member
	for _, t := range told {
		known := &members[t.endpoint]
		*known = document.Apply(*known, t.changed)
		var body []byte
		if len(*known) > 0 {
			if body, err = document.FromMembers(*known); err != nil {
				return old, new, Damaged("fact", err)
			}
		}
		if body == nil && t.endpoint != fold.Detail {
			continue // of a 404: the detail says so
		}
		if new, err = new.Next(time.UnixMilli(t.at).UTC(), shapes[t.endpoint], body); err != nil {
			return old, new, err
		}
		if new.Gone {
			members = [fold.Endpoints][]document.Member{}
		}
		if t.at <= from {
			old = new
		}
	}
	return old, new, nil
}

var shapes = [fold.Endpoints]store.Source{store.List, store.Detail, store.Import}

// told is what an endpoint said otherwise than before.
type told struct {
	at       int64
	endpoint fold.Endpoint
	changed  []document.Member
}

// toldUntil reads what endpoints said of an account until a moment, in order.
func toldUntil(ctx context.Context, tx Tx, ws, account, until int64) (all []told, err error) {
	err = Each(ctx, tx, `
		SELECT f.at, f.endpoint, n.top, n.sub, coalesce(f.value, v.body)
		FROM fact f
		ORDERED JOIN name n ON n.ws = f.ws AND n.id = f.name
		LEFT JOIN value v ON v.ws = f.ws AND v.id = f.value_id
		WHERE f.ws = ?1 AND f.account = ?2 AND f.at <= ?3
		UNION ALL
		SELECT at, endpoint, NULL, NULL, NULL FROM version WHERE ws = ?1 AND account = ?2 AND at <= ?3
		ORDER BY 1, 2, 3, 4`, []any{ws, account, until}, func(scan func(...any) error) error {
		var at, endpoint int64
		var top, sub sql.NullString
		var value []byte
		if err := scan(&at, &endpoint, &top, &sub, &value); err != nil {
			return err
		}
		if last := len(all) - 1; last < 0 || all[last].at != at || all[last].endpoint != fold.Endpoint(endpoint-1) {
			all = append(all, told{at: at, endpoint: fold.Endpoint(endpoint - 1)})
		}
		if top.Valid {
			t := &all[len(all)-1]
			t.changed = append(t.changed, document.Member{Key: document.Key{Top: top.String, Sub: sub.String}, Value: value})
		}
		return nil
	})
	return all, err
}

// RunEnd is the moment up to which a run has seen the workspace: when its last
// response was received, or when it began if it received none. It returns ErrNotFound
// when the workspace has no such run.
func (s *Store) RunEnd(ctx context.Context, workspace string, id int64) (end time.Time, err error) {
	var ms sql.NullInt64
	err = s.db.Read(ctx, func(tx Tx) error {
		return tx.GetContext(ctx, &ms, `
			SELECT coalesce(r.last_at, r.started_at)
			FROM run r
			JOIN workspace w ON w.id = r.ws
			WHERE w.name = ? AND r.id = ?`, workspace, id)
	})
	return instant(ms), err
}
