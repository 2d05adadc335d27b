package alert

import (
	"context"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// SetSilenced sets Silenced of the alerts that have fired and hold, by the silences at a
// moment. A stored alert has it as of the last evaluation; silences may have begun or ended
// since. The alerts are those of one workspace, with all that hold.
func SetSilenced(ctx context.Context, s store.Reader, workspace string, at time.Time, alerts []store.Alert) error {
	silences, err := s.Silences(ctx, workspace, at)
	if err != nil {
		return err
	}
	in := Input{Workspace: workspace, Now: at, Silences: silences, Accounts: map[string]store.AccountState{}}
	marked := false
	for _, a := range alerts {
		if a.EndedAt.IsZero() {
			in.Alerts, marked = append(in.Alerts, a), marked || a.Silenced
		}
	}
	if len(silences) == 0 && !marked {
		return nil
	}
	for account, err := range s.Accounts(ctx, store.AccountQuery{Workspace: workspace}) {
		if err != nil {
			return err
		}
		in.Accounts[account.ID] = account
	}
	e := newEvaluation(in)
	for i, a := range alerts {
		if a.EndedAt.IsZero() && !a.FiredAt.IsZero() {
			alerts[i].Silenced = e.silenced(e.byKey[keyOf(&a)])
		}
	}
	return nil
}
