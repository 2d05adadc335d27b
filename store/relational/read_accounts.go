package relational

import (
	"cmp"
	"context"
	"database/sql"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Accounts reads the accounts of a workspace as they were at a moment, gone ones
// included, by username and id. Those first seen later are left out. They are read
// before the first one is handed on.
func (s *Store) Accounts(ctx context.Context, q store.AccountQuery) iter.Seq2[store.AccountState, error] {
	return readFirst(ctx, s, func(tx Tx) ([]store.AccountState, error) { return readAccounts(ctx, tx, q) })
}

// moment is an instant in Unix milliseconds; the zero time is the end of all time.
func moment(at time.Time) int64 {
	if at.IsZero() {
		return math.MaxInt64 - 1 // before still
	}
	return at.UnixMilli()
}

func readAccounts(ctx context.Context, tx Tx, q store.AccountQuery) ([]store.AccountState, error) {
	ws, err := WorkspaceID(ctx, tx, q.Workspace)
	if err != nil || ws == 0 {
		return nil, err
	}
	r := accountReader{ctx: ctx, tx: tx, ws: ws, at: moment(q.At), workspace: q.Workspace}
	if q.Account != "" {
		if r.account, err = accountNumber(ctx, tx, ws, q.Account); err != nil || r.account == 0 {
			return nil, err
		}
	}
	if r.seen, err = r.readSeen(); err != nil {
		return nil, err
	}
	if r.squids, err = r.readSquids(); err != nil {
		return nil, err
	}
	accounts, err := r.read()
	slices.SortFunc(accounts, func(a, b store.AccountState) int {
		return cmp.Or(store.CompareNames(a.Facts.Username, b.Facts.Username), cmp.Compare(a.ID, b.ID))
	})
	return accounts, err
}

// accountNumber is the number of an account; 0 when the workspace does not know it.
func accountNumber(ctx context.Context, tx Tx, ws int64, id string) (number int64, err error) {
	err = tx.GetContext(ctx, &number, `SELECT coalesce((SELECT id FROM account WHERE ws = ? AND hash = ?), 0)`, ws, id)
	return number, err
}

// accountReader reads accounts as of a moment. It reads what is known of all of them
// table by table.
type accountReader struct {
	ctx       context.Context
	tx        Tx
	ws        int64
	workspace string
	at        int64
	account   int64 // 0: all
	seen      map[int64]int64
	squids    map[int64][]store.Squid
}

const last = `SELECT max(at) FROM response WHERE ws = ? AND source = ? AND slot = ? AND at <= ?`

// readSeen finds when each account was last seen, at or before the moment.
func (r *accountReader) readSeen() (map[int64]int64, error) {
	seen, lasts := map[int64]int64{}, map[[2]int64]int64{}
	type stay struct{ account, source, slot, last int64 }
	var open []stay
	err := Each(r.ctx, r.tx, `
		SELECT s.account, s.source, s.slot, s.last
		FROM account a
		-- Of the stays that were over, the one that ended last.
		ORDERED JOIN shown s ON s.ws = a.ws AND s.account = a.id AND s.last >= coalesce((
			SELECT max(last) FROM shown WHERE ws = a.ws AND account = a.id AND last <= ?2
		), 0)
		WHERE a.ws = ?1 AND (?3 = 0 OR a.id = ?3) AND s.first <= ?2`, []any{r.ws, r.at, r.account}, func(scan func(...any) error) error {
		var s stay
		err := scan(&s.account, &s.source, &s.slot, &s.last)
		if s.last <= r.at {
			seen[s.account] = max(seen[s.account], s.last)
		} else {
			open = append(open, s)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, s := range open {
		slot := [2]int64{s.source, s.slot}
		at, known := lasts[slot]
		if !known {
			if err := r.tx.GetContext(r.ctx, &at, last, r.ws, s.source, s.slot, r.at); err != nil {
				return nil, err
			}
			lasts[slot] = at
		}
		seen[s.account] = max(seen[s.account], at)
	}
	return seen, nil
}

// readSquids finds the squids that each account had, by the names it called them.
func (r *accountReader) readSquids() (map[int64][]store.Squid, error) {
	ids, err := squidIDs(r.ctx, r.tx, r.ws)
	if err != nil {
		return nil, err
	}
	names, err := squidNames(r.ctx, r.tx, r.ws, r.account, r.at)
	if err != nil {
		return nil, err
	}
	squids := map[int64][]store.Squid{}
	err = Each(r.ctx, r.tx, `
		SELECT account, squid FROM assignment
		WHERE ws = ?1 AND (?3 = 0 OR account = ?3) AND from_before <= ?2 AND coalesce(to_before, ?2 + 1) > ?2`,
		[]any{r.ws, r.at, r.account}, func(scan func(...any) error) error {
			var account, squid int64
			err := scan(&account, &squid)
			squids[account] = append(squids[account], store.Squid{ID: ids[squid], Name: names[[2]int64{squid, account}]})
			return err
		})
	for _, all := range squids {
		slices.SortFunc(all, func(a, b store.Squid) int { return cmp.Compare(a.ID, b.ID) })
	}
	return squids, err
}

// squidIDs are the ids of the squids of a workspace, by number.
func squidIDs(ctx context.Context, tx Tx, ws int64) (map[int64]string, error) {
	ids := map[int64]string{}
	return ids, Each(ctx, tx, `SELECT id, hash FROM squid WHERE ws = ?`, []any{ws}, func(scan func(...any) error) error {
		var number int64
		var id string
		err := scan(&number, &id)
		ids[number] = id
		return err
	})
}

// squidNames are the names by which accounts called squids at a moment, by the numbers
// of squid and account. account 0 is all.
func squidNames(ctx context.Context, tx Tx, ws, account, at int64) (map[[2]int64]string, error) {
	names, same := map[[2]int64]string{}, map[string]string{}
	return names, Each(ctx, tx, `
		SELECT squid, account, name FROM squid_name
		WHERE ws = ?1 AND (?2 = 0 OR account = ?2) AND at <= ?3
		ORDER BY squid, account, at`, []any{ws, account, at}, func(scan func(...any) error) error {
		var key [2]int64
		var name string
		err := scan(&key[0], &key[1], &name)
		if known, ok := same[name]; ok {
			name = known // many accounts have one squid: its name is kept once
		} else {
			same[name] = name
		}
		names[key] = name
		return err
	})
}

const accountColumns = `
		SELECT
			a.id, a.hash, a.first_at, v.number, v.username, v.type, v.status, v.status_code_info, v.status_code_description,
			v.last_synchronization_time, v.locked_until`

const (
	// accountsNow is for moments after which no response was received. Lists may have been
	// found to lack an account later still.
	accountsNow = accountColumns + `, s.health, s.health_after, s.health_before, CASE WHEN s.absent_since <= ?2 THEN s.absent_since END
		FROM account a
		ORDERED JOIN state s ON s.ws = a.ws AND s.account = a.id
		ORDERED JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL
		WHERE a.ws = ?1 AND (?3 = 0 OR a.id = ?3)`
	accountsThen = accountColumns + `, t.health_after, t.after, t.at, (
				SELECT m.since FROM absence m
				WHERE m.ws = a.ws AND m.account = a.id AND m.since <= ?2 AND coalesce(m.ended, ?2 + 1) > ?2
				ORDER BY m.since DESC LIMIT 1
			)
		FROM account a
		ORDERED JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.at = (
			SELECT at FROM version WHERE ws = a.ws AND account = a.id AND at <= ?2 ORDER BY at DESC LIMIT 1
		)
		ORDERED JOIN status_step t ON t.ws = a.ws AND t.account = a.id AND t.at = (
			SELECT at FROM status_step
			WHERE ws = a.ws AND account = a.id AND at <= ?2 AND health_before IS DISTINCT FROM health_after
			ORDER BY at DESC LIMIT 1
		)
		WHERE a.ws = ?1 AND (?3 = 0 OR a.id = ?3) AND a.first_at <= ?2`
)

func (r *accountReader) read() (accounts []store.AccountState, err error) {
	var newest int64
	if err := r.tx.GetContext(r.ctx, &newest, `SELECT coalesce(max(at), 0) FROM response WHERE ws = ?`, r.ws); err != nil {
		return nil, err
	}
	query := accountsNow
	if newest > r.at {
		query = accountsThen
	}
	err = Each(r.ctx, r.tx, query, []any{r.ws, r.at, r.account}, func(scan func(...any) error) error {
		account, err := r.row(scan)
		accounts = append(accounts, account)
		return err
	})
	return accounts, err
}

// row maps a row of accountColumns.
func (r *accountReader) row(scan func(...any) error) (a store.AccountState, err error) {
	var number, first, since int64
	var status, info, description, sync sql.NullString
	var locked, after, absent sql.NullInt64
	f := &a.Facts
	err = scan(&number, &a.ID, &first, &a.Versions, &f.Username, &f.Type, &status, &info, &description, &sync, &locked,
		&f.Health, &after, &since, &absent)
	a.Workspace, a.FirstSeen, a.SeenAt = r.workspace, time.UnixMilli(first).UTC(), time.UnixMilli(r.seen[number]).UTC()
	a.HealthSince = store.Window{After: instant(after), Before: time.UnixMilli(since).UTC()}
	a.UnlistedSince = instant(absent)
	f.Status, f.Info, f.Description, f.LastSync = status.String, info.String, description.String, sync.String
	f.LockedUntil = instant(locked)
	if f.Squids = r.squids[number]; f.Squids == nil {
		f.Squids = []store.Squid{}
	}
	return a, err
}
