package store

import (
	"context"
	"database/sql"

	"github.com/jmoiron/sqlx"
)

// HealthSteps reads what [Store.StatusSteps] streams of the steps in which the health
// of an account changed, first sights left out, by account: the healths and the
// window only. It is for many accounts at once.
func (s *Store) HealthSteps(ctx context.Context, q PeriodQuery) (steps map[string][]StatusStep, err error) {
	steps = map[string][]StatusStep{}
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		return eachOf(ctx, tx, `
			SELECT a.hash, t.health_before, t.health_after, t.after, t.before
			FROM status_step t
			CROSS JOIN account a ON a.id = t.account_id
			WHERE t.before > ?3 AND (t.before <= ?4 OR t.after < ?4) AND t.health_before <> t.health_after
				AND a.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND (?2 = '' OR a.hash = ?2)
			ORDER BY t.before, t.account_id, t.id`, q.args(), func(scan func(...any) error) error {
			var step StatusStep
			var after, before sql.NullInt64
			err := scan(&step.Account, &step.HealthBefore, &step.HealthAfter, &after, &before)
			step.Window = Window{After: instant(after), Before: instant(before)}
			steps[step.Account] = append(steps[step.Account], step)
			return err
		})
	})
	return steps, err
}
