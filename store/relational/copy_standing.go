package relational

import (
	"context"
	"maps"

	"github.com/lobstrail/lobstrail/store/fold"
)

// copyStanding is what a copy keeps in memory of the target between transactions.
type copyStanding struct {
	w      *workspace
	again  *fold.Refolder
	squids map[int64]bool // that the target has, by number
}

// stand reads where the accounts of the target stand. Of each it is as much as tells
// whether an object is the one before.
func (c *copying) stand(ctx context.Context, tx Tx, w *workspace) error {
	if err := w.openLog(ctx, tx); err != nil {
		return err
	}
	if w.log.Size != c.done {
		return errOtherWriter
	}
	if c.done == 0 {
		if err := c.to.db.SetRules(ctx, tx, w.id, c.to.rules.Version); err != nil {
			return err
		}
	}
	err := w.loadBrief(ctx, tx, `
		FROM (SELECT * FROM account WHERE ws = ?1) a
		ORDERED JOIN state s ON s.ws = a.ws AND s.account = a.id
		ORDERED JOIN said d ON d.ws = a.ws AND d.account = a.id`, w.id)
	if err != nil {
		return err
	}
	s := &copyStanding{w: w, squids: map[int64]bool{}}
	for _, number := range w.known.Squids {
		s.squids[number] = true
	}
	w.known.Squids = maps.Clone(c.plan.squids)
	// Of an account whose redaction is still to come nothing is stored but that it was shown.
	err = Each(ctx, tx, `
		SELECT id, hash, first_at FROM account a
		WHERE ws = ? AND length(salt) = 0 AND NOT EXISTS (SELECT 1 FROM state s WHERE s.ws = a.ws AND s.account = a.id)`, []any{w.id},
		func(scan func(...any) error) error {
			a := &fold.Account{}
			err := scan(&a.Number, &a.ID, &a.FirstAt)
			w.known.Accounts[a.ID] = a
			return err
		})
	s.again, c.standing = fold.NewRefolder(&w.known, c.erased...), s
	return err
}
