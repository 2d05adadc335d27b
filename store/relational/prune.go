package relational

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
	"github.com/lobstrail/lobstrail/store/retain"
)

// PlanPrune returns what [Store.Prune] would do, and does nothing.
func (s *Store) PlanPrune(ctx context.Context, workspace string, keep store.Keep) (store.Pruned, error) {
	var p pruning
	err := s.db.Read(ctx, func(tx Tx) error { return p.decide(ctx, tx, workspace, keep) })
	return p.done, err
}

// Prune drops responses of a workspace that show nothing new, with the snapshots that
// they stand for, and gives the space back.
//
// A response is kept, whatever the policy, when it showed something new of an account,
// when it is the last one before such a response that showed the same account (the
// windows of changes rest on it), and when it is the newest of its page. So all that is
// derived is the same before and after. What moments are told to have shown (accounts
// and when they were seen, at a time) is as of the last response before them that was
// kept.
//
// The log keeps the hashes of the entries whose responses were all dropped, and each
// transaction adds an entry that says what it dropped. Transactions are bounded: a
// prune that is broken off has done a part of its work, and the next one with the same
// policy does the rest. The rows are gone from the file only where the space is given
// back, for which the disk needs room for another copy of the store; where it has none,
// ErrFull is returned, and all else is done.
//
// The store must have been opened for writing. progress, unless nil, is called from
// time to time. It returns ErrNotFound for a workspace without history.
func (s *Store) Prune(ctx context.Context, workspace string, keep store.Keep, progress func(done, total int64)) (store.Pruned, error) {
	if err := s.db.CanWrite(); err != nil {
		return store.Pruned{}, err
	}
	defer s.forget()
	// Nobody may write between the decision and the deed.
	if err := s.db.Lock(ctx, workspace); err != nil {
		return store.Pruned{}, err
	}
	var p pruning
	if err := s.db.Read(ctx, func(tx Tx) error { return p.decide(ctx, tx, workspace, keep) }); err != nil {
		return p.done, err
	}
	for i := 0; i < len(p.dropped); i += s.AtOnce.Dropped {
		if err := ctx.Err(); err != nil {
			return p.done, context.Cause(ctx)
		}
		some := p.dropped[i:min(i+s.AtOnce.Dropped, len(p.dropped))]
		p.left = slices.DeleteFunc(p.left, func(at int64) bool {
			_, gone := slices.BinarySearch(some, at)
			return gone
		})
		from := p.entry
		err := s.db.Write(ctx, []string{workspace}, func(tx Tx) error {
			p.entry, p.ws.log = from, nil
			return p.drop(ctx, s, tx, floorMS(s.now()), some)
		})
		if err != nil {
			return p.done, err
		}
		if progress != nil {
			progress(int64(i+len(some)), int64(len(p.dropped)))
		}
	}
	var err error
	if p.done.BytesBefore, p.done.BytesAfter, err = s.db.Shrink(ctx); err != nil {
		return p.done, fmt.Errorf("space could not be given back: %w", err)
	}
	return p.done, nil
}

// pruning is a prune while it runs.
type pruning struct {
	ws      workspace
	keep    store.Keep
	dropped []int64 // responses, in order
	left    []int64 // those that are there and not dropped yet
	entry   int64   // see dropLines
	done    store.Pruned
}

// decide finds the responses that are dropped.
func (p *pruning) decide(ctx context.Context, tx Tx, workspace string, keep store.Keep) (err error) {
	p.keep, p.ws.name, p.done.Kept = keep, workspace, map[store.KeepReason]int64{}
	if p.ws.id, err = WorkspaceID(ctx, tx, workspace); err != nil {
		return err
	}
	if p.ws.id == 0 {
		return store.ErrNotFound
	}
	responses, err := p.read(ctx, tx)
	if err != nil {
		return err
	}
	for i, reason := range retain.Reasons(responses, keep) {
		p.done.Snapshots += responses[i].Shown
		p.left = append(p.left, responses[i].At)
		if reason != "" {
			p.done.Kept[reason] += responses[i].Shown
			continue
		}
		p.dropped = append(p.dropped, responses[i].At)
		p.done.Thinned += responses[i].Shown
		p.done.Responses++
	}
	return nil
}

// read reads the responses, and marks those on which windows rest.
func (p *pruning) read(ctx context.Context, tx Tx) (responses []retain.Response, err error) {
	slots, bySlot := map[[2]int64]int{}, [][]int{}
	err = Each(ctx, tx, `SELECT at, source, slot, shown, news > 0 FROM response WHERE ws = ? ORDER BY at`, []any{p.ws.id},
		func(scan func(...any) error) error {
			var r retain.Response
			var key [2]int64
			if err := scan(&r.At, &key[0], &key[1], &r.Shown, &r.News); err != nil {
				return err
			}
			slot, known := slots[key]
			if !known {
				slot = len(bySlot)
				slots[key], bySlot = slot, append(bySlot, nil)
			}
			r.Slot = slot
			bySlot[slot] = append(bySlot[slot], len(responses))
			responses = append(responses, r)
			return nil
		})
	if err != nil {
		return nil, err
	}
	// window marks the last response of a page before the instant.
	window := func(slot int, at int64) {
		all := bySlot[slot]
		i, _ := slices.BinarySearchFunc(all, at, func(i int, at int64) int { return int(min(1, max(-1, responses[i].At-at))) })
		if i > 0 {
			responses[all[i-1]].Window = true
		}
	}
	for _, r := range responses {
		if r.News {
			window(r.Slot, r.At)
		}
	}
	// The windows of what was noticed of an account rest on all pages that showed it. Of one
	// that it had left, they rest on the last response before that, which was news.
	return responses, Each(ctx, tx, `
		SELECT DISTINCT n.at, s.source, s.slot
		FROM (
			SELECT account, at FROM version WHERE ws = ?1
			UNION
			SELECT account, at FROM status_step WHERE ws = ?1
		) n
		ORDERED JOIN shown s ON s.ws = ?1 AND s.account = n.account AND s.first < n.at AND s.last >= n.at`, []any{p.ws.id}, func(scan func(...any) error) error {
		var at int64
		var key [2]int64
		err := scan(&at, &key[0], &key[1])
		if slot, known := slots[key]; known && err == nil {
			window(slot, at)
		}
		return err
	})
}

// drop drops responses, in one transaction.
func (p *pruning) drop(ctx context.Context, s *Store, tx Tx, now int64, dropped []int64) error {
	list, err := json.Marshal(dropped)
	if err != nil {
		return err
	}
	line := ledger.Prune{At: now, Keep: ledger.Keep{
		WithinMS: p.keep.Within.Milliseconds(), Hourly: int64(p.keep.Hourly), Daily: int64(p.keep.Daily),
		Weekly: int64(p.keep.Weekly), Monthly: int64(p.keep.Monthly),
	}}
	err = tx.GetContext(ctx, &line.Snapshots, `
		SELECT coalesce(sum(shown), 0) FROM response WHERE ws = ? AND at IN (SELECT value FROM numbers(?))`, p.ws.id, string(list))
	if err != nil {
		return err
	}
	if err := p.dropLines(ctx, tx, dropped, &line); err != nil {
		return err
	}
	if err := s.db.AllowErasing(ctx, tx, true); err != nil {
		return err
	}
	for _, do := range []struct {
		statement string
		args      []any
	}{
		{`DELETE FROM response WHERE ws = ? AND at IN (SELECT value FROM numbers(?))`, []any{p.ws.id, string(list)}},
		{`UPDATE entry SET text = NULL WHERE ws = ? AND id IN (SELECT value FROM numbers(?))`, []any{p.ws.id, numbersOf(line.Entries)}},
	} {
		if err := tx.Exec(ctx, do.statement, do.args...); err != nil {
			return err
		}
	}
	if err := s.db.AllowErasing(ctx, tx, false); err != nil {
		return err
	}
	return p.ws.appendEntry(ctx, tx, line.Line())
}

// dropLines finds the entries of which nothing is left, and the responses of the
// others. Entries name responses in the order of their instants: it goes on from where
// it stopped.
func (p *pruning) dropLines(ctx context.Context, tx Tx, dropped []int64, line *ledger.Prune) error {
	var entries, responses []int64
	done := errors.New("done")
	err := Each(ctx, tx, `SELECT id, text FROM entry WHERE ws = ? AND id >= ? AND text IS NOT NULL ORDER BY id`, []any{p.ws.id, p.entry}, func(scan func(...any) error) error {
		var id int64
		var text string
		if err := scan(&id, &text); err != nil {
			return err
		}
		lines, err := ledger.EntryLines(text)
		if err != nil {
			return Damaged("entry", err)
		}
		found, empty := []int64(nil), true
		for _, l := range lines {
			what, at := ledger.Subject(l)
			if what == "response" && at > dropped[len(dropped)-1] && found == nil {
				return done
			}
			if _, gone := slices.BinarySearch(dropped, at); what == "response" && gone {
				found = append(found, at)
			} else if _, there := slices.BinarySearch(p.left, at); what != "response" || there {
				empty = false
			}
		}
		switch p.entry = id; {
		case found == nil:
		case empty:
			entries = append(entries, id)
		default:
			responses = append(responses, found...)
		}
		return nil
	})
	if errors.Is(err, done) {
		err = nil
	}
	line.Entries, line.Responses = ledger.Ranges(entries), ledger.Ranges(responses)
	return err
}

// numbersOf are the numbers in ranges, as a JSON list.
func numbersOf(ranges []ledger.Range) string {
	numbers := []int64{}
	for _, r := range ranges {
		for n := r.First; n <= r.Last; n++ {
			numbers = append(numbers, n)
		}
	}
	list, _ := json.Marshal(numbers) // of numbers
	return string(list)
}
