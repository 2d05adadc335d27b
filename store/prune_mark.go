package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// ticks is a bit for each snapshot of the workspace, in the order of the rows: that
// something followed from it. It is all that grows with the store.
type ticks struct {
	bits []uint64
	n    int64
}

func (m *ticks) add(mark bool) {
	if m.n%64 == 0 {
		m.bits = append(m.bits, 0)
	}
	if mark {
		m.bits[m.n/64] |= 1 << (m.n % 64)
	}
	m.n++
}

// takeLast answers the last bit that was not taken.
func (m *ticks) takeLast() bool {
	m.n--
	return m.bits[m.n/64]>>(m.n%64)&1 == 1
}

// course is what the marking knows of an account.
type course struct {
	version int64    // the response that began its version
	seen    [2]int64 // the last response of each endpoint that showed it
	absent  bool     // from lists
	resets  bool     // a resets_in is known
}

// sideOf tells the endpoints apart.
func sideOf(source Source) int {
	if source == Detail {
		return 1
	}
	return 0
}

// marking finds the snapshots from which something followed, as replay.snapshot
// does, but from the rows that followed.
type marking struct {
	*pruning
	snapshots, versions, steps, documents    *cursor[trace]
	received, resets, absences               *cursor[trace]
	began, stepped, brought, moved, resetsIn map[int64]int64 // of the response at hand, by account
	accounts                                 map[int64]*course
}

// trace is a row that followed from a snapshot.
type trace struct {
	spot
	value int64
}

// mark goes through the workspace forwards.
func (p *pruning) mark(ctx context.Context, tx *sqlx.Tx) error {
	err := tx.GetContext(ctx, &p.id, `SELECT id FROM workspace WHERE name = ?`, p.workspace)
	if err != nil {
		return err
	}
	var end struct {
		Last   int64 `db:"last"`
		Newest int64 `db:"newest"`
	}
	err = tx.GetContext(ctx, &end, `
		SELECT coalesce(max(id), 0) AS last, coalesce(max(received_at), 0) AS newest
		FROM response WHERE workspace_id = ?`, p.id)
	if err != nil {
		return err
	}
	p.last, p.newest, p.nextReverse = end.Last, end.Newest, end.Last
	m := &marking{pruning: p, accounts: map[int64]*course{}}
	closeAll, err := m.open(ctx, tx)
	defer closeAll()
	if err != nil {
		return err
	}
	return eachOf(ctx, tx, `SELECT id, run_id, received_at, source FROM response WHERE workspace_id = ? ORDER BY id`, []any{p.id},
		func(scan func(...any) error) error {
			var id, run, received int64
			var source Source
			if err := scan((*number)(&id), (*number)(&run), (*number)(&received), &source); err != nil {
				return err
			}
			if err := m.found(run, received); err != nil {
				return err
			}
			return m.response(id, source)
		})
}

// open begins to read all that may have followed from snapshots, in the order of
// the responses.
func (m *marking) open(ctx context.Context, tx reader) (closeAll func(), err error) {
	var opened []*cursor[trace]
	for _, c := range []struct {
		to    **cursor[trace]
		query string
	}{
		{&m.snapshots, `SELECT response_id, account_id, 0 FROM snapshot ORDER BY response_id, account_id`},
		{&m.versions, `SELECT response_id, account_id, 0 FROM version ORDER BY id`},
		{&m.steps, `SELECT response_id, account_id, 0 FROM status_step ORDER BY id`},
		{&m.documents, `SELECT response_id, account_id, 0 FROM document ORDER BY id`},
		{&m.received, `SELECT response_id, account_id, 0 FROM received ORDER BY response_id, account_id`},
		{&m.resets, `SELECT response_id, account_id, body <> 'null' FROM usage WHERE pointer = '/resets_in' ORDER BY response_id`},
		{&m.absences, `SELECT run_id, account_id, since FROM absence ORDER BY run_id, id`},
	} {
		if *c.to, err = newCursor(ctx, tx, inOrder(c.query), c.query); err != nil {
			break
		}
		opened = append(opened, *c.to)
	}
	return func() {
		for _, c := range opened {
			c.close()
		}
	}, err
}

// inOrder reads traces, and refuses those that are not in the order in which a
// store writes them.
func inOrder(query string) func(*sql.Rows, *trace) error {
	last := int64(0)
	return func(rows *sql.Rows, t *trace) error {
		err := rows.Scan((*number)(&t.response), (*number)(&t.account), (*number)(&t.value))
		if err == nil && t.response < last {
			err = damagedRow("rows are not in their order", fmt.Errorf("%s: %d after %d", query, t.response, last))
		}
		last = t.response
		return err
	}
}

// found takes note of the absences that were found before a response of the run: see
// replay.findAbsent.
func (m *marking) found(run, received int64) error {
	for c := m.absences; c.ok && (c.next.response < run || c.next.response == run && c.next.value < received); {
		m.course(c.next.account).absent = true
		if err := c.advance(); err != nil {
			return err
		}
	}
	return nil
}

// response marks the snapshots of a response.
func (m *marking) response(id int64, source Source) error {
	for _, side := range []struct {
		from *cursor[trace]
		to   *map[int64]int64
	}{
		{m.versions, &m.began}, {m.steps, &m.stepped}, {m.documents, &m.brought}, {m.received, &m.moved}, {m.resets, &m.resetsIn},
	} {
		if err := collect(side.from, id, side.to); err != nil {
			return err
		}
	}
	err := upTo(m.snapshots, id, func(s *trace) {
		if s.response < id { // of another workspace
			return
		}
		reason := m.reason(s.account, id, source)
		if m.marked.add(reason != ""); reason != "" {
			m.done.Kept[reason]++
		}
	})
	m.done.Snapshots = m.marked.n
	m.progress(id, 2*m.last)
	return err
}

// collect takes the rows of the response, by account.
func collect(from *cursor[trace], response int64, to *map[int64]int64) error {
	clear(*to)
	return upTo(from, response, func(t *trace) {
		if t.response < response {
			return
		}
		if *to == nil {
			*to = map[int64]int64{}
		}
		(*to)[t.account] = t.value
	})
}

func (m *marking) course(account int64) *course {
	c := m.accounts[account]
	if c == nil {
		c = &course{}
		m.accounts[account] = c
	}
	return c
}

// reason says what followed from the snapshot; "" for nothing.
func (m *marking) reason(account, response int64, source Source) KeepReason {
	c, side := m.course(account), sideOf(source)
	if _, began := m.began[account]; began {
		c.version = response
	}
	resetting := c.resets
	if running, told := m.resetsIn[account]; told {
		c.resets = running != 0
	}
	first := c.seen[side] < c.version || c.seen[side] == 0
	c.seen[side] = response
	returns := c.absent && source != Detail
	if returns {
		c.absent = false
	}
	switch {
	case first:
		return KeepVersion
	case has(m.stepped, account):
		return KeepStatus
	case returns:
		return KeepAbsence
	case has(m.brought, account):
		return KeepDocument
	case has(m.moved, account), resetting, c.resets:
		return KeepCounters
	}
	return ""
}

func has(set map[int64]int64, account int64) bool {
	_, found := set[account]
	return found
}
