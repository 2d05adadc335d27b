package relational

import (
	"context"
	"errors"
	"iter"
	"slices"
)

// comparedTables are all tables whose rows must be the same in two copies. Names and values
// may have other numbers; facts and usage follow from what was checked with each response.
var comparedTables = slices.Concat([]tableRows{
	accountTable, squidTable, runTable, failureTable, responseTable, shownTable, bodyTable,
}, leftTables)

// compare compares the rows of the copy, which follow from the evidence and the log, with
// those of the source.
func (c *copying) compare(ctx context.Context, tx Tx, ws int64) error {
	err := c.to.db.ReadApart(ctx, func(own Tx) error {
		here, err := WorkspaceID(ctx, own, c.name)
		if err != nil {
			return err
		}
		for _, t := range comparedTables {
			if err := c.compareTable(ctx, t, tx, own, ws, here); err != nil {
				return err
			}
		}
		return nil
	})
	return c.to.db.Failure(err)
}

func (c *copying) compareTable(ctx context.Context, t tableRows, tx, own Tx, ws, here int64) error {
	next, stop := iter.Pull2(t.rows(ctx, own, here))
	defer stop()
	for row, err := range t.rows(ctx, tx, ws) {
		if err != nil {
			return c.sourceError(tx, err)
		}
		is, err, ok := next()
		switch {
		case err != nil:
			return err
		case !ok:
			return c.damaged("table %s, %s: it does not follow from the evidence and the log", t.table, t.name(row))
		case !slices.EqualFunc(row, is, func(a, b any) bool { return text(a) == text(b) }):
			return c.damaged("table %s, %s: it is not as it follows from the evidence and the log", t.table, t.name(row))
		}
	}
	is, err, ok := next()
	if ok && err == nil {
		err = c.damaged("table %s, %s: it is missing", t.table, t.name(is))
	}
	return err
}

// rows are the rows of a workspace, in the order of their keys.
func (t tableRows) rows(ctx context.Context, tx Tx, ws int64) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		err := t.each(ctx, tx, ws, func(values []any) error {
			if !yield(values, nil) {
				return errEnough
			}
			return nil
		}, "")
		if err != nil && err != errEnough {
			yield(nil, err)
		}
	}
}

var errEnough = errors.New("enough rows")
