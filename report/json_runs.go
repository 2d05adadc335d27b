package report

import "github.com/lobstrail/lobstrail/store"

// RunJSON is a run: the answer of `snapshot`, and of `runs`.
type RunJSON struct {
	Run        int64          `json:"run"`
	Workspace  string         `json:"workspace"`
	StartedAt  Time           `json:"started_at"`
	FinishedAt Time           `json:"finished_at"` // null while it runs, and when its process died
	Complete   bool           `json:"complete"`
	Requested  int            `json:"requested"`
	Captured   int            `json:"captured"` // changed and unchanged
	Changed    int            `json:"changed"`  // first sights included
	Unchanged  int            `json:"unchanged"`
	Gone       int            `json:"gone"`
	Failed     int            `json:"failed"`
	Requests   int            `json:"requests"`
	Warnings   []string       `json:"warnings"`
	Failures   []FailureJSON  `json:"failures"`
	State      store.RunState `json:"state"`
	ClockSkew  *Seconds       `json:"clock_skew_seconds"` // ahead of the server's; null: it sent no Date
	ClockHeld  Seconds        `json:"clock_held_seconds"`
}

// FailureJSON is something that could not be snapshotted.
type FailureJSON struct {
	Account    Text              `json:"account"` // null where the bytes did not tell
	Kind       store.FailureKind `json:"kind"`
	HTTPStatus *int              `json:"http_status"` // null when there was no answer
	Message    string            `json:"message"`
}

// NewRunJSON converts a run. Failures are those it was read with.
func NewRunJSON(r store.Run) RunJSON {
	return RunJSON{
		Run:        r.ID,
		Workspace:  r.Workspace,
		StartedAt:  Time{r.Started},
		FinishedAt: Time{r.Finished},
		Complete:   r.State == store.Complete,
		Requested:  r.Requested,
		Captured:   r.Captured(),
		Changed:    r.Changed,
		Unchanged:  r.Unchanged,
		Gone:       r.Gone,
		Failed:     r.Failed,
		Requests:   r.Requests,
		Warnings:   nonNil(r.Warnings),
		Failures:   newFailuresJSON(r.Failures),
		State:      r.State,
		ClockSkew:  (*Seconds)(r.Skew),
		ClockHeld:  Seconds(r.Held),
	}
}

func newFailuresJSON(failures []store.Failure) []FailureJSON {
	out := make([]FailureJSON, 0, len(failures))
	for _, f := range failures {
		j := FailureJSON{Account: Text(f.Account), Kind: f.Kind, Message: f.Message}
		if f.HTTPStatus != 0 {
			j.HTTPStatus = &f.HTTPStatus
		}
		out = append(out, j)
	}
	return out
}
