package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// thinnedRow is a row of table thinned.
type thinnedRow struct {
	spot
	ledger.Thinned
	whole bool // the hash is one
}

// thinnings hold the snapshots that are missing to what prunes say of them. The
// last line about each response is true.
type thinnings struct {
	rows *cursor[thinnedRow]
	made map[int64]string // the line of each response that lacks snapshots, as its rows have it
	told map[int64]bool   // and that the last line about a response is that one
}

func newThinnings(ctx context.Context, tx *txn, after int64) (t thinnings, err error) {
	t = thinnings{made: map[int64]string{}, told: map[int64]bool{}}
	t.rows, err = newCursor(ctx, tx, func(rows *sql.Rows, r *thinnedRow) error {
		var hash []byte
		err := rows.Scan(&r.response, &r.First, &r.Size, &hash)
		r.whole = copy(r.Hash[:], hash) == len(r.Hash)
		return err
	}, `SELECT response_id, first, size, hash FROM thinned WHERE response_id > ? ORDER BY response_id, first`, after)
	return t, err
}

// page answers how many snapshots a response showed, and the root of the tree over
// them.
func (c *logCheck) page(response int64, leaves []ledger.Hash) (shown int64, root ledger.Hash, err error) {
	shown = int64(len(leaves))
	var thinned []ledger.Thinned
	err = upTo(c.thinned.rows, response, func(r *thinnedRow) {
		if r.response < response || !r.whole {
			c.find("thinned", thinnedName(r), "belongs to no response that an entry names, or has no hash")
			return
		}
		thinned = append(thinned, r.Thinned)
		shown += r.Size
	})
	if err != nil || len(thinned) == 0 {
		return shown, ledger.Root(leaves), err
	}
	page, err := ledger.NewPage(shown, leaves, thinned)
	if err != nil {
		c.find("thinned", fmt.Sprintf("response %d", response), "does not fit the page: %v", err)
		return shown, root, nil
	}
	c.thinned.made[response] = thinningOf(response, page)
	return shown, page.Root(), nil
}

func thinnedName(r *thinnedRow) string {
	return fmt.Sprintf("response %d, first %d", r.response, r.First)
}

// thinningOf is the line of a response of which snapshots are missing.
func thinningOf(response int64, page *ledger.Page) string {
	return ledger.Thinning{Response: response, Gone: page.Gone(func(int64) bool { return false })}.Line()
}

// thinning takes the line about the thinning out of a response. Of one before the
// entries that are checked, the rows are looked up.
func (c *logCheck) thinning(ctx context.Context, l lineOf, before int64) error {
	if _, err := ledger.ParseThinning(l.text); err != nil {
		c.find("entry", l.entry, "%v", err)
		return nil
	}
	if _, known := c.thinned.told[l.subject]; !known && l.subject <= before {
		if err := c.lookUp(ctx, l.subject); err != nil {
			return err
		}
	}
	c.thinned.told[l.subject] = c.thinned.made[l.subject] == l.text
	return nil
}

// lookUp makes the line of one response.
func (c *logCheck) lookUp(ctx context.Context, response int64) error {
	all, err := shownBy(ctx, c.tx, response)
	if err != nil {
		return err
	}
	size, err := c.reader.shownOf(ctx, response, len(all))
	if err != nil {
		return err
	}
	_, page, err := c.reader.page(ctx, response, size)
	if err == nil {
		c.thinned.made[response] = thinningOf(response, page)
	}
	return err
}

// plain takes a line that is about no row.
func (c *logCheck) plain(l lineOf) {
	if _, err := ledger.ParsePrune(l.text); err != nil {
		c.find("entry", l.entry, "has a line of an unknown kind: %.60q", l.text)
	}
}

// end compares what is missing with what prunes said.
func (t *thinnings) end(c *logCheck) error {
	for response, line := range t.made {
		if !t.told[response] {
			c.find("thinned", fmt.Sprintf("response %d", response), "the last prune does not name these missing snapshots: %q", line)
		}
	}
	for response := range t.told {
		if t.made[response] == "" {
			c.find("thinned", fmt.Sprintf("response %d", response), "a prune names snapshots that are not missing, or a response that does not exist")
		}
	}
	return upTo(t.rows, noMore, func(r *thinnedRow) {
		c.find("thinned", thinnedName(r), "belongs to no response that an entry names")
	})
}
