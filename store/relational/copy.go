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

// base is the store within the store of an engine.
func (s *Store) base() *Store { return s }

// CopyFrom makes the store a copy of another one, whatever the engines, or goes on with
// that: it copies the entries of the log that the store lacks, with what they are about.
// Each transaction copies some entries whole, so a copy that was broken off anywhere goes on
// where it stopped.
//
// What is copied is the evidence, the log, and the working state of alerts. Everything
// derived is derived again, by the rules of this store. Each response is folded as it was
// when it was appended, and must have the root that the log says; each entry must have its
// place in the tree. In the end the trees must be equal, and (unless o.Trusting) all rows
// that two copies have in common. Where one of that is not so, the source is damaged
// (ErrDamaged), and nothing after the last good transaction is copied.
//
// It returns ErrDiverged for a store whose log is not a part of that of the source,
// before anything is written; ErrSame for the store itself; ErrNewer for one that newer
// rules derived; ErrNotFound for a workspace that the source does not have. Other
// workspaces of the store stay as they are.
//
// What the source pruned or redacted is pruned or redacted here by the same entry of the
// log. Until that is copied, a copy of such a source does not verify: it lacks what the
// entry explains.
func (s *Store) CopyFrom(ctx context.Context, from store.Reader, o store.CopyOptions) ([]store.Copied, error) {
	if err := s.db.CanWrite(); err != nil {
		return nil, err
	}
	source, ok := from.(interface{ base() *Store })
	if !ok {
		return nil, fmt.Errorf("%w: a store of another kind cannot be copied", store.ErrInvalid)
	}
	if err := s.differs(source.base()); err != nil {
		return nil, err
	}
	defer s.forget()
	all, err := s.copyings(ctx, source.base(), o)
	if err != nil {
		return nil, err
	}
	var total, before int64
	for _, c := range all {
		total += c.entries
	}
	done := make([]store.Copied, 0, len(all))
	for _, c := range all {
		c.progress = func(entries int64) {
			if o.Progress != nil {
				o.Progress(before+entries, total)
			}
		}
		err := c.run(ctx)
		if errors.Is(err, errOtherWriter) { // before this process took the lock: now it has it
			if err = c.begin(ctx); err == nil {
				err = c.run(ctx)
			}
		}
		if err != nil {
			return done, err
		}
		before += c.entries
		done = append(done, c.copied)
	}
	return done, nil
}

// differs returns ErrSame if both are the same store.
func (s *Store) differs(from *Store) error {
	same, err := s.db.Same(from.db)
	if err == nil && same {
		err = fmt.Errorf("%s and %s: %w", from.db.Path(), s.db.Path(), store.ErrSame)
	}
	return err
}

// copyings are the copies of the workspaces, all of which can be made.
func (s *Store) copyings(ctx context.Context, from *Store, o store.CopyOptions) ([]*copying, error) {
	known, err := from.Workspaces(ctx)
	if err != nil {
		return nil, err
	}
	names := o.Workspaces
	if names == nil {
		names = known
	}
	all := make([]*copying, len(names))
	for i, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("workspace %q: %w", name, store.ErrNotFound)
		}
		c := &copying{to: s, from: from, name: name, trusting: o.Trusting, most: cmp.Or(o.Entries, maxCopyEntries)}
		if err := c.begin(ctx); err != nil {
			return nil, err
		}
		all[i] = c
	}
	return all, nil
}

// copying is the copy of one workspace.
type copying struct {
	to, from *Store
	name     string
	trusting bool
	most     int // entries that one transaction copies
	progress func(entries int64)
	copied   store.Copied
	entries  int64     // to copy, as it seems at the beginning
	tree     tlog.Tree // of the source
	start    copyStart
	plan     copyPlan
	done     int64             // entries that the target has
	erased   []fold.Commitment // that the responses of the target brought
	pruned   int64             // responses that were dropped from the target
	erases   bool              // something is redacted that the target has
	standing *copyStanding
}

// copyStart is where a target stands.
type copyStart struct {
	tree     tlog.Tree
	position fold.Position
}

// begin finds out where the target stands, and whether the source goes on from there.
func (c *copying) begin(ctx context.Context) error {
	if err := c.to.db.Lock(ctx, c.name); err != nil {
		return err
	}
	if err := c.to.db.Read(ctx, c.readStart); err != nil {
		return err
	}
	return c.from.db.Read(ctx, func(tx Tx) error {
		ws, err := WorkspaceID(ctx, tx, c.name)
		if err != nil {
			return err
		}
		return c.follows(ctx, tx, ws)
	})
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
	err = eachOf(ctx, tx, `SELECT source, slot, max(at) FROM response WHERE ws = ? GROUP BY source, slot`, []any{ws}, func(scan func(...any) error) error {
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

// run copies what the target lacks, from one moment of the source.
func (c *copying) run(ctx context.Context) error {
	err := c.from.db.ReadApart(ctx, func(tx Tx) error {
		ws, err := WorkspaceID(ctx, tx, c.name)
		if err == nil {
			err = c.follows(ctx, tx, ws) // it may have been written to meanwhile
		}
		if err == nil {
			err = c.readPlan(ctx, tx, ws)
		}
		if err != nil {
			return err
		}
		if !c.erases {
			return c.copy(ctx, tx, ws)
		}
		var failed error
		err = c.to.db.Erase(ctx, func() error { // also what was erased before something failed
			failed = c.copy(ctx, tx, ws)
			return nil
		})
		return cmp.Or(failed, err)
	})
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return c.from.db.Failure(err)
	}
	if c.pruned > 0 {
		if _, _, err := c.to.db.Shrink(ctx); err != nil {
			return fmt.Errorf("copied, but the space of what was pruned could not be given back: %w", err)
		}
	}
	return nil
}

// copy copies entries, then what is no part of the log, and compares both stores.
func (c *copying) copy(ctx context.Context, tx Tx, ws int64) error {
	if c.entries > 0 {
		if err := c.copyEntries(ctx, tx, ws); err != nil {
			return err
		}
	}
	if err := c.finish(ctx, tx, ws); err != nil {
		return err
	}
	tree, err := c.to.Tree(ctx, c.name)
	switch {
	case err != nil:
		return err
	case tree != c.tree:
		return c.damaged("the tree of the copy is another one than that of the source")
	}
	c.copied.Tree = tree
	if c.trusting || !c.plan.ruled {
		return nil
	}
	return c.compare(ctx, tx, ws)
}

// damaged says that the source cannot be what was written.
func (c *copying) damaged(problem string, args ...any) error {
	return Place(c.from.db.Path(), fmt.Errorf("%w: workspace %q: %s", store.ErrDamaged, c.name, fmt.Sprintf(problem, args...)))
}

func (c *copying) copyEntries(ctx context.Context, tx Tx, ws int64) error {
	r := c.newReader(ctx, tx, ws)
	defer r.stop()
	c.erased = r.teller.Before()
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b, err := r.batch(c.most)
		if err != nil {
			return c.sourceError(tx, err)
		}
		if len(b.entries) == 0 {
			return c.sourceError(tx, r.end())
		}
		if err := c.write(ctx, b); err != nil {
			return err
		}
		c.progress(c.done - c.start.tree.N)
	}
}

// sourceError names the source in an error about its rows.
func (c *copying) sourceError(tx Tx, err error) error {
	if _, isRow := errors.AsType[*fold.RowError](err); isRow {
		return Place(c.from.db.Path(), err)
	}
	if err == nil {
		return nil
	}
	return c.from.db.Failure(tx.Interpret(err))
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
	err = eachOf(ctx, tx, `SELECT text FROM entry WHERE ws = ? AND id >= ? AND instr(text, ?) > 0 ORDER BY id`, []any{ws, from, "\nprune "},
		func(scan func(...any) error) error {
			var text string
			if err := scan(&text); err != nil {
				return err
			}
			_, _, lines, _ := ledger.ParseEntry(text) // it is checked when it is copied
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
