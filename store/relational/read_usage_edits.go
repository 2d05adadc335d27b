package relational

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/lobstrail/lobstrail/store/document"
)

// readEdits finds the limits that were edited since their counters last moved, up to the
// end of the period. The movements are sorted.
func (r *usageReader) readEdits() error {
	e := edits{last: map[int64][]*movement{}, edited: map[*movement]json.RawMessage{}, unclear: map[int64]bool{}, first: math.MaxInt64}
	for i, m := range r.found {
		if i+1 == len(r.found) || r.found[i+1].key() != m.key() {
			e.add(m)
		}
	}
	query, args := r.query(`
		SELECT account, at, kind, path, new FROM change
		WHERE ws = ?1 AND at BETWEEN ?2 AND ?3 AND kind IN ('limit', 'schema', 'gone', 'returned')`, "account", r.ws, e.first, r.until)
	if r.one > 0 { // its changes are found by its versions
		query += fmt.Sprintf(` AND at IN (SELECT at FROM version WHERE ws = ?1 AND account = ?%d)`, len(args)+1)
		args = append(args, r.one)
	}
	err := Each(r.ctx, r.tx, query+` ORDER BY ws, at, account, n`, args, func(scan func(...any) error) error {
		var account, at int64
		var kind, path string
		var value []byte
		err := scan(&account, &at, &kind, &path, &value)
		e.take(account, at, kind, path, value)
		return err
	})
	if err != nil {
		return err
	}
	for last, value := range e.edited {
		last.EditedMax = value
	}
	return r.readUnclear(e)
}

// edits are the limits that changes edited.
type edits struct {
	last    map[int64][]*movement // of each limit, by account
	edited  map[*movement]json.RawMessage
	unclear map[int64]bool // accounts of which the documents must tell
	first   int64          // when the first of the changes may have been noticed
}

func (e *edits) add(last *movement) {
	e.last[last.account] = append(e.last[last.account], last)
	e.first = min(e.first, e.since(last))
}

// since is from when on a change may have edited a limit: always, if its counter never was
// told with it.
func (e *edits) since(last *movement) int64 {
	if last.Max == nil {
		return 1
	}
	return last.SeenAt.UnixMilli()
}

// take takes the next change of an account.
func (e *edits) take(account, at int64, kind, path string, value []byte) {
	for _, last := range e.last[account] {
		if at < e.since(last) {
			continue
		}
		switch rest, inside := strings.CutPrefix(path, "/params/user/"+document.EscapePointer(last.Limit)); {
		case kind == "gone": // nothing is in force then
			delete(e.edited, last)
			delete(e.unclear, account)
		case kind != "limit", last.Max == nil, strings.HasPrefix("/params/user", path):
			e.unclear[account] = true
		case inside && rest == "/max":
			e.edited[last] = value
		case inside && (rest == "" || strings.HasPrefix(rest, "/max/")):
			e.unclear[account] = true
		}
	}
}

// readUnclear reads the limits in force out of the documents of accounts: of the few that
// came back, or whose objects changed in another way than by an edit.
func (r *usageReader) readUnclear(e edits) error {
	for account := range e.unclear {
		body, err := documentAt(r.ctx, r.tx, r.ws, account, r.until)
		if err != nil {
			return err
		}
		user := document.Value(document.Value(body, "params"), "user")
		for _, last := range e.last[account] {
			last.EditedMax = document.Value(document.Value(user, last.Limit), "max")
		}
	}
	return nil
}
