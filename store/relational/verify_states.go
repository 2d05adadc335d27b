package relational

import (
	"database/sql"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/fold"
)

// states joins the tables of where accounts stand.
func (r rowReader) states() iter.Seq2[*fold.Account, error] {
	return func(yield func(*fold.Account, error) bool) {
		parts := r.openParts()
		defer parts.stop()
		for a, err := range of(r, "state", `
			SELECT s.account, coalesce(a.hash, ''), coalesce(a.first_at, 0), a.salt, s.latest, s.gone,
				s.locked_until, s.absent_since, `+wholeColumns+`
			FROM state s
			LEFT JOIN account a ON a.ws = s.ws AND a.id = s.account
			LEFT JOIN version v ON v.ws = s.ws AND v.account = s.account AND v.until IS NULL
			WHERE s.ws = ?
			ORDER BY s.account`, scanState) {
			if err == nil {
				err = parts.join(a)
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
		if err := parts.end(); err != nil {
			yield(nil, err)
		}
	}
}

func scanState(scan scanner) (*fold.Account, error) {
	a := &fold.Account{}
	var latest int64
	var locked, absent sql.NullInt64
	err := scanWhole(func(to ...any) error {
		return scan(append([]any{&a.Number, &a.ID, &a.FirstAt, (*[]byte)(&a.Salt), &latest, &a.Gone, &locked, &absent}, to...)...)
	}, a)
	if err != nil {
		err = rowError("state", err.Error(), "%d", a.Number)
	}
	a.Latest, a.LockedUntil, a.AbsentSince = fold.Endpoint(latest-1), locked.Int64, absent.Int64
	return a, err
}

// part is a row about a part of an account's state.
type part struct {
	account int64
	table   string
	set     func(*fold.Account)
}

// stateParts are rows of the other tables of states, each in the order of accounts.
type stateParts []*fold.Cursor[part]

func (r rowReader) openParts() stateParts {
	return stateParts{
		fold.NewCursor(of(r, "said", `SELECT account, endpoint, leaf, document_at FROM said WHERE ws = ? ORDER BY account`, scanSaid)),
		fold.NewCursor(of(r, "body", `SELECT account, endpoint, body FROM body WHERE ws = ? ORDER BY account`, scanBody)),
		fold.NewCursor(of(r, "counter", `
			SELECT c.account, coalesce(n.top, ''), coalesce(n.sub, ''), c.at, c.body, c.max
			FROM counter c
			LEFT JOIN name n ON n.ws = c.ws AND n.id = c.name
			WHERE c.ws = ? ORDER BY c.account, c.name`, scanCounter)),
	}
}

func (all stateParts) stop() {
	for _, c := range all {
		c.Stop()
	}
}

// join adds to an account what the parts say of it.
func (all stateParts) join(a *fold.Account) error {
	for _, c := range all {
		for ; c.OK && c.Next.account <= a.Number; c.Step() {
			if c.Next.account < a.Number {
				return stray(c.Next)
			}
			c.Next.set(a)
		}
		if c.Err != nil {
			return c.Err
		}
	}
	return nil
}

// end returns an error when there are rows left: they are of no account.
func (all stateParts) end() error {
	for _, c := range all {
		if c.OK {
			return stray(c.Next)
		}
	}
	return nil
}

func stray(p part) error {
	return rowError(p.table, "the account has no state", "account %d", p.account)
}

func scanSaid(scan scanner) (part, error) {
	var p part
	var endpoint int64
	var said fold.Said
	var leaf []byte
	err := scan(&p.account, &endpoint, &leaf, &said.DocumentAt)
	if err == nil && (endpoint < 1 || endpoint > fold.Endpoints || len(leaf) != tlog.HashSize) {
		err = rowError("said", "it has no endpoint that there is, or its leaf is no hash", "account %d", p.account)
	}
	copy(said.Leaf[:], leaf)
	p.table, p.set = "said", func(a *fold.Account) {
		a.Said[endpoint-1].Leaf, a.Said[endpoint-1].DocumentAt = said.Leaf, said.DocumentAt
	}
	return p, err
}

func scanBody(scan scanner) (part, error) {
	var p part
	var endpoint int64
	var body []byte
	err := scan(&p.account, &endpoint, &body)
	if err == nil && (endpoint < 1 || endpoint > fold.Endpoints) {
		err = rowError("body", noEndpoint, "account %d", p.account)
	}
	p.table, p.set = "body", func(a *fold.Account) {
		if a.Said[endpoint-1].Body = body; fold.Endpoint(endpoint-1) == a.Latest && a.Known == nil {
			a.Known = body
		}
	}
	return p, err
}

func scanCounter(scan scanner) (part, error) {
	var p part
	var c document.Counter
	var top, sub string
	var at int64
	var limit sql.NullString
	err := scan(&p.account, &top, &sub, &at, &c.Body, &limit)
	c.Pointer, c.Max = "/"+document.EscapePointer(top)+sub, rawOrNil(limit)
	p.table, p.set = "counter", func(a *fold.Account) {
		a.Counters.Set(c)
		a.CountersAt = max(a.CountersAt, at)
	}
	return p, err
}
