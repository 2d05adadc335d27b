package relational

import (
	"bytes"
	"context"
	"crypto/sha256"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/fold"
	"github.com/lobstrail/lobstrail/store/ledger"
	"github.com/lobstrail/lobstrail/store/verify"
)

// write writes a batch in one transaction.
func (c *copying) write(ctx context.Context, b *copyBatch) error {
	var t *copyTransaction
	err := c.to.update(ctx, c.name, func(tx Tx, w *workspace) error {
		if c.standing == nil || c.standing.w != w {
			if err := c.stand(ctx, tx, w); err != nil {
				return err
			}
		}
		t = &copyTransaction{copying: c, tx: tx, copyStanding: c.standing, b: b, since: w.known.LastAt + 1}
		t.reset()
		for i := range b.entries {
			if err := t.entry(ctx, i); err != nil {
				return err
			}
		}
		return t.flush(ctx)
	})
	if err != nil {
		c.standing = nil
		return err
	}
	if b.last {
		c.to.forget()
		c.standing = nil
	}
	c.done += int64(len(b.entries))
	for _, told := range b.told {
		c.erased = append(c.erased, told.Erased...)
		c.copied.Snapshots += told.Response.Shown
	}
	c.copied.Responses += int64(len(b.told))
	c.copied.Redacted += t.redacted
	c.copied.Pruned += t.pruned
	c.pruned += t.pruned
	return nil
}

// copyTransaction is one transaction of a copy. What responses change is gathered, and
// written at once.
type copyTransaction struct {
	*copying
	*copyStanding
	tx               Tx
	b                *copyBatch
	told             int // how many of the batch were taken, as failures and left are
	failures         int
	left             int
	since            int64 // the first instant of what is gathered
	responses        []fold.Response
	delta            fold.Delta
	touched          map[*fold.Account]bool
	counts           map[int64]*runCounts // by run
	logged           []verify.Entry
	emptied          []failureRow // whose messages were redacted
	redacted, pruned int64
}

// runCounts is what responses and failures add to the row of their run.
type runCounts struct {
	changed, unchanged, gone, failed, first, last int64
}

func (t *copyTransaction) reset() {
	t.since, t.responses, t.delta, t.logged, t.emptied = t.w.known.LastAt+1, nil, fold.Delta{}, nil, nil
	t.touched, t.counts = map[*fold.Account]bool{}, map[int64]*runCounts{}
}

// entry takes an entry.
func (t *copyTransaction) entry(ctx context.Context, i int) error {
	for _, line := range t.b.lines[i] {
		if err := t.line(ctx, line); err != nil {
			return err
		}
	}
	e := t.b.entries[i]
	if e.Number != t.w.log.Size+1 {
		return t.damaged("entry %d follows entry %d", e.Number, t.w.log.Size)
	}
	hashes, err := nextHashes(t.w.log, e)
	if err != nil {
		return err
	}
	if !slices.Equal(hashes, e.Hashes) {
		return t.damaged("the text or the hashes of entry %d are not those of the tree", e.Number)
	}
	t.w.log.Add(hashes)
	t.logged = append(t.logged, e)
	return nil
}

// nextHashes are the hashes of the next entry of a log.
func nextHashes(log *ledger.Frontier, e verify.Entry) ([]ledger.Hash, error) {
	if e.Pruned {
		return tlog.StoredHashesForRecordHash(log.Size, e.Hashes[0], log)
	}
	return log.Hashes(e.Text)
}

func (t *copyTransaction) line(ctx context.Context, line string) error {
	switch what, number := ledger.Subject(line); what {
	case "run":
		return t.run(ctx, line)
	case "response":
		if ledger.Contains(t.plan.dropped.responses, number) {
			return nil
		}
		return t.response(ctx, line)
	case "failure":
		return t.failure(ctx)
	case "absence":
		return t.absence(ctx, line)
	case "prune":
		return t.prune(ctx, line)
	case "redaction":
		return t.redact(ctx, line)
	}
	return t.damaged("a line of the log is of no kind that there is: %.40q", line)
}

// response folds a response again, and gathers what it changes.
func (t *copyTransaction) response(ctx context.Context, line string) error {
	told := t.b.told[t.told]
	t.told++
	for _, a := range t.again.Unfinished(told) {
		if err := t.w.complete(ctx, t.tx, a); err != nil {
			return err
		}
	}
	stored := told.Response
	if err := t.w.loadPage(ctx, t.tx, fold.Slot{Source: stored.Source, Number: stored.Slot}); err != nil {
		return err
	}
	d, err := t.again.Fold(told)
	if err != nil {
		return Place(t.from.db.Path(), err)
	}
	if err := t.checkLine(told, d.Response.Root, line); err != nil {
		return err
	}
	if len(d.Squids) > 0 {
		return t.damaged("squid %s is missing", d.Squids[0].ID)
	}
	if stored.News, err = t.newsOf(stored, d); err != nil {
		return err
	}
	t.responses = append(t.responses, stored)
	t.gather(d)
	n := t.countsOf(stored.Run)
	n.changed, n.unchanged, n.gone = n.changed+stored.Changed, n.unchanged+stored.Shown-stored.Absent-stored.Changed, n.gone+stored.Gone
	if n.last = stored.At; n.first == 0 {
		n.first = stored.At
	}
	return nil
}

// newsOf is of how many accounts the response showed something new: that follows from the
// evidence, and from the rules. Of accounts that were redacted it is not known any more.
func (t *copyTransaction) newsOf(stored fold.Response, d *fold.Delta) (int64, error) {
	switch {
	case d.Done.Withheld > 0:
		return max(stored.News, d.Response.News), nil
	case t.plan.ruled && d.Response.News != stored.News:
		return 0, t.damaged("the response of %d showed something new of %d accounts, and not of %d", stored.At, d.Response.News, stored.News)
	}
	return d.Response.News, nil
}

// gather adds what a response changes to what is to be written.
func (t *copyTransaction) gather(d *fold.Delta) {
	all := &t.delta
	all.Accounts, all.Facts, all.Usage = append(all.Accounts, d.Accounts...), append(all.Facts, d.Facts...), append(all.Usage, d.Usage...)
	all.Entered, all.Left = append(all.Entered, d.Entered...), append(all.Left, d.Left...)
	all.Versions, all.Changes, all.Steps = append(all.Versions, d.Versions...), append(all.Changes, d.Changes...), append(all.Steps, d.Steps...)
	all.Names, all.Assignments = append(all.Names, d.Names...), append(all.Assignments, d.Assignments...)
	all.Ended, all.Relisted = append(all.Ended, d.Ended...), append(all.Relisted, d.Relisted...)
	for _, a := range d.Touched {
		t.touched[a] = true
	}
}

func (t *copyTransaction) countsOf(run int64) *runCounts {
	if t.counts[run] == nil {
		t.counts[run] = &runCounts{}
	}
	return t.counts[run]
}

// flush writes what was gathered.
func (t *copyTransaction) flush(ctx context.Context) error {
	if err := t.insertIcons(ctx); err != nil {
		return err
	}
	if err := t.insertSquids(ctx); err != nil {
		return err
	}
	if err := t.w.insertResponses(ctx, t.tx, t.responses...); err != nil {
		return err
	}
	if err := t.w.applyRest(ctx, t.tx, &t.delta); err != nil {
		return err
	}
	if err := t.emptySalts(ctx); err != nil {
		return err
	}
	if err := t.w.save(ctx, t.tx, t.since, t.touched, t.delta.Usage); err != nil {
		return err
	}
	for _, run := range slices.Sorted(maps.Keys(t.counts)) {
		if err := t.addCounts(ctx, run); err != nil {
			return err
		}
	}
	err := insertRows(ctx, t.tx, `INSERT INTO entry (ws, id, text, hashes) VALUES`, t.logged, func(values []any, e verify.Entry) []any {
		var text any
		if !e.Pruned {
			text = withoutHeader(e.Text)
		}
		return append(values, t.w.id, e.Number, text, hashBytes(e.Hashes))
	})
	t.reset()
	return err
}

// insertIcons writes the icons that facts refer to.
func (t *copyTransaction) insertIcons(ctx context.Context) error {
	for _, icon := range t.b.icons {
		if digest := sha256.Sum256([]byte(icon.text)); !bytes.Equal(digest[:], icon.digest) {
			return t.damaged("the digest of an icon does not match the content")
		}
		err := t.tx.Exec(ctx, `INSERT INTO icon (ws, digest, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, t.w.id, icon.digest, icon.text)
		if err != nil {
			return err
		}
	}
	return nil
}

// insertSquids writes the squids that accounts name for the first time. They keep their
// numbers: those that only a redacted account named come when its redaction comes.
func (t *copyTransaction) insertSquids(ctx context.Context) error {
	var named []int64
	for _, g := range t.delta.Assignments {
		named = append(named, g.Squid)
	}
	for _, n := range t.delta.Names {
		named = append(named, n.Squid)
	}
	return t.nameSquids(ctx, named)
}

func (t *copyTransaction) nameSquids(ctx context.Context, named []int64) error {
	slices.Sort(named)
	var squids []fold.Squid
	for _, number := range slices.Compact(named) {
		if t.squids[number] {
			continue
		}
		id, known := t.plan.ids[number]
		if !known {
			return t.damaged("squid %d is missing", number)
		}
		t.squids[number] = true
		squids = append(squids, fold.Squid{Number: number, ID: id})
	}
	return t.w.insertSquids(ctx, t.tx, squids)
}

// addCounts moves the counters of a run.
func (t *copyTransaction) addCounts(ctx context.Context, run int64) error {
	n := t.counts[run]
	return t.tx.ExecOne(ctx, `
		UPDATE run
		SET changed = changed + ?, unchanged = unchanged + ?, gone = gone + ?, failed = failed + ?,
			first_at = coalesce(first_at, ?), last_at = coalesce(?, last_at)
		WHERE ws = ? AND id = ?`, n.changed, n.unchanged, n.gone, n.failed, zeroIsNull(n.first), zeroIsNull(n.last), t.w.id, run)
}
