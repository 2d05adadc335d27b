package relational

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
)

// Usage reads the movements of limits' counters seen in the period and, for each account
// and limit, the one before, which says where the period began. Those of one limit stand
// together, in the order of time. They are read before the first one is handed on. What
// the movements before the period cost to find does not grow with their number but with
// that of the limits.
func (s *Store) Usage(ctx context.Context, q store.PeriodQuery) iter.Seq2[store.Use, error] {
	return func(yield func(store.Use, error) bool) {
		var movements []*movement
		err := s.db.Read(ctx, func(tx Tx) (err error) {
			movements, err = readUsage(ctx, tx, q)
			return err
		})
		if err != nil {
			yield(store.Use{}, err)
			return
		}
		for _, m := range movements {
			if !yield(m.Use, nil) {
				return
			}
		}
	}
}

func readUsage(ctx context.Context, tx Tx, q store.PeriodQuery) (movements []*movement, err error) {
	r := &usageReader{ctx: ctx, tx: tx}
	args := periodArgs(q)
	r.since, r.until, r.share, r.moved = args[2].(int64), args[3].(int64), q.Used, q.Moved
	if r.ws, err = WorkspaceID(ctx, tx, q.Workspace); err != nil {
		return nil, err
	}
	if q.Account != "" {
		account, err := accountNumber(ctx, tx, r.ws, q.Account)
		if err != nil || account == 0 {
			return nil, err
		}
		r.only([]int64{account})
		r.one = account
	}
	return r.read()
}

// usageReader gathers movements.
type usageReader struct {
	ctx          context.Context
	tx           Tx
	ws           int64
	since, until int64
	share        float64          // of the limit, that its counter must have reached in the period; 0: all
	moved        bool             // leave out what was before the period
	accounts     any              // a JSON list of the accounts that are read; nil: all
	one          int64            // the account, if only one is asked for
	limits       map[int64]string // by number of the name
	found        []*movement      // there are tens of thousands, and they are large
}

// movement is one of the counters of a limit, which is named by the number of its name.
type movement struct {
	account, limit int64
	store.Use
}

func (m *movement) key() [2]int64 { return [2]int64{m.account, m.limit} }

// only leaves out all other accounts.
func (r *usageReader) only(accounts []int64) { r.accounts = jsonList(accounts) }

func (r *usageReader) query(sql, column string, args ...any) (string, []any) {
	return among(r.accounts, sql, column, args...)
}

// read reads the movements of the period, and then what was before it.
func (r *usageReader) read() ([]*movement, error) {
	if err := r.readLimits(); err != nil {
		return nil, err
	}
	err := r.each(r.query(`SELECT account, name, at, body, max FROM usage WHERE ws = ?1 AND at > ?2 AND at <= ?3`, "account", r.ws, r.since, r.until))
	if err != nil {
		return nil, err
	}
	reached := r.reached()
	if len(reached) == 0 && r.share > 0 {
		return nil, nil
	}
	if !r.moved {
		if err := r.readBefore(); err != nil {
			return nil, err
		}
	}
	if r.share > 0 {
		r.found = slices.DeleteFunc(r.found, func(m *movement) bool { return !reached[m.key()] })
	}
	slices.SortFunc(r.found, func(a, b *movement) int {
		return cmp.Or(cmp.Compare(a.account, b.account), strings.Compare(a.Limit, b.Limit), a.SeenAt.Compare(b.SeenAt))
	})
	if !r.moved {
		if err := r.readEdits(); err != nil {
			return nil, err
		}
	}
	return r.found, r.name()
}

// readBefore reads the last movements before the period. Counters that have not moved
// since it began stand in table counter; the others are looked for, each by itself.
func (r *usageReader) readBefore() error {
	err := r.each(r.query(`SELECT account, name, at, body, max FROM counter WHERE ws = ?1 AND at <= ?2`, "account", r.ws, r.since))
	if err != nil {
		return err
	}
	return r.each(r.query(`
		SELECT c.account, c.name, u.at, u.body, u.max
		FROM counter c
		ORDERED JOIN usage u ON u.ws = c.ws AND u.account = c.account AND u.name = c.name AND u.at = (
			SELECT at FROM usage WHERE ws = c.ws AND account = c.account AND name = c.name AND at <= ?2 ORDER BY at DESC LIMIT 1
		)
		WHERE c.ws = ?1 AND c.at > ?2`, "c.account", r.ws, r.since))
}

// reached are the limits of which the share was used in the period. From then on only
// their accounts are read. Without a share there are none.
func (r *usageReader) reached() map[[2]int64]bool {
	if r.share == 0 {
		return nil
	}
	limits := map[[2]int64]bool{}
	var accounts []int64
	for _, m := range r.found {
		if reached(m.Use, r.share) && !limits[m.key()] {
			limits[m.key()] = true
			accounts = append(accounts, m.account)
		}
	}
	r.only(accounts)
	return limits
}

// readLimits reads the names of limits.
func (r *usageReader) readLimits() error {
	r.limits = map[int64]string{}
	return Each(r.ctx, r.tx, `SELECT id, sub FROM name WHERE ws = ? AND top = 'params' AND sub LIKE '/user/%'`, []any{r.ws},
		func(scan func(...any) error) error {
			var id int64
			var sub string
			err := scan(&id, &sub)
			r.limits[id] = document.UnescapePointer(strings.TrimPrefix(sub, "/user/"))
			return err
		})
}

// each reads movements of limits.
func (r *usageReader) each(query string, args []any) error {
	return Each(r.ctx, r.tx, query, args, func(scan func(...any) error) error {
		m := &movement{}
		var at int64
		var body []byte
		var limit sql.NullString
		if err := scan(&m.account, &m.limit, &at, &body, &limit); err != nil {
			return err
		}
		var isLimit bool
		if m.Limit, isLimit = r.limits[m.limit]; !isLimit {
			return nil
		}
		m.Max, m.SeenAt = rawOrNil(limit), time.UnixMilli(at).UTC()
		if err := readCounters(&m.Use, body); err != nil {
			return Damaged(fmt.Sprintf("usage of account number %d", m.account), err)
		}
		r.found = append(r.found, m)
		return nil
	})
}

// name gives the movements the ids and names of their accounts.
func (r *usageReader) name() error {
	ids, err := accountIDs(r.ctx, r.tx, r.ws, r.accounts)
	if err != nil {
		return err
	}
	names, err := usernames(r.ctx, r.tx, r.ws, r.accounts)
	for _, m := range r.found {
		m.Account, m.Username = ids[m.account], names[m.account]
	}
	return err
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
