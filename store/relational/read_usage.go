package relational

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
)

// Usage streams the movements of limits' counters seen in the period and, for each
// account and limit, the one before, which says where the period began. Those of one
// limit stand together, in the order of time. What the movements before the period
// cost to find does not grow with their number but with that of the limits.
func (s *Store) Usage(ctx context.Context, q store.PeriodQuery) iter.Seq2[store.Use, error] {
	return func(yield func(store.Use, error) bool) {
		uses, _, err := s.Limits(ctx, q)
		for _, use := range uses {
			if !yield(use, nil) {
				return
			}
		}
		if err != nil {
			yield(store.Use{}, err)
		}
	}
}

// Limits reads what [Store.Usage] streams and, by account, the documents (as they are
// stored) at the end of the period, of those accounts only of which a setting may have
// changed since one of its counters last moved.
func (s *Store) Limits(ctx context.Context, q store.PeriodQuery) (uses []store.Use, settings map[string]json.RawMessage, err error) {
	err = s.db.Read(ctx, func(tx Tx) error {
		r := &usageReader{ctx: ctx, tx: tx, found: map[int64][]store.Use{}, names: map[int64]store.Name{}}
		if r.ws, err = WorkspaceID(ctx, tx, q.Workspace); err != nil {
			return err
		}
		if q.Account != "" {
			if r.account, err = accountNumber(ctx, tx, r.ws, q.Account); err != nil || r.account == 0 {
				return err
			}
		}
		args := periodArgs(q)
		r.since, r.until, r.share, r.moved = args[2].(int64), args[3].(int64), q.Used, q.Moved
		if err := r.read(); err != nil || len(r.found) == 0 {
			return err
		}
		if err := r.readNames(); err != nil {
			return err
		}
		if !r.moved {
			settings, err = r.settings()
		}
		uses = r.all()
		return err
	})
	return uses, settings, err
}

// usageReader gathers movements by account.
type usageReader struct {
	ctx          context.Context
	tx           Tx
	ws, account  int64 // account 0: all
	since, until int64
	share        float64              // of the limit, that its counter must have reached in the period; 0: all
	moved        bool                 // leave out what was before the period
	limits       map[int64]string     // by number of the name
	names        map[int64]store.Name // of accounts
	found        map[int64][]store.Use
	reached      map[[2]int64]bool // account and limit
}

// read reads the movements of the period, and then what was before it.
func (r *usageReader) read() error {
	if err := r.readLimits(); err != nil {
		return err
	}
	moved := map[[2]int64][]store.Use{}
	err := r.each(`
		SELECT account, name, at, body, max FROM usage
		WHERE ws = ?1 AND at > ?2 AND at <= ?3 AND (?4 = 0 OR account = ?4)
		ORDER BY ws, at`, func(key [2]int64, use store.Use) {
		moved[key] = append(moved[key], use)
		if r.share > 0 && reached(use, r.share) {
			r.reached[key] = true
		}
	})
	if err != nil || len(moved) == 0 && r.share > 0 {
		return err
	}
	if r.moved {
		for key, uses := range moved {
			r.found[key[0]] = append(r.found[key[0]], uses...)
		}
		return nil
	}
	// Counters that have not moved since the period began stand in table counter; the
	// others are looked for, each by itself.
	err = r.each(`
		SELECT account, name, at, body, max FROM counter WHERE ws = ?1 AND at <= ?2 AND CAST(?3 AS BIGINT) IS NOT NULL AND (?4 = 0 OR account = ?4)
		UNION ALL
		SELECT c.account, c.name, u.at, u.body, u.max
		FROM counter c
		ORDERED JOIN usage u ON u.ws = c.ws AND u.account = c.account AND u.name = c.name AND u.at = (
			SELECT at FROM usage WHERE ws = c.ws AND account = c.account AND name = c.name AND at <= ?2 ORDER BY at DESC LIMIT 1
		)
		WHERE c.ws = ?1 AND c.at > ?2 AND (?4 = 0 OR c.account = ?4)`, func(key [2]int64, use store.Use) {
		if r.share == 0 || r.reached[key] {
			r.found[key[0]] = append(r.found[key[0]], use)
		}
	})
	for key, uses := range moved {
		if r.share == 0 || r.reached[key] {
			r.found[key[0]] = append(r.found[key[0]], uses...)
		}
	}
	return err
}

// readLimits reads the names of limits.
func (r *usageReader) readLimits() error {
	r.limits, r.reached = map[int64]string{}, map[[2]int64]bool{}
	return Each(r.ctx, r.tx, `SELECT id, sub FROM name WHERE ws = ? AND top = 'params' AND sub LIKE '/user/%'`, []any{r.ws},
		func(scan func(...any) error) error {
			var id int64
			var sub string
			err := scan(&id, &sub)
			r.limits[id] = document.UnescapePointer(strings.TrimPrefix(sub, "/user/"))
			return err
		})
}

// readNames reads the names of accounts, and gives them to what was found.
func (r *usageReader) readNames() error {
	err := Each(r.ctx, r.tx, `
		SELECT a.id, a.hash, v.username
		FROM account a
		ORDERED JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL
		WHERE a.ws = ?1 AND (?2 = 0 OR a.id = ?2)`, []any{r.ws, r.account}, func(scan func(...any) error) error {
		var id int64
		var name store.Name
		err := scan(&id, &name.ID, &name.Name)
		r.names[id] = name
		return err
	})
	for id, uses := range r.found {
		for i := range uses {
			uses[i].Account, uses[i].Username = r.names[id].ID, r.names[id].Name
		}
	}
	return err
}

// each reads movements of limits.
func (r *usageReader) each(query string, take func(key [2]int64, use store.Use)) error {
	return Each(r.ctx, r.tx, query, []any{r.ws, r.since, r.until, r.account}, func(scan func(...any) error) error {
		var key [2]int64
		var at int64
		var body []byte
		var limit sql.NullString
		if err := scan(&key[0], &key[1], &at, &body, &limit); err != nil {
			return err
		}
		name, isLimit := r.limits[key[1]]
		if !isLimit {
			return nil
		}
		use := store.Use{Limit: name, Max: rawOrNil(limit), SeenAt: time.UnixMilli(at).UTC()}
		if err := readCounters(&use, body); err != nil {
			return Damaged(fmt.Sprintf("usage of account number %d", key[0]), err)
		}
		take(key, use)
		return nil
	})
}

// readCounters reads the volatile members of a limit.
func readCounters(use *store.Use, body []byte) error {
	if value := jsontext.Value(body); value.Kind() != '{' || !value.IsValid() {
		return errors.New("counters are no JSON object")
	}
	if use.Value = document.Value(body, "value"); use.Value == nil || string(use.Value) == "null" {
		use.Value = document.Value(body, "current")
	}
	use.ResetsAt = unixTime(document.Value(body, "timestamp"))
	return nil
}

// unixTime reads Unix seconds; anything else is no time, and the zero one.
func unixTime(raw json.RawMessage) time.Time {
	const latest = 1 << 37 // some time in the year 6325: beyond it, RFC 3339 ends soon
	seconds, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || seconds <= 0 || seconds > latest {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// reached reports whether a counter was at the share of its limit.
func reached(use store.Use, share float64) bool {
	of := number(use.Max)
	return of > 0 && number(use.Value) >= share*of
}

// number reads a JSON number, or the text of one; 0 for all else.
func number(raw json.RawMessage) float64 {
	n, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil {
		return 0
	}
	return n
}

// settings reads the documents of accounts in which a setting changed at or after the
// last movement of one of its counters.
func (r *usageReader) settings() (map[string]json.RawMessage, error) {
	changed, err := r.changed()
	if err != nil {
		return nil, err
	}
	documents := map[string]json.RawMessage{}
	for _, id := range changed {
		body, err := documentAt(r.ctx, r.tx, r.ws, id, r.until)
		if err != nil {
			return nil, err
		}
		if body != nil {
			documents[r.names[id].ID] = body
		}
	}
	return documents, nil
}

// changed are the numbers of those accounts.
func (r *usageReader) changed() (ids []int64, err error) {
	oldest, first := map[int64]int64{}, int64(math.MaxInt64)
	for id, uses := range r.found {
		slices.SortStableFunc(uses, func(a, b store.Use) int { return cmp.Or(cmp.Compare(a.Limit, b.Limit), a.SeenAt.Compare(b.SeenAt)) })
		oldest[id] = oldestMovement(uses)
		first = min(first, oldest[id])
	}
	return ids, Each(r.ctx, r.tx, `
		SELECT account, max(at) FROM change
		WHERE ws = ?1 AND at BETWEEN ?2 AND ?3 AND kind IN ('limit', 'schema', 'returned')
		GROUP BY account`, []any{r.ws, first, r.until}, func(scan func(...any) error) error {
		var id, last int64
		err := scan(&id, &last)
		if since, found := oldest[id]; found && last >= since {
			ids = append(ids, id)
		}
		return err
	})
}

// oldestMovement is the earliest of the last movements of each limit; 1, which is
// before all time, when no limit in force was told with one of them. The uses are
// sorted by limit.
func oldestMovement(uses []store.Use) (ms int64) {
	for i, use := range uses {
		switch {
		case i+1 < len(uses) && uses[i+1].Limit == use.Limit:
		case use.Max == nil:
			return 1
		case ms == 0 || use.SeenAt.UnixMilli() < ms:
			ms = use.SeenAt.UnixMilli()
		}
	}
	return ms
}

// all are the uses, those of each account together, in the order of the accounts'
// numbers.
func (r *usageReader) all() (all []store.Use) {
	ids := make([]int64, 0, len(r.found))
	for id := range r.found {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		all = append(all, r.found[id]...)
	}
	return all
}
