package relational

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/lobstrail/lobstrail/store"
)

// finish copies what is no part of the log: what a run that has not ended has counted so
// far, and the working state.
func (c *copying) finish(ctx context.Context, tx Tx, ws int64) error {
	var running []runRow
	if err := tx.SelectContext(ctx, &running, `SELECT`+runColumns+` FROM run WHERE ws = ? AND state = ? ORDER BY id`, ws, store.Running); err != nil {
		return c.sourceError(tx, err)
	}
	changed, err := c.alertsDiffer(ctx, tx, ws)
	if err != nil || len(running) == 0 && !changed {
		return err
	}
	c.copied.Alerts = changed
	return c.to.update(ctx, c.name, func(to Tx, w *workspace) error {
		for _, run := range running {
			err := to.ExecOne(ctx, `UPDATE run SET requests = ?, held_ms = ?, skew_ms = ? WHERE ws = ? AND id = ?`,
				run.Requests, run.HeldMS, run.SkewMS, w.id, run.ID)
			if err != nil {
				return err
			}
		}
		if !changed {
			return nil
		}
		return c.copyAlerts(ctx, tx, to, ws, w.id)
	})
}

// alertsDiffer reports whether the working state of the target is another one than that of
// the source.
func (c *copying) alertsDiffer(ctx context.Context, tx Tx, ws int64) (bool, error) {
	want, err := hashAlerts(ctx, tx, ws)
	if err != nil {
		return false, c.sourceError(tx, err)
	}
	var is [32]byte
	err = c.to.db.Read(ctx, func(own Tx) error {
		here, err := WorkspaceID(ctx, own, c.name)
		if err == nil {
			is, err = hashAlerts(ctx, own, here)
		}
		return err
	})
	return is != want, err
}

// hashAlerts is a hash over the working state.
func hashAlerts(ctx context.Context, tx Tx, ws int64) (sum [32]byte, err error) {
	h := sha256.New()
	for _, t := range workingTables {
		fmt.Fprintf(h, "%s\n", t.table)
		err := t.each(ctx, tx, ws, func(values []any) error {
			for _, value := range values {
				fmt.Fprintf(h, "%T %q ", text(value), fmt.Sprint(text(value)))
			}
			return nil
		}, "")
		if err != nil {
			return sum, err
		}
	}
	return [32]byte(h.Sum(nil)), nil
}

// copyAlerts replaces the working state by that of the source.
func (c *copying) copyAlerts(ctx context.Context, from, to Tx, fromWS, toWS int64) error {
	if err := deleteAlerts(ctx, to, toWS); err != nil {
		return err
	}
	for _, t := range workingTables {
		if err := t.copyRows(ctx, from, to, fromWS, toWS); err != nil {
			return err
		}
	}
	return nil
}

func deleteAlerts(ctx context.Context, tx Tx, ws int64) error {
	for _, t := range workingTables {
		if err := tx.Exec(ctx, `DELETE FROM `+t.table+` WHERE ws = ?`, ws); err != nil {
			return err
		}
	}
	return nil
}
