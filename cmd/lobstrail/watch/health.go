package watch

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/schedule"
	"github.com/lobstrail/lobstrail/store"
)

// Status says how the daemon, or a workspace of it, stands.
type Status string

// The statuses, the better ones first.
const (
	OK       Status = "ok"
	Starting Status = "starting" // no run was complete yet, and it is early
	Stale    Status = "stale"    // the newest complete run is older than twice the interval
	Damaged  Status = "damaged"  // the store was found damaged
	Stuck    Status = "stuck"    // the loop does not go on
)

var statuses = []Status{OK, Starting, Stale, Damaged, Stuck}

// Report is the health as JSON. Fields are only ever added.
type Report struct {
	Status     Status            `json:"status"` // the worst one
	Doing      string            `json:"doing"`  // starting, waiting, snapshot or alerts
	Since      float64           `json:"doing_for_seconds"`
	Workspaces []WorkspaceReport `json:"workspaces"` // by name; never null
}

// WorkspaceReport is the health of one workspace.
type WorkspaceReport struct {
	Workspace  string     `json:"workspace"`
	Status     Status     `json:"status"`
	Run        int64      `json:"run"`         // the newest complete one; 0: none
	FinishedAt *time.Time `json:"finished_at"` // null: there is none
	Age        *float64   `json:"age_seconds"` // null: there is none
	StaleAfter float64    `json:"stale_after_seconds"`
}

// Health knows how fresh the data of each workspace are. It may be used by several
// goroutines.
type Health struct {
	clock *schedule.Clock
	pulse *Pulse

	mu         sync.Mutex
	workspaces map[string]*freshness
	damaged    bool
}

type freshness struct {
	every    time.Duration
	run      int64
	finished time.Time     // zero: no run was complete
	at       time.Duration // of the clock, when the run ended, or the watching began
}

// NewHealth returns a health without workspaces.
func NewHealth(clock *schedule.Clock, pulse *Pulse) *Health {
	return &Health{clock: clock, pulse: pulse, workspaces: map[string]*freshness{}}
}

// Expect names the workspaces, and at which interval their runs are expected.
func (h *Health) Expect(jobs []Job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.workspaces
	h.workspaces = map[string]*freshness{}
	for _, job := range jobs {
		f := before[job.Workspace]
		if f == nil {
			f = &freshness{at: h.clock.Elapsed()}
		}
		f.every = job.Every
		h.workspaces[job.Workspace] = f
	}
}

// Saw stores that the workspace has a complete run. An older one than that which is known
// changes nothing, and neither does the same one.
func (h *Health) Saw(workspace string, run store.Run) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.workspaces[workspace]
	if f == nil || run.ID <= f.run && !run.Finished.After(f.finished) {
		return
	}
	// From now on the age follows the clock of the schedule: the time of day may be set back.
	age := max(0, h.clock.Wall().Sub(run.Finished))
	f.run, f.finished, f.at = run.ID, run.Finished, h.clock.Elapsed()-age
}

// SetDamaged says whether the store was found damaged, and returns whether it was before.
func (h *Health) SetDamaged(damaged bool) (before bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, h.damaged = h.damaged, damaged
	return before
}

// Report tells how everything stands now.
func (h *Health) Report() Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	what, lasts, stuck := h.pulse.Stuck()
	r := Report{Status: OK, Doing: what, Since: seconds(lasts), Workspaces: []WorkspaceReport{}}
	now := h.clock.Elapsed()
	for name, f := range h.workspaces {
		w := f.report(name, now)
		r.Workspaces = append(r.Workspaces, w)
		r.Status = worst(r.Status, w.Status)
	}
	slices.SortFunc(r.Workspaces, func(a, b WorkspaceReport) int { return cmp.Compare(a.Workspace, b.Workspace) })
	if h.damaged {
		r.Status = worst(r.Status, Damaged)
	}
	if stuck {
		r.Status = Stuck
	}
	return r
}

func (f *freshness) report(name string, now time.Duration) WorkspaceReport {
	limit, age := 2*f.every, now-f.at
	w := WorkspaceReport{Workspace: name, Status: OK, Run: f.run, StaleAfter: seconds(limit)}
	switch {
	case age > limit:
		w.Status = Stale
	case f.finished.IsZero():
		w.Status = Starting
	}
	if !f.finished.IsZero() {
		w.FinishedAt, w.Age = new(f.finished.UTC()), new(seconds(age))
	}
	return w
}

func worst(a, b Status) Status {
	return statuses[max(slices.Index(statuses, a), slices.Index(statuses, b))]
}

// seconds is a duration as JSON has it, to the millisecond.
func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }
