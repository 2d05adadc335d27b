package report

import (
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// StatusJSON is how a workspace stands: the answer of `status`.
type StatusJSON struct {
	Workspace string        `json:"workspace"`
	At        Time          `json:"at"`
	Complete  *CompleteJSON `json:"last_complete_run"` // over all accounts; null: there is none
	Newest    *NewestJSON   `json:"newest_run"`        // whatever came of it; null: there is none
	// StaleAfter is how old the newest complete run may be; null: not known.
	StaleAfter *Seconds        `json:"stale_after_seconds"`
	Stale      bool            `json:"stale"` // it is older, or there is none
	Accounts   HealthCounts    `json:"accounts"`
	Squids     SquidCounts     `json:"squids"`
	Alerts     []OpenAlertJSON `json:"alerts"`     // that fired and hold, silenced ones included
	Deliveries []QueueJSON     `json:"deliveries"` // that were not made yet, by sink
	NeedResync []ResyncJSON    `json:"need_resync"`
	// WithoutHealthy are the squids that no healthy account serves.
	WithoutHealthy []SquidJSON `json:"squids_without_healthy_account"`
}

// CompleteJSON is the newest complete run.
type CompleteJSON struct {
	Run      int64   `json:"run"`
	Finished Time    `json:"finished_at"`
	Age      Seconds `json:"age_seconds"`
	Lasted   Seconds `json:"duration_seconds"`
}

// NewestJSON is the newest run.
type NewestJSON struct {
	Run     int64          `json:"run"`
	State   store.RunState `json:"state"`
	Started Time           `json:"started_at"`
}

// SquidCounts are squids by how many healthy accounts they use.
type SquidCounts struct {
	Squids         int `json:"squids"` // all of them
	WithoutHealthy int `json:"without_healthy_account"`
	OnSingle       int `json:"on_single_account"`
}

// NewStatusJSON tells how a workspace stands, where the newest complete run may be so old;
// 0: not known.
func NewStatusJSON(o Overview, staleAfter time.Duration) StatusJSON {
	s := StatusJSON{
		Workspace: o.Workspace, At: Time{o.At}, Stale: o.Stale(staleAfter), Accounts: o.Counts(), Alerts: []OpenAlertJSON{},
		Deliveries: NewQueuesJSON(o.Waiting, o.At), NeedResync: o.Resyncs(), WithoutHealthy: []SquidJSON{},
	}
	if staleAfter > 0 {
		s.StaleAfter = new(Seconds(staleAfter))
	}
	if run := o.LastComplete(); run != nil {
		s.Complete = &CompleteJSON{run.ID, Time{run.Finished}, Seconds(o.At.Sub(run.Finished)), Seconds(max(run.Finished.Sub(run.Started), 0))}
	}
	if run := o.Newest; run != nil {
		s.Newest = &NewestJSON{run.ID, run.State, Time{run.Started}}
	}
	for _, squid := range o.Squids {
		s.Squids.Squids++
		switch squid.Healthy() {
		case 0:
			s.Squids.WithoutHealthy++
			s.WithoutHealthy = append(s.WithoutHealthy, squid)
		case 1:
			s.Squids.OnSingle++
		}
	}
	usernames, squidNames := o.names()
	for _, a := range o.Alerts {
		if !a.FiredAt.IsZero() {
			s.Alerts = append(s.Alerts, newOpenAlert(a, usernames[a.Account], squidNames[a.Squid]))
		}
	}
	return s
}

// OpenAlertJSON is an alert that fired and holds. What it is not about is null.
type OpenAlertJSON struct {
	Alert     int64           `json:"alert"` // its number in the workspace
	Condition store.Condition `json:"condition"`
	Account   Text            `json:"account"`
	Username  Text            `json:"username"` // as it is now
	Squid     Text            `json:"squid"`
	SquidName Text            `json:"squid_name"`
	Limit     Text            `json:"limit"`
	After     Time            `json:"after"`
	Before    Time            `json:"before"`
	FiredAt   Time            `json:"fired_at"`
	Silenced  bool            `json:"silenced"`
}

func newOpenAlert(a store.Alert, username, squidName string) OpenAlertJSON {
	return OpenAlertJSON{
		Alert: a.ID, Condition: a.Condition, Account: Text(a.Account), Username: Text(username), Squid: Text(a.Squid), SquidName: Text(squidName),
		Limit: Text(a.Limit), After: Time{a.Window.After}, Before: Time{a.Window.Before}, FiredAt: Time{a.FiredAt}, Silenced: a.Silenced,
	}
}
