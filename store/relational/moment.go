package relational

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/fold"
)

// past takes the responses that were there when a run began through package fold again,
// as far as instants are asked for.
type past struct {
	next func() (looked, bool)
	stop func()
	now  looked // the next response, unless at its end
	more bool
	err  error
	// asked is the instant that was asked for last, and answer what was found; nil: nothing.
	asked  int64
	answer *moments
	// What keeps the store from telling what there was: responses were pruned, and runs
	// could not understand accounts, by run.
	pruned sql.NullBool
	failed map[int64][]string
}

// looked is a response, and what it showed.
type looked struct {
	fold.Response
	shown []snapshotOf
}

// snapshotOf is an account as a response showed it.
type snapshotOf struct {
	id       string
	body     []byte
	counters fold.Counters
	unknown  bool // it was redacted
	part     int
}

// openPast begins to read the past on a connection of its own.
func (w *RunWriter) openPast(ctx context.Context) *past {
	p := &past{failed: map[int64][]string{}}
	p.next, p.stop = iter.Pull(func(yield func(looked) bool) {
		p.err = w.store.db.ReadApart(ctx, func(tx Tx) error {
			rows, err := RowsOf(ctx, tx, w.ws.id, w.ws.name)
			if err != nil {
				return err
			}
			_, err = fold.Replay(rows.Evidence, noRules, func(r fold.Response, d *fold.Delta) error {
				if r.Run >= w.id || !yield(looked{r, snapshotsOf(d)}) {
					return errStopped
				}
				return nil
			})
			return err
		})
		if errors.Is(p.err, errStopped) {
			p.err = nil
		}
	})
	p.step()
	return p
}

var errStopped = errors.New("stopped")

// noRules find nothing in states: what they mean is of no matter here.
var noRules = store.Rules{Compare: func(_, _ store.State) (store.Facts, []store.Change, error) { return store.Facts{}, nil, nil }}

func snapshotsOf(d *fold.Delta) []snapshotOf {
	all := make([]snapshotOf, len(d.Shown))
	for i, s := range d.Shown {
		a := s.Account
		all[i] = snapshotOf{id: a.ID, body: a.Said[s.Endpoint].Body, counters: slices.Clone(a.Counters), unknown: len(a.Salt) == 0}
	}
	return all
}

func (p *past) step() { p.now, p.more = p.next() }

// close ends the reading. A past that was not opened is nil.
func (p *past) close() {
	if p != nil {
		p.stop()
	}
}

// moments is a [store.Moment].
type moments struct {
	withheld map[string]bool // accounts that were redacted
	shown    map[string][]snapshotOf
	parts    []int                  // how many accounts each shows
	pages    int                    // responses of the last part
	current  map[string]*snapshotOf // what the last part shows
	unsure   bool                   // some of its responses were pruned
	failed   map[string]bool        // accounts that these runs could not understand
}

// PastReads is how often the past was read from its beginning for Moment.
func (w *RunWriter) PastReads() int { return w.pastReads }

// Moment reads what the workspace had on record of the instant when the run began, to
// the millisecond; nil when no response told it.
func (w *RunWriter) Moment(ctx context.Context, at time.Time) (store.Moment, error) {
	told := ceilMS(at)
	if w.past == nil || w.past.err != nil || told < w.past.asked {
		w.past.close()
		w.past = w.openPast(ctx)
		w.pastReads++
		w.store.past = w.past
	}
	if w.past.asked < told {
		var err error
		if w.past.answer, err = w.readMoment(ctx, told); err != nil {
			return nil, err
		}
		w.past.asked = told
	}
	if w.past.answer == nil {
		return nil, nil
	}
	return w.past.answer, nil
}

// readMoment reads on to an instant. What lies before it is passed over.
func (w *RunWriter) readMoment(ctx context.Context, told int64) (*moments, error) {
	m := &moments{withheld: w.withheld, shown: map[string][]snapshotOf{}}
	runs := map[int64]bool{}
	for ; w.past.more && w.past.now.told() <= told; w.past.step() {
		if w.past.now.told() == told {
			m.take(&w.past.now)
			runs[w.past.now.Run] = true
		}
	}
	if w.past.err != nil {
		return nil, w.store.db.Failure(w.past.err)
	}
	if len(runs) == 0 {
		return nil, nil
	}
	return m, w.store.db.Read(ctx, func(tx Tx) error { return w.past.readDoubts(ctx, tx, w.ws.id, runs, m) })
}

// told is the instant that a response tells.
func (r *looked) told() int64 {
	if r.Source == store.Import {
		return r.At - r.HeldMS
	}
	return r.At
}

// take takes a response. The first page of an answer, and one that shows an account of
// the part with another object, begins another part.
func (m *moments) take(r *looked) {
	shown, another := r.shown, len(m.parts) == 0 || r.Source == store.Import && r.Slot == -1
	for i := range shown {
		before := m.current[shown[i].id]
		another = another || before != nil && !before.equals(&shown[i])
	}
	if another {
		m.parts, m.pages, m.current = append(m.parts, 0), 0, map[string]*snapshotOf{}
	}
	m.pages++
	last := len(m.parts) - 1
	for i := range shown {
		s := &shown[i]
		s.part = last
		m.shown[s.id] = append(m.shown[s.id], *s)
		m.current[s.id] = s
		if !m.withheld[s.id] {
			m.parts[last]++
		}
	}
}

// equals reports whether two snapshots of an account showed the same object.
func (s *snapshotOf) equals(t *snapshotOf) bool {
	return bytes.Equal(s.body, t.body) && slices.EqualFunc(s.counters, t.counters, func(a, b document.Counter) bool {
		return a.Pointer == b.Pointer && bytes.Equal(a.Body, b.Body)
	})
}

// readDoubts adds what keeps the store from telling what there was. It is read once: while
// the run goes on nobody prunes, and earlier runs are over.
func (p *past) readDoubts(ctx context.Context, tx Tx, ws int64, runs map[int64]bool, m *moments) error {
	if !p.pruned.Valid {
		if err := tx.GetContext(ctx, &p.pruned, `SELECT EXISTS (SELECT 1 FROM entry WHERE ws = ? AND text IS NULL)`, ws); err != nil {
			return err
		}
	}
	m.unsure, m.failed = p.pruned.Bool, map[string]bool{}
	for run := range runs {
		ids, known := p.failed[run]
		if !known {
			err := tx.SelectContext(ctx, &ids, `SELECT DISTINCT account FROM failure WHERE ws = ? AND run = ? AND account IS NOT NULL`, ws, run)
			if err != nil {
				return err
			}
			p.failed[run] = ids
		}
		for _, id := range ids {
			m.failed[id] = true
		}
	}
	return nil
}

// Find is for [store.Moment].
func (m *moments) Find(_ context.Context, o *store.Observed, part int) (int, error) {
	all := m.shown[o.ID]
	if m.withheld[o.ID] || len(all) > 0 && all[0].unknown {
		return part, nil
	}
	for _, s := range all {
		if s.part >= part && s.same(o) {
			return s.part, nil
		}
	}
	if m.unsure || m.failed[o.ID] && len(all) == 0 {
		return part, nil
	}
	return -1, nil
}

// Contradicts is for [store.Moment].
func (m *moments) Contradicts(_ context.Context, o *store.Observed) (bool, error) {
	all := m.shown[o.ID]
	if len(all) == 0 || all[len(all)-1].part != len(m.parts)-1 {
		return false, nil
	}
	return !all[len(all)-1].same(o), nil
}

// Parts is for [store.Moment].
func (m *moments) Parts() int { return len(m.parts) }

// Pages is for [store.Moment].
func (m *moments) Pages() int { return m.pages }

// Whole is for [store.Moment].
func (m *moments) Whole() bool { return !m.unsure && len(m.failed) == 0 }

// Redacted is for [store.Moment].
func (m *moments) Redacted(account string) bool { return m.withheld[account] }

// Accounts is for [store.Moment].
func (m *moments) Accounts(part int) int { return m.parts[part] }

// same reports whether the snapshot showed the object.
func (s *snapshotOf) same(o *store.Observed) bool {
	parts, err := document.Split(o.Raw)
	if err != nil || !bytes.Equal(parts.Body, s.body) {
		return false // an object that is not understood is no snapshot
	}
	return !slices.ContainsFunc(parts.Counters, func(c document.Counter) bool { return s.counters.Find(c.Pointer).MovesTo(c) })
}
