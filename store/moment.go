package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"
)

// Moment is what a workspace has on record of one instant: the snapshots of all
// responses that told the instant, as they were when a run began. A response tells
// the instant at which it was received. When several answers of an import tell the
// same instant, the store keeps each that contradicts the one before as of a later
// millisecond: these are the parts of the moment, numbered from 0 on.
type Moment struct {
	w      *RunWriter
	parts  []momentPart
	pruned bool // some of the snapshots are no longer there
	shown  map[string][]momentSnapshot
	failed map[string]bool // accounts that these runs could not understand
}

type momentPart struct {
	received int64 // when, as stored
	accounts int   // how many it shows that were not redacted
}

// momentSnapshot is a snapshot of a moment.
type momentSnapshot struct {
	part                        int
	account, response, document int64
	digest                      []byte // of the object as received; nil when not known
}

// momentResponse is a response of a moment.
type momentResponse struct {
	id, run, received, told int64
	source                  Source
	pruned                  bool
}

// Moment reads what the workspace has on record of the instant, to the
// millisecond; nil when no response told it. It is fastest for instants that
// ascend. It may be called beside the other methods, from one goroutine.
func (w *RunWriter) Moment(ctx context.Context, at time.Time) (m *Moment, err error) {
	err = w.store.view(ctx, func(tx *sqlx.Tx) error {
		responses, err := w.responsesOf(ctx, tx, ceilMS(at))
		if err != nil || len(responses) == 0 {
			return err
		}
		m = &Moment{w: w, shown: map[string][]momentSnapshot{}}
		for _, r := range responses {
			if err := m.read(ctx, tx, r); err != nil {
				return err
			}
		}
		return m.readFailed(ctx, tx, responses)
	})
	return m, err
}

// responsesOf lists the responses that told the instant. What imports tell only
// ever ascends, so one that tells a later instant ends the search.
func (w *RunWriter) responsesOf(ctx context.Context, tx *sqlx.Tx, at int64) (all []momentResponse, err error) {
	rows, err := newCursor(ctx, tx, func(rows *sql.Rows, r *momentResponse) error {
		return rows.Scan(&r.id, &r.run, &r.source, &r.received, &r.told, &r.pruned)
	}, `
		SELECT
			r.id,
			r.run_id,
			r.source,
			r.received_at,
			iif(r.source = 'import', r.received_at - r.held_ms, r.received_at),
			EXISTS (SELECT 1 FROM thinned t WHERE t.response_id = r.id)
		FROM response r
		WHERE r.workspace_id = ? AND r.received_at >= ? AND r.id < ?
		ORDER BY r.received_at, r.id`, w.heads.workspaceID, at, w.firstResponse)
	for err == nil && rows.ok && rows.next.told <= at {
		if rows.next.told == at {
			all = append(all, rows.next)
		}
		err = rows.advance()
	}
	return all, errors.Join(err, rows.close())
}

// read reads the snapshots of one response.
func (m *Moment) read(ctx context.Context, tx *sqlx.Tx, r momentResponse) error {
	if err := m.w.digests.reach(ctx, tx, m.w.heads.workspaceID, r.id); err != nil {
		return err
	}
	last := len(m.parts) - 1
	if last < 0 || m.parts[last].received != r.received {
		m.parts = append(m.parts, momentPart{received: r.received})
		last++
	}
	var hash string
	var brought bool
	s := momentSnapshot{part: last, response: r.id}
	err := eachOf(ctx, tx, `
		SELECT a.hash, s.account_id, s.document_id, x.response_id IS NOT NULL, x.digest
		FROM snapshot s
		JOIN account a ON a.id = s.account_id
		LEFT JOIN received x ON x.response_id = s.response_id AND x.account_id = s.account_id
		WHERE s.response_id = ?
		ORDER BY s.account_id`, []any{r.id}, func(scan func(...any) error) error {
		if err := scan(&hash, &s.account, &s.document, &brought, &s.digest); err != nil {
			return err
		}
		if r.source != Detail {
			s.digest = m.w.digests.after(s.account, brought, s.digest)
		}
		m.shown[hash] = append(m.shown[hash], s)
		if !m.w.withheld[hash] {
			m.parts[last].accounts++
		}
		return nil
	})
	if r.pruned { // digests may have gone too
		m.pruned = true
		m.w.digests.known = nil
	}
	return err
}

// readFailed reads which accounts the runs of the responses could not understand.
func (m *Moment) readFailed(ctx context.Context, tx *sqlx.Tx, responses []momentResponse) error {
	m.failed = map[string]bool{}
	run := int64(0)
	for _, r := range responses {
		if r.run == run {
			continue
		}
		run = r.run
		var accounts []string
		err := tx.SelectContext(ctx, &accounts,
			`SELECT DISTINCT account FROM failure WHERE run_id = ? AND account IS NOT NULL ORDER BY account`, run)
		if err != nil {
			return err
		}
		for _, account := range accounts {
			m.failed[account] = true
		}
	}
	return nil
}

// Find returns the number of the first part, not before the given one, that shows
// the account with the same object, counters included; -1 if there is none. Where
// the store cannot tell, because snapshots were pruned, the account was redacted,
// or its object was not understood, the answer is the given part.
func (m *Moment) Find(ctx context.Context, o *Observed, part int) (int, error) {
	if m.w.withheld[o.ID] {
		return part, nil
	}
	all := m.shown[o.ID]
	for _, s := range all {
		if s.part < part {
			continue
		}
		if same, err := m.same(ctx, s, o); same || err != nil {
			return s.part, err
		}
	}
	if m.pruned || m.failed[o.ID] && len(all) == 0 {
		return part, nil
	}
	return -1, nil
}

// Contradicts reports whether the last part shows the account with another object.
func (m *Moment) Contradicts(ctx context.Context, o *Observed) (bool, error) {
	all := m.shown[o.ID]
	if len(all) == 0 || all[len(all)-1].part != len(m.parts)-1 {
		return false, nil
	}
	same, err := m.same(ctx, all[len(all)-1], o)
	return !same, err
}

// Parts returns how many parts the moment has.
func (m *Moment) Parts() int { return len(m.parts) }

// Whole reports whether all snapshots are still there, and all accounts were
// understood.
func (m *Moment) Whole() bool { return !m.pruned && len(m.failed) == 0 }

// Redacted reports whether nothing of the account is stored any more.
func (m *Moment) Redacted(account string) bool { return m.w.withheld[account] }

// Accounts returns how many accounts a part shows that were not redacted.
func (m *Moment) Accounts(part int) int { return m.parts[part].accounts }

// same reports whether the snapshot showed the object.
func (m *Moment) same(ctx context.Context, s momentSnapshot, o *Observed) (same bool, err error) {
	if digest := o.Sum(); digest != nil && bytes.Equal(digest, s.digest) {
		return true, nil
	}
	apart, err := separate(o.Raw)
	if err != nil {
		return false, nil // such an object is no snapshot
	}
	err = m.w.store.view(ctx, func(tx *sqlx.Tx) error {
		var body sql.NullString
		if err := tx.GetContext(ctx, &body, `SELECT body FROM document WHERE id = ?`, s.document); err != nil {
			return err
		}
		if !body.Valid || body.String != string(apart.body) {
			return nil
		}
		values, err := countersAt(ctx, tx, s.account, s.response)
		same = err == nil
		for _, u := range apart.usage {
			known, moved := values[u.pointer]
			if moved && string(known) != string(u.body) || !moved && string(u.body) != "null" {
				same = false
			}
		}
		return err
	})
	return same, err
}

// maxDigests bounds a digestCache, at about a hundred bytes each.
const maxDigests = 1 << 16

// digestCache has the digests of what lists and imports last showed of accounts,
// by the number of the account. A snapshot that brought no digest showed the same
// bytes as the one before, so they hold as long as no response is left out.
type digestCache struct {
	last  int64 // the response up to which they hold
	known map[int64][]byte
}

// reach moves on to a response: what is known is forgotten when there are others of
// the workspace between.
func (c *digestCache) reach(ctx context.Context, tx *sqlx.Tx, workspace, response int64) error {
	var between bool
	err := tx.GetContext(ctx, &between, `SELECT EXISTS (SELECT 1 FROM response WHERE id > ? AND id < ? AND workspace_id = ?)`,
		c.last, response, workspace)
	if between || response < c.last || len(c.known) > maxDigests {
		c.known = nil
	}
	c.last = response
	return err
}

// after is the digest of a snapshot of the account, which brought one or not.
func (c *digestCache) after(account int64, brought bool, digest []byte) []byte {
	if !brought {
		return c.known[account]
	}
	if c.known == nil {
		c.known = map[int64][]byte{}
	}
	c.known[account] = bytes.Clone(digest)
	return c.known[account]
}
