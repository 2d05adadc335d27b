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
