package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/lobstrail/lobstrail/store"
)

// TestViewsSeeOneMoment: transactions for reading side by side see the same, however
// much is committed meanwhile.
func TestViewsSeeOneMoment(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	take(t, s, start, accountObject(``))
	ctx, stop := context.WithCancel(t.Context())
	written := make(chan error)
	go func() {
		var err error
		for n := 0; err == nil && ctx.Err() == nil; n++ {
			_, err = s.Writer().ExecContext(context.WithoutCancel(ctx), `INSERT INTO setting (name, value) VALUES (?, 1)`, fmt.Sprint(n))
			time.Sleep(time.Duration(n%7) * 100 * time.Microsecond)
		}
		written <- err
	}()
	r, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	alone, together, first, last := 0, 0, 0, 0
	for n := 0; n < fewer(400, 50) || last-first < 10 && n < 100_000; n++ {
		err := r.Views(t.Context(), 3, func(txs []*sqlx.Tx) error {
			var seen [3]int
			for i, tx := range txs {
				if err := tx.GetContext(t.Context(), &seen[i], `SELECT count(*) FROM setting`); err != nil {
					return err
				}
			}
			switch {
			case len(txs) == 1:
				alone++
			case seen[0] != seen[1] || seen[1] != seen[2]:
				t.Errorf("three views of one moment: %v", seen)
			default:
				together++
			}
			if last = seen[0]; first == 0 {
				first = last
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-written; err != nil {
		t.Error(err)
	}
	if t.Logf("%d together, %d alone, %d commits meanwhile", together, alone, last-first); together == 0 || last-first < 10 {
		t.Error("this tells nothing")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
