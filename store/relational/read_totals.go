package relational

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// Totals sums up the whole history of a workspace.
func (s *Store) Totals(ctx context.Context, workspace string) (store.Totals, error) {
	sum := store.Totals{
		Runs: map[store.RunKind]int64{}, Failures: map[store.FailureKind]int64{}, Changes: map[store.Kind]int64{},
	}
	return sum, s.db.Read(ctx, func(tx Tx) error {
		ws, err := WorkspaceID(ctx, tx, workspace)
		if err != nil || ws == 0 {
			return err
		}
		return errors.Join(
			readRunTotals(ctx, tx, ws, &sum),
			countBy(ctx, tx, `SELECT kind, count(*) FROM failure WHERE ws = ? GROUP BY kind`, ws, sum.Failures),
			countBy(ctx, tx, `SELECT kind, count(*) FROM change WHERE ws = ? GROUP BY kind`, ws, sum.Changes))
	})
}

// readRunTotals sums up the runs that have ended. One whose process died has no end, and
// no length.
func readRunTotals(ctx context.Context, tx Tx, ws int64, sum *store.Totals) error {
	args, within := []any{}, strings.Repeat(", count(*) FILTER (WHERE finished_at - started_at <= ?)", len(store.RunBounds))
	for _, bound := range store.RunBounds {
		args = append(args, bound.Milliseconds())
	}
	return Each(ctx, tx, `
		SELECT scope, state, count(*), sum(requests), sum(changed + unchanged), count(finished_at),
			sum(greatest(finished_at - started_at, 0))`+within+`
		FROM run
		WHERE ws = ? AND state <> 'running'
		GROUP BY scope, state`, append(args, ws), func(scan func(...any) error) error {
		var kind store.RunKind
		var runs, requests, snapshots, ended int64
		var lasted *int64
		var within [len(store.RunBounds)]int64
		to := []any{&kind.Scope, &kind.State, &runs, &requests, &snapshots, &ended, &lasted}
		for i := range within {
			to = append(to, &within[i])
		}
		if err := scan(to...); err != nil {
			return err
		}
		sum.Runs[kind] = runs
		sum.Requests += requests
		sum.Snapshots += snapshots
		if kind.Scope != store.ScopeAll || lasted == nil {
			return nil
		}
		sum.Ended += ended
		sum.Lasted += time.Duration(*lasted) * time.Millisecond
		for i, n := range within {
			sum.Within[i] += n
		}
		return nil
	})
}

// countBy reads pairs of a kind and a number.
func countBy[K ~string](ctx context.Context, tx Tx, query string, ws int64, counts map[K]int64) error {
	return Each(ctx, tx, query, []any{ws}, func(scan func(...any) error) error {
		var kind K
		var n int64
		err := scan(&kind, &n)
		counts[kind] = n
		return err
	})
}
