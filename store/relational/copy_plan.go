package relational

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/fold"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// copyStart is where a target stands.
type copyStart struct {
	tree     tlog.Tree
	position fold.Position
}

// follows returns an error unless the source goes on from where the target stands.
func (c *copying) follows(ctx context.Context, tx Tx, ws int64) error {
	rules, err := c.from.db.Rules(ctx, tx, ws)
	if err != nil {
		return err
	}
	if rules > c.to.rules.Version {
		return Place(c.from.db.Path(), fmt.Errorf("%w: derived by rules %d, this one has %d", store.ErrNewer, rules, c.to.rules.Version))
	}
	c.plan.ruled = rules == c.to.rules.Version
	if c.tree, err = treeOf(ctx, tx, ws); err != nil {
		return err
	}
	c.entries = c.tree.N - c.start.tree.N
	err = extends(ctx, tx, ws, c.start.tree)
	if !errors.Is(err, store.ErrRewritten) {
		return err
	}
	if c.entries < 0 {
		return fmt.Errorf("workspace %q: %w: %s has %d entries, %s has %d", c.name, store.ErrDiverged,
			c.to.db.Path(), c.start.tree.N, c.from.db.Path(), c.tree.N)
	}
	return fmt.Errorf("workspace %q: %w: the %d entries of %s are not the first %d of %s", c.name, store.ErrDiverged,
		c.start.tree.N, c.to.db.Path(), c.start.tree.N, c.from.db.Path())
}

// readStart reads where the target stands.
func (c *copying) readStart(tx Tx) error {
	ctx := context.Background()
	ws, err := WorkspaceID(ctx, tx, c.name)
	if err != nil {
		return err
	}
	if c.start.tree, err = treeOf(ctx, tx, ws); err != nil {
		return err
	}
	p := fold.Position{Pages: map[fold.Slot]int64{}}
	err = Each(ctx, tx, `SELECT source, slot, max(at) FROM response WHERE ws = ? GROUP BY source, slot`, []any{ws}, func(scan func(...any) error) error {
		var source, slot, at int64
		if err := scan(&source, &slot, &at); err != nil {
			return err
		}
		name, err := sourceName(source)
		p.Pages[fold.Slot{Source: name, Number: slot}] = at
		p.At = max(p.At, at)
		return err
	})
	if err == nil {
		err = tx.GetContext(ctx, &p.NextAccount, `SELECT coalesce(max(id), 0) + 1 FROM account WHERE ws = ?`, ws)
	}
	c.start.position, c.done = p, c.start.tree.N
	c.copied = store.Copied{Workspace: c.name, Before: c.start.tree.N}
	return err
}

// copyPlan is what is known of the source before its entries are read.
type copyPlan struct {
	ruled   bool        // it was derived by the rules of the target
	dropped copyDropped // what prunes will drop
	squids  map[string]int64
	ids     map[int64]string // of squids, by number
}

// copyDropped are entries and responses that later entries say were dropped.
type copyDropped struct{ entries, responses []ledger.Range }

// readPlan reads what must be known before the entries are read.
func (c *copying) readPlan(ctx context.Context, tx Tx, ws int64) (err error) {
	if c.plan.dropped, err = readDropped(ctx, tx, ws, c.start.tree.N+1); err != nil {
		return err
	}
	if c.plan.squids, err = squidNumbers(ctx, tx, ws); err != nil {
		return err
	}
	c.plan.ids = make(map[int64]string, len(c.plan.squids))
	for id, number := range c.plan.squids {
		c.plan.ids[number] = id
	}
	redacted, err := withheld(ctx, tx, ws)
	if err != nil || len(redacted) == 0 {
		return err
	}
	before, err := c.to.Withheld(ctx, c.name)
	if err != nil {
		return err
	}
	return c.to.db.Read(ctx, func(own Tx) error {
		here, err := WorkspaceID(ctx, own, c.name)
		for id := range redacted {
			if before[id] || err != nil {
				continue
			}
			var number int64
			number, err = accountNumber(ctx, own, here, id)
			c.erases = c.erases || number != 0
		}
		return err
	})
}

// readDropped reads what prunes dropped, whose entries are that number or a later one.
func readDropped(ctx context.Context, tx Tx, ws, from int64) (d copyDropped, err error) {
	err = Each(ctx, tx, `SELECT text FROM entry WHERE ws = ? AND id >= ? AND instr(text, ?) > 0 ORDER BY id`, []any{ws, from, "\nprune "},
		func(scan func(...any) error) error {
			var text string
			if err := scan(&text); err != nil {
				return err
			}
			lines, _ := ledger.EntryLines(text) // it is checked when it is copied
			for _, line := range lines {
				if p, err := ledger.ParsePrune(line); err == nil {
					d.entries, d.responses = append(d.entries, p.Entries...), append(d.responses, p.Responses...)
				}
			}
			return nil
		})
	for _, ranges := range [][]ledger.Range{d.entries, d.responses} {
		slices.SortFunc(ranges, func(a, b ledger.Range) int { return cmp.Compare(a.First, b.First) })
	}
	return d, err
}
