package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"slices"
	"strconv"

	"github.com/jmoiron/sqlx"
)

// Usage streams the movements of limits' counters seen in the period and, for
// each account and limit, the one before, which says where the period began. Those
// of one limit stand together, in the order of time. What the movements before the
// period cost to find does not grow with their number but with that of the limits.
func (s *Store) Usage(ctx context.Context, q PeriodQuery) iter.Seq2[Use, error] {
	return func(yield func(Use, error) bool) {
		uses, _, err := s.Limits(ctx, q)
		for _, use := range uses {
			if !yield(use, nil) {
				return
			}
		}
		if err != nil {
			yield(Use{}, err)
		}
	}
}

// Limits reads what [Store.Usage] streams and, by account, the documents (as they
// are stored) of the versions that held at the end of the period, of those accounts
// only that may have news of a limit since its counter last moved.
func (s *Store) Limits(ctx context.Context, q PeriodQuery) (uses []Use, settings map[string]json.RawMessage, err error) {
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		r, err := newUsageReader(ctx, tx, q)
		if err != nil {
			return err
		}
		if q.Used > 0 {
			err = r.readUsed()
		} else if err = r.readNames(nil); err == nil {
			err = r.read(usesStanding, usesCarried, usesMoved)
		}
		if err != nil {
			return err
		}
		if settings, err = r.settings(q); err != nil {
			return err
		}
		uses = r.all()
		return nil
	})
	return uses, settings, err
}

// lastResponse is the number of the last response of workspace w that was received
// by the instant that parameter n holds; 0 for none.
func lastResponse(n int) string {
	return `coalesce((
		SELECT id FROM response WHERE workspace_id = w.id AND received_at <= ?` + strconv.Itoa(n) + `
		ORDER BY received_at DESC, id DESC LIMIT 1
	), 0)`
}

// The period as the queries below know it: the responses after ?1 and up to ?2.
const (
	// usesStanding are the counters that have not moved since the period began.
	usesStanding = `
		SELECT c.account_id, c.pointer, r.received_at || x'1f' || coalesce(c.max, '') || x'1f' || c.body
		FROM counter c
		CROSS JOIN response r ON r.id = c.response_id
		WHERE c.response_id <= ?1 AND (?3 = 0 OR c.account_id = ?3) AND ?2 = ?2
			AND +c.pointer >= '/params/user/' AND +c.pointer < '/params/user0'`
	// usesCarried is what those that have moved were before. The columns are one
	// text, so that each counter is looked for once; JSON has no such separator.
	usesCarried = `
		SELECT
			c.account_id,
			c.pointer,
			(
				SELECT r.received_at || x'1f' || coalesce(u.max, '') || x'1f' || u.body
				FROM usage u
				CROSS JOIN response r ON r.id = u.response_id
				WHERE u.account_id = c.account_id AND u.pointer = c.pointer AND u.response_id <= ?1
				ORDER BY u.response_id DESC LIMIT 1
			)
		FROM counter c
		WHERE c.response_id > ?1 AND (?3 = 0 OR c.account_id = ?3) AND ?2 = ?2
			AND +c.pointer >= '/params/user/' AND +c.pointer < '/params/user0'`
	// usesMoved is read in the order in which it was written.
	usesMoved = `
		SELECT u.account_id, u.pointer, r.received_at || x'1f' || coalesce(u.max, '') || x'1f' || u.body
		FROM usage u
		CROSS JOIN response r ON r.id = u.response_id
		WHERE u.response_id > ?1 AND u.response_id <= ?2 AND (?3 = 0 OR u.account_id = ?3)
			AND +u.pointer >= '/params/user/' AND +u.pointer < '/params/user0'
		ORDER BY u.response_id`
)

// usageReader gathers rows of usage by account.
type usageReader struct {
	ctx         context.Context
	tx          *sqlx.Tx
	query       PeriodQuery
	first, last int64 // responses
	account     int64 // 0 for all
	accounts    []int64
	found       map[int64]*accountUses
}

// accountUses are the uses of one account.
type accountUses struct {
	Name
	uses []Use
}

// newUsageReader finds the responses of the period, but no account.
func newUsageReader(ctx context.Context, tx *sqlx.Tx, q PeriodQuery) (*usageReader, error) {
	r := &usageReader{ctx: ctx, tx: tx, query: q, found: map[int64]*accountUses{}}
	err := eachOf(ctx, tx, `SELECT `+lastResponse(3)+`, `+lastResponse(4)+` FROM workspace w WHERE w.name = ?1 AND ?2 = ?2`,
		q.args(), func(scan func(...any) error) error { return scan(&r.first, &r.last) })
	return r, err
}

// readNames finds all accounts that are looked for, or those of the ids.
func (r *usageReader) readNames(ids []int64) error {
	among := ""
	if ids != nil {
		list, err := json.Marshal(ids)
		if err != nil {
			return err
		}
		among = string(list)
	}
	q := r.query
	err := eachOf(r.ctx, r.tx, `
		SELECT a.id, a.hash, v.username
		FROM workspace w
		CROSS JOIN account a ON a.workspace_id = w.id
		CROSS JOIN head h ON h.account_id = a.id
		CROSS JOIN version v ON v.id = h.version_id
		WHERE w.name = ?1 AND (?2 = '' OR a.hash = ?2) AND (?3 = '' OR a.id IN (SELECT value FROM json_each(?3)))`,
		[]any{q.Workspace, q.Account, among}, func(scan func(...any) error) error {
			var name Name
			err := scan(&r.account, &name.ID, &name.Name)
			r.accounts = append(r.accounts, r.account)
			r.found[r.account] = &accountUses{Name: name}
			return err
		})
	if q.Account == "" {
		r.account = 0
	}
	return err
}

// read takes in the rows of queries. Those of accounts that are not looked for are
// passed over.
func (r *usageReader) read(queries ...string) error {
	for _, query := range queries {
		if err := r.readRows(query); err != nil {
			return err
		}
	}
	return nil
}

func (r *usageReader) readRows(query string) error {
	if len(r.found) == 0 {
		return nil
	}
	return eachOf(r.ctx, r.tx, query, []any{r.first, r.last, r.account}, func(scan func(...any) error) error {
		var id int64
		var pointer string
		var packed sql.NullString
		if err := scan(&id, &pointer, &packed); err != nil {
			return err
		}
		account := r.found[id]
		if account == nil || !packed.Valid {
			return nil
		}
		use, err := unpackUse(account.Name, pointer, packed.String)
		account.uses = append(account.uses, use)
		return err
	})
}

// settings reads the documents of accounts in which a setting changed at or after
// the last movement of one of its counters.
func (r *usageReader) settings(q PeriodQuery) (map[string]json.RawMessage, error) {
	since := make(map[int64]int64, len(r.accounts))
	for id, account := range r.found {
		slices.SortStableFunc(account.uses, func(a, b Use) int { return cmp.Compare(a.Limit, b.Limit) })
		if oldest := account.oldest(); oldest > 0 {
			since[id] = oldest
		}
	}
	wanted, err := json.Marshal(since)
	if err != nil {
		return nil, err
	}
	documents := map[string]json.RawMessage{}
	return documents, eachOf(r.ctx, r.tx, `
		SELECT a.hash, d.body
		FROM json_each(?1) j
		CROSS JOIN account a ON a.id = CAST(j.key AS INTEGER)
		CROSS JOIN version v ON v.id = (
			SELECT id FROM version WHERE account_id = a.id AND valid_from <= ?2
			ORDER BY valid_from DESC, number DESC LIMIT 1
		)
		CROSS JOIN document d ON d.id = v.document_id
		WHERE d.body IS NOT NULL AND EXISTS (
			SELECT 1 FROM change g INDEXED BY change_of_settings
			WHERE g.account_id = a.id AND g.before BETWEEN j.value AND ?2 AND g.kind IN ('limit', 'schema', 'returned')
		)`, []any{string(wanted), q.args()[3]}, func(scan func(...any) error) error {
		var hash, body string
		err := scan(&hash, &body)
		documents[hash] = json.RawMessage(body)
		return err
	})
}

// oldest is the earliest of the last movements of each limit; 1, which is before all
// time, when no limit in force was told with one of them, and 0 without limits. The
// uses are sorted by limit.
func (a *accountUses) oldest() (ms int64) {
	for i, use := range a.uses {
		switch {
		case i+1 < len(a.uses) && a.uses[i+1].Limit == use.Limit:
		case use.Max == nil:
			return 1
		case ms == 0 || use.SeenAt.UnixMilli() < ms:
			ms = use.SeenAt.UnixMilli()
		}
	}
	return ms
}

// all are the uses, those of each account together.
func (r *usageReader) all() []Use {
	n := 0
	for _, account := range r.found {
		n += len(account.uses)
	}
	all := make([]Use, 0, n)
	for _, id := range r.accounts {
		all = append(all, r.found[id].uses...)
	}
	return all
}
